"""Places of a bot's code that never ran: which of them are told, in what order and in which words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

_Said = TypeVar("_Said")
_MOST = 30
# Python's names and those that V8 gives: `get value`, `#close`, `exports.main`, `[Symbol.iterator]`.
_NAME = re.compile(r"[\w$.#\[\] ]{1,80}")
_DECISIONS = ("strategy.py", "strategy.js")
# Tests run by themselves, and the programs around the bot are not its own.
_NOT_JUDGED = re.compile(
    r"^(?:tests?|_watch|node_modules)/"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$"
    r"|[.\-_]test\.[cm]?js$"
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Lines of a file, counted from 1; `function` names the function that they are the whole of.

    `raises` says that all they do is to refuse something.
    """

    file: str
    first: int
    last: int
    function: str = ""
    raises: bool = False

    def __str__(self) -> str:
        lines = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.file}:{lines} ({self.function})" if self.function else f"{self.file}:{lines}"


def is_judged(file: str) -> bool:
    """Whether it is told of a file's code that it never ran."""
    return _NOT_JUDGED.search(file) is None


def name_of(function: object) -> str:
    """A function's name as it is told: what a bot may have written is no name because it says so."""
    is_name = isinstance(function, str) and _NAME.fullmatch(function) is not None
    return str(function) if is_name else "a function"


def outermost(spans: Iterable[tuple[int, int, _Said]]) -> Iterator[tuple[int, int, _Said]]:
    """The spans (start, end, anything) that lie in no other: what is inside one is told with it."""
    reach = -1
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if span[1] > reach:
            reach = span[1]
            yield span


def told(places: Iterable[Place]) -> tuple[str, ...]:
    """At most 30 places in words, what a bot decides by first."""
    return tuple(str(place) for place in sorted(places, key=_rank)[:_MOST])


def _rank(place: Place) -> tuple[bool, int, Place]:
    """Decisions, then branches of what ran, then refusals, then functions that were never called.

    Most of those functions are for an exchange.
    """
    return place.file not in _DECISIONS, 2 if place.function else int(place.raises), place
