"""Which label a number belongs to, when a sentence holds several of both: `2% stop and 5% take profit`.

Each number takes the nearest free label before or after it. Commas and words such as `and` between the two
push a label away; when both sides are equally near, the order in which the clause begins decides
(`stop 2% target 5%` puts labels first, `2% stop 5% target` puts numbers first).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

_SEPARATOR = re.compile(r",|&|\+|\b(?:and|with|plus|but|then|or)\b")
_SENTENCE = re.compile(r"[;!?\n]|\.(?!\d)")
_REACH = 45


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of text: a label (`name` set, None for one that means nothing to us) or a number."""

    start: int
    end: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """The number at `number` belongs to the parameter `name`; None when its label has none."""

    name: str | None
    number: Mark


class _Gaps:
    """Counts what stands between two places."""

    def __init__(self, text: str) -> None:
        self._separators = [match.start() for match in _SEPARATOR.finditer(text)]
        self._sentences = [match.start() for match in _SENTENCE.finditer(text)]

    def cost(self, start: int, end: int) -> int | None:
        if end - start > _REACH or _count(self._sentences, start, end):
            return None
        return 10 * _count(self._separators, start, end)

    def sentence(self, position: int) -> int:
        return bisect_left(self._sentences, position)


def assign(text: str, *, labels: Sequence[Mark], numbers: Sequence[Mark]) -> list[Assigned]:
    """Each number with the label it belongs to; numbers without one are left out. Both in text order."""
    gaps = _Gaps(text)
    starts = [label.start for label in labels]
    label_first: dict[int, int] = {}
    for label in labels:
        label_first.setdefault(gaps.sentence(label.start), label.start)
    used: set[Mark] = set()
    given: set[str] = set()
    found: list[Assigned] = []
    for index, number in enumerate(numbers):
        floor = numbers[index - 1].end if index else 0
        ceiling = numbers[index + 1].start if index + 1 < len(numbers) else len(text)
        position = bisect_left(starts, number.start)
        before = _nearest(labels, range(position - 1, -1, -1), floor, ceiling)
        after = _nearest(labels, range(position, len(labels)), floor, ceiling)
        choices = [
            (cost, side, label)
            for side, label in enumerate((before, after))
            if label and label not in used and label.name not in given
            and (cost := gaps.cost(min(label.end, number.end), max(label.start, number.start))) is not None
        ]  # fmt: skip
        if not choices:
            continue
        first = label_first.get(gaps.sentence(number.start), number.start)
        numbers_lead = first >= _first_number(numbers, gaps, number)
        label = min(choices, key=lambda c: (c[0], c[1] if not numbers_lead else -c[1]))[2]
        used.add(label)
        if label.name:
            given.add(label.name)
        found.append(Assigned(label.name, number))
    return found


def _nearest(labels: Sequence[Mark], order: range, floor: int, ceiling: int) -> Mark | None:
    for index in order:
        label = labels[index]
        inside = floor <= label.start and label.end <= ceiling
        return label if inside else None
    return None


def _first_number(numbers: Sequence[Mark], gaps: _Gaps, number: Mark) -> int:
    sentence = gaps.sentence(number.start)
    place = bisect_left([gaps.sentence(n.start) for n in numbers], sentence) if len(numbers) > 1 else 0
    return numbers[place].start


def _count(places: list[int], start: int, end: int) -> int:
    return bisect_right(places, end - 1) - bisect_left(places, start)
