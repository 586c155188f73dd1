"""The results as one table for people, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from bench.figures import Row
from bench.rig import AGENT, BARE, GENAI

_HEAD = ("measured", GENAI, BARE, AGENT, "", "agent/genai", "agent/bare", "target", "met")


def table(rows: Iterable[Row]) -> str:
    """The rows as Markdown, a heading line before each section."""
    lines: list[tuple[str, ...]] = []
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines.append((f"**{section}**", *("" for _ in _HEAD[1:])))
        lines.append(_cells(row))
    widths = [max(len(cell) for cell in column) for column in zip(_HEAD, *lines, strict=True)]
    ruler = tuple("-" * width for width in widths)
    return "\n".join(_line(cells, widths) for cells in (_HEAD, ruler, *lines))


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as plain values."""
    return [
        {
            "section": row.section,
            "what": row.what,
            "unit": row.unit,
            "figures": row.figures,
            "ratios": row.ratios,
            "target": {"most": row.target.most, "of": row.target.of} if row.target else None,
            "judged": row.judged,
            "met": row.met,
        }
        for row in rows
    ]


def _cells(row: Row) -> tuple[str, ...]:
    target = f"<= {row.target.most:g} {row.target.of}" if row.target else ""
    met = ""
    if row.met is not None and row.judged is not None:
        met = f"{'yes' if row.met else 'NO'} ({_number(row.judged)})"
    return (
        row.what,
        *(_number(row.figures.get(name)) for name in (GENAI, BARE, AGENT)),
        row.unit,
        _number(row.ratios.get(GENAI)),
        _number(row.ratios.get(BARE)),
        target,
        met,
    )


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "-"
    if value == int(value) and abs(value) < 1000:
        return str(int(value))
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
