"""Twenty-four bad bots of no form of ours, each with the rule that must speak against it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.shared.verification.bots import CONFIG, README, free_bot


@dataclass(frozen=True, slots=True)
class Bad:
    """A bot and the rule of the finding that it must get; `verdict` is the least that it deserves."""

    name: str
    rule: str
    files: dict[str, bytes] = field(repr=False, hash=False)
    verdict: str = "rejected"


_Z = "(closes[i] - mean(closes)) / (mean([(one - mean(closes)) ** 2 for one in closes[::20]]) ** 0.5 or 1)"
_DAYS = """\
    last_of_day = {}
    for time, close in zip(times, closes):
        last_of_day[time[:10]] = close
"""
_EMA = """\
    level, levels = closes[0], []
    for close in closes:
        level += 0.002 * (close - level)
        levels.append(level)
"""
_FILLED = """\
    marks = [close if place % 7 == 0 else None for place, close in enumerate(closes)]
    for place in range(len(marks) - 2, -1, -1):
        marks[place] = marks[place] if marks[place] is not None else marks[place + 1]
    marks = [closes[0] if mark is None else mark for mark in marks]
"""
_NETWORK = """\
    try:
        urllib.request.urlopen("https://api.exchange.example/prices", timeout=1)
    except OSError:
        pass
"""
_FILE = """\
    try:
        open("/etc/passwd")
    except OSError:
        pass
"""
_NEXT = "(closes[i + 1] if i + 1 < len(rows) else closes[i]) / closes[i] - 1"

BAD = (
    Bad("a negative shift", "look-ahead", free_bot(score=_NEXT)),
    Bad("a shift of five", "look-ahead", free_bot(score="closes[min(i + 5, len(rows) - 1)] / closes[i] - 1")),
    Bad("normalised over the whole series", "look-ahead", free_bot(score=_Z)),
    Bad("scaled by the highest price ever", "look-ahead", free_bot(score="closes[i] / max(closes) - 0.8")),
    Bad(
        "the day's close in its morning",
        "look-ahead",
        free_bot(before=_DAYS, score="last_of_day[times[i][:10]] / closes[i] - 1"),
    ),
    Bad(
        "today's close at today's open",
        "look-ahead",
        free_bot(score="closes[i] / opens[i] - 1 + 0.004", price="opens[i]"),
    ),
    Bad("a centred window", "look-ahead", free_bot(score="mean(closes[i - 9 : i + 10]) / closes[i] - 1")),
    Bad(
        "filled backwards",
        "look-ahead",
        free_bot(before=_FILLED, score="marks[i] / mean(closes[i - 19 : i + 1]) - 1"),
    ),
    Bad(
        "a lucky quantile of all prices",
        "look-ahead",
        free_bot(score="0.02 if closes[i] < sorted(closes)[len(closes) // 4] else -0.02"),
    ),
    Bad(
        "an average without an end",
        "warm-up",
        free_bot(before=_EMA, score="closes[i] / levels[i] - 1"),
        "verified_with_warnings",
    ),
    Bad("chance", "not-repeatable", free_bot(imports="import random", score="random.random() - 0.5")),
    Bad(
        "the clock",
        "not-repeatable",
        free_bot(imports="import time", score="time.perf_counter() * 1e4 % 1 - 0.5"),
    ),
    Bad("a crash at the start", "crashes", free_bot(before='    raise KeyError("exchange")')),
    Bad(
        "a crash in the middle",
        "crashes",
        free_bot(score="closes[i] / (0 if i == 200 else closes[i - 1]) - 1"),
    ),
    Bad("no result", "no-result", free_bot(after="")),
    Bad(
        "an error as its result",
        "crashes",
        free_bot(imports="from the0 import error", after='    error("no key")'),
    ),
    Bad("a loop without an end", "does-not-end", free_bot(after="    while True:\n        held = not held")),
    Bad(
        "memory without an end",
        "too-much-memory",
        free_bot(before="    hoard = [bytearray(2 ** 26) for _ in range(99)]"),
    ),
    Bad(
        "output without an end",
        "too-much-output",
        free_bot(after='    while True:\n        print("x" * 10000)'),
    ),
    Bad(
        "the environment told",
        "leaks-secrets",
        free_bot(imports="import os", before="    print(dict(os.environ))"),
    ),
    Bad("the network in a replay", "reaches-out", free_bot(imports="import urllib.request", before=_NETWORK)),
    Bad("a file that is not its own", "reaches-out", free_bot(before=_FILE)),
    Bad(
        "tests that fail",
        "tests-fail",
        free_bot(more={"tests/test_bot.py": "def test_it():\n    assert 1 == 2\n"}),
    ),
    Bad(
        "a name the platform refuses",
        "invalid-configuration",
        free_bot(more={"bot-config.yaml": CONFIG.replace("planted-bot", "Planted Bot!")}),
    ),
    Bad("it never acts", "never-signals", free_bot(score="0.0"), "verified_with_warnings"),
)
# The clean twins: the same ideas without the fault.
GOOD = {
    "a mean": free_bot(),
    "a positive shift": free_bot(score="closes[i] / closes[i - 1] - 1 + 0.004"),
    "normalised over a window": free_bot(score="closes[i] / max(closes[i - 19 : i + 1]) - 0.97"),
    "yesterday's close": free_bot(score="closes[i] / closes[i - 19] - 1"),
    "decided on one candle, traded on the next": free_bot(
        score="closes[i - 1] / opens[i - 1] - 1 + 0.004", price="opens[i]"
    ),
    "a readme more": free_bot(more={"README.md": README * 2}),
}
