"""Strategies that look ahead, and their twins that do not: generated, seeded, alike but for the leak.

A leak needs data that decide() is not given: most strategies here read the bot's file of candles, as bots
written in a hurry do, and compute over all of it. A kind is written once with a hole; what fills the hole
makes the leak or its clean twin.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.strategy_form import VALUES

_HEAD = """{imports}


def candles_needed(parameters):
    return {needed}

"""
_DECIDE = """
def decide(candles, parameters, holding=Holding()):
    if len(candles) < {needed}:
        return Signal("hold", "not enough candles")
    score = score_of(candles)
    values = {values}
    if score is None:
        return Signal("hold", "no score", values={{}})
    if holding.quantity == 0 and score {enter}:
        return Signal("buy", "score", values=values)
    if holding.quantity > 0 and score {leave}:
        return Signal("sell", "score", values=values)
    return Signal("hold", "nothing", values=values)
"""
_FILE = """
def load():
    text = Path(__file__).with_name("sample.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    moments = [datetime.fromisoformat(row["time"].replace("Z", "+00:00")) for row in rows]
    times = [round(moment.timestamp() * 1000) for moment in moments]
    return times, [[float(row[name]) for row in rows] for name in ("open", "high", "low", "close", "volume")]


TIMES, (OPENS, HIGHS, LOWS, CLOSES, VOLUMES) = load()
N = len(TIMES)
PLACE = {time: place for place, time in enumerate(TIMES)}


def mean(values):
    return sum(values) / len(values)


def deviation(values):
    middle = mean(values)
    return (sum((value - middle) ** 2 for value in values) / len(values)) ** 0.5 or 1.0


def scores():
"""
_LOOK_UP = """

SCORES = scores()


def score_of(candles):
    return SCORES[PLACE[candles[-1].time]]
"""
_FILE_IMPORTS = "import csv\nfrom datetime import datetime\nfrom pathlib import Path"
_FRAME = """
def load():
    frame = pd.read_csv(Path(__file__).with_name("sample.csv"))
    frame.index = (pd.to_datetime(frame["time"], utc=True) - pd.Timestamp(0, tz="UTC")) // pd.Timedelta("1ms")
    return frame


def scores(frame):
    close = frame["close"]
{body}


SCORES = scores(load()).to_dict()


def score_of(candles):
    score = SCORES[candles[-1].time]
    return None if score != score else float(score)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One strategy: its kind, whether it is dishonest, and the bot's files with its candles."""

    kind: str
    number: int
    leaks: bool
    files: dict[str, bytes] = field(repr=False, hash=False)

    @property
    def name(self) -> str:
        """`shift 3 leak`."""
        return f"{self.kind} {self.number} {'leak' if self.leaks else 'clean'}"


# The body of scores(), leak and twin; {k} is a small number, {n} a window, {b} a bucket.
_BODIES: dict[str, tuple[str, str]] = {
    "shift": (
        "    return [CLOSES[i + {k}] / CLOSES[i] - 1 if i + {k} < N else 0.0 for i in range(N)]",
        "    return [CLOSES[i] / CLOSES[i - {k}] - 1 if i >= {k} else 0.0 for i in range(N)]",
    ),
    "filtered shift": (
        "    past = [CLOSES[i] / mean(CLOSES[max(0, i - {n}):i + 1]) - 1 for i in range(N)]\n"
        "    return [past[i] if i + {k} < N and CLOSES[i + {k}] > CLOSES[i] else -1.0 for i in range(N)]",
        "    past = [CLOSES[i] / mean(CLOSES[max(0, i - {n}):i + 1]) - 1 for i in range(N)]\n"
        "    return [past[i] if i >= {k} and CLOSES[i] > CLOSES[i - {k}] else -1.0 for i in range(N)]",
    ),
    "centred window": (
        "    return [mean(CLOSES[max(0, i - {k}):i + {k} + 1]) / CLOSES[i] - 1 for i in range(N)]",
        "    return [mean(CLOSES[max(0, i - 2 * {k}):i + 1]) / CLOSES[i] - 1 for i in range(N)]",
    ),
    "whole-series z-score": (
        "    return [-(CLOSES[i] - mean(CLOSES)) / deviation(CLOSES) * 0.01 for i in range(N)]",
        "    return [-(CLOSES[i] - mean(CLOSES[:i + 1])) / deviation(CLOSES[:i + 1]) * 0.01"
        " for i in range(N)]",
    ),
    "whole-series min-max": (
        "    low, high = min(LOWS), max(HIGHS)\n"
        "    return [0.01 - 0.02 * (CLOSES[i] - low) / (high - low) for i in range(N)]",
        "    return [0.01 - 0.02 * (CLOSES[i] - min(LOWS[:i + 1])) / (max(HIGHS[:i + 1]) - min(LOWS[:i + 1]))"
        " for i in range(N)]",
    ),
    "resampled close": (
        "    return [CLOSES[min(N - 1, i // {b} * {b} + {b} - 1)] / CLOSES[i] - 1 for i in range(N)]",
        "    return [CLOSES[max(0, i // {b} * {b} - 1)] / CLOSES[i] - 1 for i in range(N)]",
    ),
    "resampled high": (
        "    return [max(HIGHS[i // {b} * {b}:i // {b} * {b} + {b}]) / CLOSES[i] - 1.01 for i in range(N)]",
        "    return [max(HIGHS[max(0, i // {b} * {b} - {b}):i // {b} * {b}] or [CLOSES[0]])"
        " / CLOSES[i] - 1.01 for i in range(N)]",
    ),
    "future index": (
        "    return [max(CLOSES[i:i + {k} + 1]) / CLOSES[i] - 1.005 for i in range(N)]",
        "    return [max(CLOSES[max(0, i - {k}):i + 1]) / CLOSES[i] - 1.005 for i in range(N)]",
    ),
    "close at the open": (
        "    return [CLOSES[i + 1] / OPENS[i + 1] - 1 if i + 1 < N else 0.0 for i in range(N)]",
        "    return [CLOSES[i] / OPENS[i] - 1 for i in range(N)]",
    ),
    "backward fill": (
        "    found, last = [0.0] * N, 0.0\n"
        "    for i in reversed(range(N)):\n"
        "        last = CLOSES[i] / CLOSES[i - 1] - 1 if i % {b} == 0 and i else last\n"
        "        found[i] = last\n"
        "    return found",
        "    found, last = [0.0] * N, 0.0\n"
        "    for i in range(N):\n"
        "        last = CLOSES[i] / CLOSES[i - 1] - 1 if i % {b} == 0 and i else last\n"
        "        found[i] = last\n"
        "    return found",
    ),
    "whole-series quantile": (
        "    moves = [0.0] + [CLOSES[i] / CLOSES[i - 1] - 1 for i in range(1, N)]\n"
        "    edge = sorted(moves)[N * 3 // 4]\n"
        "    return [moves[i] - edge for i in range(N)]",
        "    moves = [0.0] + [CLOSES[i] / CLOSES[i - 1] - 1 for i in range(1, N)]\n"
        "    return [moves[i] - sorted(moves[:i + 1])[(i + 1) * 3 // 4] for i in range(N)]",
    ),
    "pivot": (
        "    return [0.02 if LOWS[i] == min(LOWS[max(0, i - {k}):i + {k} + 1]) else -0.01 for i in range(N)]",
        "    return [0.02 if LOWS[i] == min(LOWS[max(0, i - 2 * {k}):i + 1]) else -0.01 for i in range(N)]",
    ),
    "detrended": (
        "    middle, level = (N - 1) / 2, mean(CLOSES)\n"
        "    rise = sum((i - middle) * (CLOSES[i] - level) for i in range(N))\n"
        "    slope = rise / sum((i - middle) ** 2 for i in range(N))\n"
        "    return [(level + slope * (i - middle)) / CLOSES[i] - 1 for i in range(N)]",
        "    return [(2 * mean(CLOSES[max(0, i - {n} // 2):i + 1]) - mean(CLOSES[max(0, i - {n}):i + 1]))"
        " / CLOSES[i] - 1 for i in range(N)]",
    ),
    "best period of all": (
        "    def worth(period):\n"
        "        moves = [CLOSES[i + 1] / CLOSES[i] - 1 for i in range(period, N - 1)"
        " if CLOSES[i] > mean(CLOSES[i - period:i])]\n"
        "        return sum(moves)\n"
        "    best = max(range(3, 3 + {n}), key=worth)\n"
        "    return [CLOSES[i] / mean(CLOSES[max(0, i - best):i + 1]) - 1 for i in range(N)]",
        "    return [CLOSES[i] / mean(CLOSES[max(0, i - {n}):i + 1]) - 1 for i in range(N)]",
    ),
}
_FRAMES: dict[str, tuple[str, str]] = {
    "pandas shift": ("    return close.shift(-{k}) / close - 1", "    return close / close.shift({k}) - 1"),
    "pandas centred": (
        "    return close.rolling(2 * {k} + 1, center=True).mean() / close - 1",
        "    return close.rolling(2 * {k} + 1).mean() / close - 1",
    ),
    "pandas normalised": (
        "    return (close.mean() - close) / close.std() / 100",
        "    return (close.expanding(5).mean() - close) / close.expanding(5).std() / 100",
    ),
    "pandas resampled": (
        "    bucket = pd.Series(range(len(close)), index=close.index) // {b}\n"
        '    return close.groupby(bucket).transform("last") / close - 1',
        "    bucket = pd.Series(range(len(close)), index=close.index) // {b}\n"
        "    return bucket.sub(1).map(close.groupby(bucket).last()) / close - 1",
    ),
    "pandas ranked": (
        "    return close.pct_change().rank(pct=True) / 100 - 0.007",
        "    return close.pct_change().expanding(5).rank(pct=True) / 100 - 0.007",
    ),
}
# Strategies of the candles they are given; these are about warm-up, state and chance.
_OWN: dict[str, tuple[str, str]] = {
    "short smoothing": (
        "def score_of(candles):\n"
        "    level = float(candles[0].close)\n"
        "    for candle in candles:\n"
        "        level += (float(candle.close) - level) * 2 / ({n} + 1)\n"
        "    return float(candles[-1].close) / level - 1\n",
        "def score_of(candles):\n"
        "    closes = [float(candle.close) for candle in candles[-{n}:]]\n"
        "    level = closes[0]\n"
        "    for close in closes:\n"
        "        level += (close - level) * 2 / ({n} + 1)\n"
        "    return closes[-1] / level - 1\n",
    ),
    "all that was loaded": (
        "def score_of(candles):\n"
        "    closes = [float(candle.close) for candle in candles]\n"
        "    return closes[-1] * len(closes) / sum(closes) - 1\n",
        "def score_of(candles):\n"
        "    closes = [float(candle.close) for candle in candles[-{n}:]]\n"
        "    return closes[-1] * len(closes) / sum(closes) - 1\n",
    ),
    "memory": (
        "SEEN = []\n\n\n"
        "def score_of(candles):\n"
        "    SEEN.append(float(candles[-1].close))\n"
        "    return SEEN[-1] * len(SEEN) / sum(SEEN) - 1\n",
        "def score_of(candles):\n"
        "    seen = [float(candle.close) for candle in candles[-{n}:]]\n"
        "    return seen[-1] * len(seen) / sum(seen) - 1\n",
    ),
    "chance": (
        "import random\n\n\ndef score_of(candles):\n    return random.uniform(-0.02, 0.02)\n",
        "def score_of(candles):\n    return (int(candles[-1].volume * 100) % 41 - 20) / 1000\n",
    ),
    "caller's candles": (
        "import sys\n\n\n"
        "def score_of(candles):\n"
        "    frame = sys._getframe(1)\n"
        "    while frame is not None:\n"
        "        for value in list(frame.f_locals.values()):\n"
        "            known = getattr(value, 'candles', None)\n"
        "            for series in known if isinstance(known, list) else ():\n"
        "                later = [one for one in series if one.time > candles[-1].time]\n"
        "                if later:\n"
        "                    return float(later[0].close / candles[-1].close) - 1\n"
        "        frame = frame.f_back\n"
        "    return 0.0\n",
        "def score_of(candles):\n    return float(candles[-1].close / candles[-2].close) - 1\n",
    ),
}
KINDS = (*_BODIES, *_FRAMES, *_OWN)


def corpus(*, pairs: int, seed: int, kinds: tuple[str, ...] = KINDS) -> Iterator[Case]:
    """`pairs` leaks of each kind, each followed by its clean twin."""
    for kind in kinds:
        for number in range(pairs):
            source = random.Random(f"{seed}/{kind}/{number}")
            make = _maker(kind, source)
            candles = random_candles(source, count=source.choice((300, 360, 420)))
            for leaks in (True, False):
                yield Case(
                    kind=kind,
                    number=number,
                    leaks=leaks,
                    files={"strategy.py": make(leaks).encode(), "sample.csv": candles.encode()},
                )


def random_candles(source: random.Random, *, count: int) -> str:
    """Hourly candles of a random walk with changing drift and width, as CSV."""
    lines, price = ["time,open,high,low,close,volume"], source.choice((0.5, 20.0, 100.0, 30_000.0))
    drift, width = 0.0, 0.008
    for number in range(count):
        if number % 60 == 0:
            drift, width = source.uniform(-0.002, 0.002), source.uniform(0.004, 0.014)
        opening = price
        price *= 1 + drift + source.gauss(0, width)
        high = max(opening, price) * (1 + abs(source.gauss(0, width / 3)))
        low = min(opening, price) * (1 - abs(source.gauss(0, width / 3)))
        day, hour = divmod(number, 24)
        time = f"2024-{1 + day // 28:02}-{1 + day % 28:02}T{hour:02}:00:00Z"
        cells = ",".join(f"{value:.6g}" for value in (opening, high, low, price))
        lines.append(f"{time},{cells},{100_000 * (1 + abs(source.gauss(0, 0.5))):.2f}")
    return "\n".join(lines) + "\n"


def _maker(kind: str, source: random.Random) -> Callable[[bool], str]:
    """Writes the strategy of a kind; leak and twin share every number."""
    holes = {"k": source.randint(1, 5), "n": source.randint(8, 30), "b": source.choice((4, 6, 12, 24))}
    edge = source.choice((0.0, 0.001, 0.002, 0.004))
    mirrored = source.random() < 0.3
    enter, leave = (f"> {edge}", f"< -{edge}") if not mirrored else (f"< -{edge}", f"> {edge}")
    shown = source.random() < 0.5
    needed = holes["n"] if kind in _OWN else source.choice((2, 10, 20))

    def write(leaks: bool) -> str:
        place = 0 if leaks else 1
        if kind in _BODIES:
            imports, body = _FILE_IMPORTS, _FILE + _BODIES[kind][place].format(**holes) + _LOOK_UP
        elif kind in _FRAMES:
            imports = "from pathlib import Path\n\nimport pandas as pd"
            body = _FRAME.format(body=_FRAMES[kind][place].format(**holes))
        else:
            imports, body = "", "\n" + _OWN[kind][place].format(**holes)
        values = "{'score': round(score, 9)} if score is not None else {}" if shown else "{}"
        decide = _DECIDE.format(needed=needed, enter=enter, leave=leave, values=values)
        return VALUES + _HEAD.format(imports=imports, needed=needed) + body + "\n" + decide

    return write
