"""Parameter values in a sentence, for a strategy that is known; by the tables of phrases.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from shared.model.offline.assign import Assigned, Mark, assign
from shared.model.offline.numerals import NUMBER, number
from shared.model.offline.phrase_signs import Constant, Labels, Phrase
from shared.model.offline.phrases import (
    COMMON_CONSTANTS,
    COMMON_PHRASES,
    OWN_CONSTANTS,
    OWN_LABELS,
    OWN_PHRASES,
    PERCENT_LABELS,
)
from shared.model.offline.refusals import REFUSALS

_PER_CENT = re.compile(rf"(?<![\w.])({NUMBER})%")
_BARE = re.compile(rf"(?<![\w.$€£#])({NUMBER})(?![%\d]|\.\d|\w)")
_ANY = re.compile(rf"(?<![\w.#])[$€£]?{NUMBER}%?(?!\w)")
_PERIOD = re.compile(
    rf"(?<![\w.$€£#])({NUMBER})(?![%\d#]|\.\d)(?! ?(?:times|trades?|minutes?|usd|dollars?|x\b|years?"
    rf"|months?|levels?))"
)
_CHANGED_FROM = re.compile(rf"\bfrom {NUMBER}%? (to|down to|up to) (?=\$?\d)")
_RANGE_VERB = re.compile(
    r"\b(?:change|changes|move|raise|lower|increase|decrease|reduce|adjust|bump|drop|switch)\b"
)
_CROSS_DEFAULTS = re.compile(r"\b(?:golden|death)[ -]cross")
_INTEGERS = re.compile(r"(?:_period|_levels|_hours|_lookback|_per_day|_seconds)$")


@dataclass(frozen=True, slots=True)
class Extraction:
    """The values a text states, the sentences it calls for, and the numbers that meant nothing to us."""

    values: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class _Reader:
    """The text with what has been read blanked out, and the values read so far; the first reading holds."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: dict[str, Any] = {}

    def take(self, name: str, value: Any) -> None:
        self.values.setdefault(name, value)

    def blank(self, start: int, end: int) -> None:
        self.text = f"{self.text[:start]}{'#' * (end - start)}{self.text[end:]}"


def extract_parameters(text: str, strategy: str | None) -> Extraction:
    """The parameters that the canonical text states: the common ones and, if given, the strategy's own."""
    reader = _Reader(_new_values_only(text, strategy))
    refused = [
        one
        for one in REFUSALS
        if one.strategy in (None, strategy) and strategy not in one.but_not and one.words.search(text)
    ]
    for refusal in refused:
        for match in refusal.words.finditer(reader.text) if refusal.takes_numbers else ():
            reader.blank(*match.span())
    _read_constants(reader, COMMON_CONSTANTS)
    own_percent = [x for x in OWN_LABELS.get(strategy or "", ()) if x.per_cent]
    _read_labels(reader, _joined(own_percent))
    _read_phrases(reader, COMMON_PHRASES)
    if strategy:
        _read_own(reader, strategy)
    unread = tuple(match.group() for match in _ANY.finditer(reader.text))
    return Extraction(reader.values, tuple(refusal.sentence for refusal in refused), unread)


def count_own(text: str, strategy: str) -> int:
    """How many of the strategy's own parameters the text states."""
    reader = _Reader(text)
    _read_labels(reader, _joined([x for x in OWN_LABELS[strategy] if x.per_cent]))
    reader.values.clear()
    _read_own(reader, strategy)
    return len(reader.values)


def _new_values_only(text: str, strategy: str | None) -> str:
    """`from 30 to 25` is a change to 25, except where a grid's range is meant."""
    if strategy == "grid" and not _RANGE_VERB.search(text):
        return text
    return _CHANGED_FROM.sub(r"\1 ", text)


def _joined(own: list[Labels]) -> Labels:
    words = tuple(word for labels in own for word in labels.words)
    return Labels(words=words + PERCENT_LABELS.words, per_cent=True)


def _read_own(reader: _Reader, strategy: str) -> None:
    _read_constants(reader, OWN_CONSTANTS[strategy])
    _read_phrases(reader, OWN_PHRASES[strategy])
    for labels in OWN_LABELS[strategy]:
        if not labels.per_cent:
            _read_labels(reader, labels)
    if strategy == "sma_crossover":
        _read_averages(reader)


def _read_constants(reader: _Reader, constants: tuple[Constant, ...]) -> None:
    for constant in constants:
        match = constant.pattern.search(reader.text)
        if match:
            reader.take(constant.name, constant.value)
            if constant.value is None:
                reader.blank(*match.span())


def _read_phrases(reader: _Reader, phrases: tuple[Phrase, ...]) -> None:
    for phrase in phrases:
        if phrase.names[0] in reader.values:
            continue
        for match in phrase.pattern.finditer(reader.text):
            values = [number(match[f"n{i}"]) for i in range(1, len(phrase.names) + 1)]
            if not _fits(phrase, values):
                continue
            for i, (name, value) in enumerate(zip(phrase.names, values, strict=True), 1):
                reader.take(name, _shaped(name, value))
                reader.blank(*match.span(f"n{i}"))
            break


def _fits(phrase: Phrase, values: list[int | float]) -> bool:
    low, high = phrase.limits
    if not all(low <= value <= high for value in values):
        return False
    return not phrase.rising or values == sorted(set(values))


def _read_labels(reader: _Reader, labels: Labels) -> None:
    pattern = labels.pattern()
    names = [name for name, _ in labels.words]
    marks = [Mark(*m.span(), names[int((m.lastgroup or "g0")[1:])]) for m in pattern.finditer(reader.text)]
    wanted = _PER_CENT if labels.per_cent else _PERIOD
    numbers = [Mark(*m.span()) for m in wanted.finditer(reader.text)]
    for item in assign(reader.text, labels=marks, numbers=numbers):
        _take_assigned(reader, item, labels)


def _take_assigned(reader: _Reader, item: Assigned, labels: Labels) -> None:
    value = number(reader.text[item.number.start : item.number.end].rstrip("%"))
    if item.name is None or not labels.limits[0] <= value <= labels.limits[1]:
        return
    if item.name not in reader.values:
        reader.take(item.name, _shaped(item.name, value))
        reader.blank(item.number.start, item.number.end)


def _read_averages(reader: _Reader) -> None:
    """Two plain periods without the words fast and slow: the shorter one is the fast average."""
    free = [(number(m[1]), m.span(1)) for m in _PERIOD.finditer(reader.text)]
    free = [(value, span) for value, span in free if 2 <= value <= 10_000 and isinstance(value, int)]
    known = {name: reader.values[name] for name in ("fast_period", "slow_period") if name in reader.values}
    if not known and len(free) == 2 and free[0][0] != free[1][0]:
        reader.take("fast_period", min(free)[0])
        reader.take("slow_period", max(free)[0])
    elif len(known) == 1 and len(free) == 1:
        missing = "slow_period" if "fast_period" in known else "fast_period"
        reader.take(missing, free[0][0])
    elif not known and not free and _CROSS_DEFAULTS.search(reader.text):
        reader.take("fast_period", 50)
        reader.take("slow_period", 200)
        return
    else:
        return
    for _, (start, end) in free:
        reader.blank(start, end)


def _shaped(name: str, value: int | float) -> int | float:
    """Whole numbers where candles and trades are counted."""
    return round(value) if _INTEGERS.search(name) else value
