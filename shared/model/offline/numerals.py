"""Numbers as people write them, put into plain digits: `thirty`, `60k`, `1,000`, `1.5 per cent`, `50 bps`."""

from __future__ import annotations

import re

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = (
    {word: value for value, word in enumerate(_ONES)}
    | {word: value for value, word in enumerate(_TEENS, 10)}
    | {word: value * 10 for value, word in enumerate(_TENS, 2)}
    | {"fourty": 40, "a": 1}
)
_SCALES = {"thousand": 1000, "million": 1_000_000}

_SMALL = rf"(?:(?:{'|'.join(_TENS)}|fourty)(?:[ -](?:{'|'.join(_ONES[1:])}))?|{'|'.join(_TEENS + _ONES)})"
_WORDS = re.compile(
    rf"\b(?:(?P<hundreds>{_SMALL}|a) hundred(?: and)?(?: (?P<rest>{_SMALL}))?"
    rf"|(?P<small>{_SMALL}|a(?= thousand| million)))(?: (?P<scale>thousand|million))?\b"
)
# `one` is also a pronoun; it is a number only before something that is counted.
_COUNTED = re.compile(
    r"[ -]?(?:%|per ?cent|pct|percent|and a half|hour|minute|min|day|week|month|trade|buy|position|order"
    r"|standard|deviation|level|candle|bar|time|dollar|usd)"
)
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3}){1,6}(?!,?\d)")
# `SMA 50,200` and `(50,200)` are two periods, not fifty thousand two hundred.
_LIST_BEFORE = re.compile(r"(?:\(|\bmas? |\b[se]ma |averages? )\s?$")
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(\d{1,4}),(\d{1,2})(?= ?(?:%|per ?cent|percent|pct))")
_THOUSANDS = re.compile(r"(?<![\w.])(\d{1,9}(?:\.\d{1,6})?) ?k\b")
_SHARED_K = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3})?)( ?(?:-|to|and|/) ?\$?\d{1,3}(?:\.\d{1,3})? ?k\b)")
_MILLIONS = re.compile(r"(?<![\w.])(\d{1,6}(?:\.\d{1,6})?) (thousand|million)\b")
_PERCENT = re.compile(r"(\d) ?(?:%|per ?cents?\b|percents?\b|pct\b|percentage points?\b)")
_BASIS_POINTS = re.compile(r"(?<![\w.])(\d{1,5}(?:\.\d{1,3})?) ?(?:bps|bp|basis points?)\b")
_AND_A_HALF = re.compile(r"\b(\d{1,4})(?: |-)and(?: |-)a(?: |-)half\b")
_HALF_PERCENT = re.compile(r"\b(?:(a )?half(?: of)?(?: an?| one)? (?:per ?cent|percent|pct)|half an? %)")
_QUARTER_PERCENT = re.compile(r"\b(?:a )?quarter(?: of)?(?: an?)? (?:per ?cent|percent)\b")

NUMBER = r"\d{1,15}(?:\.\d{1,12})?"


def to_digits(text: str) -> str:
    """The lower-case text with every number in plain digits and every percentage as `<number>%`."""
    text = _WORDS.sub(_word_value, text)
    text = _AND_A_HALF.sub(r"\1.5", text)
    text = _HALF_PERCENT.sub("0.5%", text)
    text = _QUARTER_PERCENT.sub("0.25%", text)
    text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    text = _GROUPED.sub(_ungroup, text)
    text = re.sub(r"(?<=\d)_(?=\d)", "", text)
    text = _SHARED_K.sub(r"\1k\2", text)
    text = _THOUSANDS.sub(lambda m: plain(float(m[1]) * 1000), text)
    text = _MILLIONS.sub(lambda m: plain(float(m[1]) * _SCALES[m[2]]), text)
    text = _BASIS_POINTS.sub(lambda m: f"{plain(float(m[1]) / 100)}%", text)
    text = _PERCENT.sub(r"\1%", text)
    return re.sub(r"\btwice\b", "2 times", re.sub(r"\bonce (?=an?\b|per\b|each\b|every\b)", "1 times ", text))


def plain(value: float) -> str:
    """The number without exponent or needless zeros."""
    return str(number(f"{value:.12f}"))


def number(digits: str) -> int | float:
    """The value of plain digits: an int where it is whole."""
    value = float(digits)
    return int(value) if value.is_integer() else value


def _word_value(match: re.Match[str]) -> str:
    if match.group() == "one" and not _COUNTED.match(match.string, match.end()):
        return match.group()
    if match["hundreds"]:
        value = 100 * _small(match["hundreds"]) + (_small(match["rest"]) if match["rest"] else 0)
    else:
        value = _small(match["small"])
    return str(value * _SCALES.get(match["scale"] or "", 1))


def _small(words: str) -> int:
    return sum(_VALUES[word] for word in re.split(r"[ -]", words))


def _ungroup(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()]
    return match.group() if _LIST_BEFORE.search(before) else match.group().replace(",", "")
