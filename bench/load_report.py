"""What a load run found: percentiles, growth after the warm-up, the verdict, and the tables of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- load:begin -->", "<!-- load:end -->"
# The beginning of a run in which caches fill and allocators take what they keep.
WARM_UP = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """How much a series may grow from the end of the warm-up to the end of the run: the larger of the two."""

    share: float
    amount: float


_ALLOWED: tuple[tuple[str, Allowed], ...] = (
    # Its cache of histories takes up to 32 MiB, and sessions go on; bench.memory shows that it ends there.
    ("chat: memory", Allowed(share=0.05, amount=32.0)),
    ("memory", Allowed(share=0.05, amount=6.0)),
    # Streams that happen to be open at a moment are files too.
    ("open files", Allowed(share=0.25, amount=20.0)),
    ("connections", Allowed(share=0.2, amount=5.0)),
    ("", Allowed(share=0.0, amount=25.0)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A series after the warm-up: its mean, its last and greatest figure, its growth by a fitted line."""

    name: str
    mean: float
    last: float
    most: float
    growth: float

    @property
    def allowed(self) -> float:
        """How much of growth is not taken for a leak."""
        found = next(allowed for word, allowed in _ALLOWED if self.name.endswith(word))
        return max(found.share * self.mean, found.amount)

    @property
    def grows(self) -> bool:
        """Whether it grew by more."""
        return self.growth > self.allowed


def growth_of(name: str, seconds: Sequence[float], figures: Sequence[float]) -> Growth:
    """The growth of a series with at least two figures after the warm-up."""
    begin = int(len(figures) * WARM_UP)
    times, late = seconds[begin:], figures[begin:]
    slope = statistics.linear_regression(times, late).slope
    return Growth(
        name=name,
        mean=statistics.fmean(late),
        last=late[-1],
        most=max(late),
        growth=slope * (times[-1] - times[0]),
    )


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Count, and 50th, 95th, 99th percentile and most in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else [seconds[0]] * 99
    marks = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "most": max(seconds)}
    return {"count": len(seconds), **{name: round(value * 1000, 1) for name, value in marks.items()}}


def tables(result: dict[str, Any]) -> str:
    """The result in Markdown."""
    plan, machine = result["plan"], result["machine"]
    head = (
        f"{plan['sessions']} sessions, {plan['minutes']:g} minutes, pauses of {plan['pause']:g} seconds, "
        f"{result['operations']} operations "
        f"({result['operations_a_second']:.1f} a second), {result['turns']} turns, {result['events']} "
        f"events, **{result['errors_in_all']} errors**. {machine['cores']} cores, {machine['memory_gib']} "
        f"GiB, Python {machine['python']}; {machine['cpu_percent_before']:.0f} % of the CPU were in use "
        "before it began."
    )
    parts = [head, _operations(result), _series(result), _cpu(result), _verdict(result)]
    return "\n\n".join(parts)


def _operations(result: dict[str, Any]) -> str:
    rows = [
        (name, *(f"{each[mark]:g}" for mark in ("count", "p50", "p95", "p99", "most")))
        for name, each in sorted(result["percentiles"].items())
    ]
    return _table(("operation", "count", "p50 ms", "p95 ms", "p99 ms", "most ms"), rows)


def _series(result: dict[str, Any]) -> str:
    rows = [
        (
            each["name"] + (", MiB" if each["name"].endswith("memory") else ""),
            *(f"{each[mark]:.1f}" for mark in ("mean", "most", "last")),
            f"{each['growth']:+.1f}",
            f"{each['allowed']:.1f}",
        )
        for each in result["growth"]
    ]
    return _table(("over time, after the warm-up", "mean", "most", "last", "growth", "allowed"), rows)


def _cpu(result: dict[str, Any]) -> str:
    rows = [(name, f"{share:.2f}") for name, share in result["cores_used"].items()]
    table = _table(("process", "cores used, mean"), rows)
    return f"{table}\n\n{result['transactions_an_operation']:.1f} transactions of the database an operation."


def _verdict(result: dict[str, Any]) -> str:
    lines = [f"**Verdict: {'good' if result['good'] else 'NOT GOOD'}**", *result["complaints"]]
    return "\n".join(("- " if number else "") + line for number, line in enumerate(lines)) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def write_between(path: Path, text: str) -> None:
    """Puts the text between the two markers of a page.

    Raises:
        ValueError: the page has no such place.
    """
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place between {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}", encoding="utf-8")
