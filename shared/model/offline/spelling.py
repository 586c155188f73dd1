"""Misspelled words of the trade put right, by edit distance to a short list."""

from __future__ import annotations

import re

WORDS = (
    "momentum", "oversold", "overbought", "relative", "strength", "moving", "average", "averages",
    "averaging",
    "crossover", "crossing", "golden", "reversion", "reverting", "bollinger", "standard", "deviation",
    "deviations", "breakout", "donchian", "channel", "turtle", "dollar", "accumulate", "strategy", "position",
    "balance", "percent", "candles", "timeframe", "hourly", "weekly", "monthly", "monday", "tuesday",
    "wednesday", "thursday", "friday", "saturday", "sunday", "realtime", "scheduled", "continuous", "bitcoin",
    "ethereum", "solana", "dogecoin", "litecoin", "cardano", "backtest", "deploy", "analyze", "analyse",
    "documentation", "exchange", "binance", "kraken", "coinbase", "kucoin", "python", "trading", "threshold",
    "minutes", "levels", "spacing", "between",
)  # fmt: skip

# Real words that are one slip away from a word above.
_REAL = frozenset(
    [
        "handles",
        "candies",
        "revision",
        "reversing",
        "positing",
        "trading",
        "braking",
        "tracing",
        "moving",
        "roving",
        "loving",
        "coverage",
        "channels",
        "levels",
        "level",
        "dollars",
        "candle",
        "positions",
        "strategies",
        "threshold",
        "thresholds",
        "minute",
        "hours",
        "months",
        "deploys",
        "deployed",
        "relatives",
        "standards",
        "standing",
        "reverted",
        "reverts",
        "crossed",
        "crosses",
        "balances",
        "balanced",
        "backtests",
        "exchanges",
        "exchanged",
        "weekday",
        "weekdays",
        "analysis",
        "analyses",
        "analyzed",
        "employ",
        "strengths",
        "moment",
        "momentous",
        "bitcoins",
        "percents",
        "accumulated",
        "scheduler",
        "schedule",
        "schedules",
        "breakouts",
        "crossovers",
        "averaged",
        "hourly",
        "changes",
        "change",
        "channel",
        "charge",
    ]
)
_KNOWN = frozenset(WORDS) | _REAL
_BY_LETTER: dict[str, tuple[str, ...]] = {
    letter: tuple(word for word in WORDS if word[0] == letter) for letter in {word[0] for word in WORDS}
}
_WORD = re.compile(r"\b[a-z]{5,16}\b")
# A chat message has a few dozen words; a pasted text is not worth correcting to its end.
_MOST_CORRECTED = 400


def correct(text: str) -> str:
    """The lower-case text with near misses of the listed words replaced by those words."""
    seen: dict[str, str] = {}

    def fix(match: re.Match[str]) -> str:
        word = match.group()
        if word in _KNOWN:
            return word
        if word not in seen:
            seen[word] = nearest(word) if len(seen) < _MOST_CORRECTED else word
        return seen[word]

    return _WORD.sub(fix, text)


def nearest(word: str) -> str:
    """The listed word that differs by one edit (two from nine letters on), else the word itself.

    The first letter must agree, as slips of the hand seldom hit it and short words have many neighbours.
    """
    best, best_distance = word, 3
    for candidate in _BY_LETTER.get(word[0], ()):
        limit = 2 if min(len(word), len(candidate)) >= 8 and max(len(word), len(candidate)) >= 9 else 1
        if abs(len(word) - len(candidate)) > limit:
            continue
        distance = edit_distance(word, candidate, limit)
        if distance <= limit and distance < best_distance:
            best, best_distance = candidate, distance
    return best


def edit_distance(one: str, other: str, limit: int) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours between two words; `limit`+1 when more.

    The optimal string alignment distance, row by row, given up when a whole row exceeds the limit.
    """
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before_last, last = last, row
    return last[-1]
