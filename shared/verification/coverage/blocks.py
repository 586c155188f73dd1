"""What a covered run of Python wrote down (`inside/covered_run.py`), read as what a bot may have written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.verification.coverage.places import Place, is_judged, name_of, outermost


def places_of_blocks(data: bytes, files: Mapping[str, bytes]) -> Iterator[Place]:
    """The blocks of the bot's files that never ran.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, RecursionError: it is no such report.
    """
    for name, blocks in json.loads(data)["files"].items():
        if name in files and is_judged(name):
            yield from _of_file(name, len(files[name].splitlines()), blocks)


def _of_file(name: str, lines: int, blocks: Any) -> Iterator[Place]:
    spans = [(_line(one["first"], lines), _line(one["last"], lines), one) for one in blocks]
    for first, last, block in outermost(spans):
        function = name_of(block["function"]) if block["function"] else ""
        yield Place(name, first, max(first, last), function, block["raises"] is True)


def _line(value: Any, lines: int) -> int:
    if type(value) is not int or not 1 <= value <= lines:
        raise ValueError(f"no line of a file: {value!r}")
    return value
