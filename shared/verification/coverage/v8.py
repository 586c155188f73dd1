"""What V8 wrote down of a run of Node.js (NODE_V8_COVERAGE), read as what a bot may have written."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any
from urllib.parse import unquote

from shared.sandbox.runtimes import JOB
from shared.verification.coverage.places import Place, is_judged, name_of, outermost

_WORD, _CODE, _THROW = re.compile(r"\w"), re.compile(r"[^\s{}]"), re.compile(r"throw\b")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def places_of_v8(data: bytes, files: Mapping[str, bytes]) -> Iterator[Place]:
    """The blocks of the bot's files that were counted 0 times.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, RecursionError: it is no such report.
    """
    for script in json.loads(data)["result"]:
        name = unquote(str(script["url"]).removeprefix(f"file://{JOB}/"))
        if name in files and is_judged(name):
            yield from _of_script(name, files[name].decode("utf-8"), script["functions"])


def _of_script(name: str, text: str, functions: Any) -> Iterator[Place]:
    # V8 counts in units of UTF-16.
    text = _ASTRAL.sub("..", text)
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    spans = [
        (_offset(one["startOffset"], text), _offset(one["endOffset"], text), (number == 0, function))
        for function in functions
        for number, one in enumerate(function["ranges"])
        if one["count"] == 0
    ]
    for start, end, (is_whole, function) in outermost(spans):
        called = function["functionName"]
        # What V8 itself makes has such names.
        if _WORD.search(text, start, end) is None or str(called).startswith("<"):
            continue
        code = _CODE.search(text, start, end)
        first = bisect_right(starts, code.start() if code is not None else start)
        last = bisect_right(starts, max(start, end - 1))
        raises = code is not None and _THROW.match(text, code.start()) is not None
        yield Place(name, first, max(first, last), name_of(called) if is_whole else "", raises)


def _offset(value: Any, text: str) -> int:
    if type(value) is not int or not 0 <= value <= len(text):
        raise ValueError(f"no place in a text: {value!r}")
    return value
