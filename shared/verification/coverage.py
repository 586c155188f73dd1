"""Which of a bot's own code never ran, from what V8 wrote down of a run (NODE_V8_COVERAGE)."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any
from urllib.parse import unquote

from shared.sandbox.runtimes import JOB

COVERAGE_FOLDER = "coverage"
_MOST = 30
_DECISIONS = "strategy.js"
# Tests run by themselves, and the programs around the bot are not its own.
_NOT_JUDGED = re.compile(r"^(?:tests?/|_|node_modules/)|[.\-_]test\.[cm]?js$")


def never_ran(written: Mapping[str, bytes], files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Places of the bot's files as `strategy.js:12-14`, with the name of a function that was never called.

    Decisions come first, then branches of what ran, then functions that were never called: most of those are
    for an exchange. A file that was never loaded is not among them. At most 30; empty where V8 wrote nothing
    that can be read.
    """
    reports = (data for name, data in written.items() if name.startswith(f"{COVERAGE_FOLDER}/"))
    found = {place for data in reports for place in _of_report(data, files)}
    ranked = sorted(found, key=lambda place: (place[0] != _DECISIONS, bool(place[3]), place))
    return tuple(_written(*place) for place in ranked[:_MOST])


def _of_report(data: bytes, files: Mapping[str, bytes]) -> Iterator[tuple[str, int, int, str]]:
    try:
        scripts = json.loads(data)["result"]
        for script in scripts:
            name = unquote(str(script["url"]).removeprefix(f"file://{JOB}/"))
            if name in files and _NOT_JUDGED.search(name) is None:
                yield from _of_script(name, files[name].decode("utf-8"), script["functions"])
    # It lies where the bot may write, so it may hold anything.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return


def _of_script(name: str, text: str, functions: Any) -> Iterator[tuple[str, int, int, str]]:
    starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
    gone: list[tuple[int, int]] = []
    blocks = [(one, str(function["functionName"])) for function in functions for one in function["ranges"]]
    # The widest first: what lies in a function that was never called is told with it.
    for block, function in sorted(blocks, key=lambda pair: pair[0]["startOffset"] - pair[0]["endOffset"]):
        start, end = int(block["startOffset"]), int(block["endOffset"])
        inside = any(first <= start and end <= last for first, last in gone)
        if block["count"] != 0 or inside or re.search(r"\w", text[start:end]) is None:
            continue
        gone.append((start, end))
        if function.startswith("<"):
            continue
        is_whole = any(block is one["ranges"][0] for one in functions)
        first, last = (
            bisect_right(starts, place) for place in (_code(text, start, end), max(start, end - 1))
        )
        yield name, first, max(first, last), (function or "a function") if is_whole else ""


def _code(text: str, start: int, end: int) -> int:
    """Where the first sign of a stretch stands that is no space or brace."""
    found = re.search(r"[^\s{}]", text[start:end])
    return start + found.start() if found is not None else start


def _written(name: str, first: int, last: int, function: str) -> str:
    lines = f"{name}:{first}" if first == last else f"{name}:{first}-{last}"
    return f"{lines} ({function})" if function else lines


__all__ = ["COVERAGE_FOLDER", "never_ran"]
