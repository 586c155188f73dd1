"""The length of candle that a sentence asks for; works on canonical text (utterance.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What create_bot_template takes; a test holds this list to the catalogue's.
TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")

_UNIT = r"(minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)"
_CANDLE = r"(?:candles?|candlesticks?|bars?|charts?|timeframes?|time frames?|klines?|tf)\b"
_LY = {
    "minutely": "1m", "half-hourly": "30m", "half hourly": "30m", "hourly": "1h", "daily": "1d",
    "weekly": "1w", "minute": "1m", "hour": "1h", "day": "1d", "week": "1w", "half hour": "30m",
}  # fmt: skip
_LY_WORDS = "|".join(sorted(_LY, key=len, reverse=True))
_NOT_A_CANDLE = (
    r"(?<!every )(?<!each )(?<!last )(?<!past )(?<!next )(?<!within )(?<!after )(?<!for )(?<!per )"
)

_EXPLICIT = (
    re.compile(rf"(?<![\w.])(\d{{1,4}})[ -]?{_UNIT}[ -]?{_CANDLE}"),
    re.compile(rf"{_CANDLE}(?: (?:of|to|is|at|size|length|with|=))*[ :=]{{1,3}}(\d{{1,4}})[ -]?{_UNIT}\b"),
)
_EXPLICIT_WORD = (
    re.compile(rf"\b({_LY_WORDS})[ -]{_CANDLE}"),
    re.compile(rf"\b(?:timeframe|time frame|tf)(?: (?:of|to|is))?[ :=]{{1,3}}({_LY_WORDS})\b"),
)
_COMPACT = re.compile(rf"{_NOT_A_CANDLE}(?<![\w.$])(\d{{1,3}})(m|min|h|hr|hrs|d|w)\b")
_REVERSED = re.compile(r"\b([mhdw])(1|3|4|5|15|30)\b")
_BARE = re.compile(
    rf"{_NOT_A_CANDLE}(?<![\w.])(\d{{1,3}})[ -](minutes?|mins?|hours?|hrs?)\b(?! (?:apart|between))"
)
_BARE_WORD = re.compile(
    r"(?<!run )(?<!run it )(?<!run this )(?<!runs )(?<!trades )(?<!buy )(?<!buys )(?<!invest )(?<!once "
    r")(?<!max )(?<!buying )"
    r"\b(half-hourly|half hourly|hourly|daily|weekly)\b"
    r"(?! (?:at|on|trades?|trade|limit|buys?|purchases?|dca|loss|schedule|average cost|dollar|highs?|lows?))"
)
_IMPLIED = re.compile(
    r"(?<![\w.])\d{1,3}(?: ?(?:/|and|-|,) ?\d{1,3})?[ -](hour|day|week)s?[ -]"
    r"(?:highs?|lows?|averages?|moving|simple|exponential|sma|ema|ma|mas|rsi|breakouts?|channel|donchian"
    r"|bollinger|cross|crossover|bands?|and)\b"
)
_LEFT_BEHIND = re.compile(r"(?:\bfrom|\binstead of(?: the)?|\brather than|\bnot)\s$")


@dataclass(frozen=True, slots=True)
class FoundTimeframe:
    """A candle length as `4h`; `span` is the text it was read from, `implied` when only a period says so."""

    value: str
    span: tuple[int, int]
    implied: bool = False

    @property
    def offered(self) -> bool:
        """Whether bots can have it."""
        return self.value in TIMEFRAMES


def find_timeframe(text: str, *, of_bot: bool = True) -> FoundTimeframe | None:
    """The candle length that the text asks for, None when it names none.

    `of_bot` False leaves out loose words such as `weekly`, which for a savings plan say how often it buys.
    """
    for candidate in _candidates(text, of_bot):
        if not _LEFT_BEHIND.search(text[max(0, candidate.span[0] - 16) : candidate.span[0]]):
            return candidate
    return None


def _candidates(text: str, of_bot: bool) -> list[FoundTimeframe]:
    found = [FoundTimeframe(_code(m[1], m[2]), m.span()) for p in _EXPLICIT for m in p.finditer(text)]
    found += [FoundTimeframe(_LY[m[1]], m.span()) for p in _EXPLICIT_WORD for m in p.finditer(text)]
    found += [FoundTimeframe(_code(m[1], m[2]), m.span()) for m in _COMPACT.finditer(text)]
    found += [FoundTimeframe(_code(m[2], m[1]), m.span()) for m in _REVERSED.finditer(text)]
    if of_bot:
        bare = (FoundTimeframe(_code(m[1], m[2]), m.span()) for m in _BARE.finditer(text))
        found += [frame for frame in bare if frame.offered]
        found += [FoundTimeframe(_LY[m[1]], m.span()) for m in _BARE_WORD.finditer(text)]
    found += [FoundTimeframe(_LY[m[1]], m.span(), implied=True) for m in _IMPLIED.finditer(text)]
    return found


def _code(count: str, unit: str) -> str:
    minutes = int(count) * {"m": 1, "h": 60, "d": 1440, "w": 10080}[unit[0]]
    for letter, size in (("w", 10080), ("d", 1440), ("h", 60)):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{letter}"
    return f"{minutes}m"
