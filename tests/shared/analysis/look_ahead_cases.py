"""Code that looks into the future, and its clean twins."""

from __future__ import annotations

from tests.shared.analysis.trading_cases import Case

LOOK_AHEAD = (
    Case(
        "shift",
        "look-ahead-shift",
        2,
        """def f(df):
    return df["close"].shift(-1) > df["close"]
""",
    ),
    Case(
        "shift-periods",
        "look-ahead-shift",
        2,
        """def f(closes):
    return closes.shift(periods=-3)
""",
    ),
    Case(
        "pct-change",
        "look-ahead-shift",
        2,
        """def f(df):
    return df.close.pct_change(-1)
""",
    ),
    Case(
        "roll",
        "look-ahead-shift",
        4,
        """import numpy as np

def f(x):
    return np.roll(x, -1)
""",
    ),
    Case(
        "roll-keyword",
        "look-ahead-shift",
        4,
        """import numpy as np

def f(x):
    return np.roll(x, shift=-2)
""",
    ),
    Case(
        "future-as-signal",
        "look-ahead-shift",
        3,
        """def f(df, model):
    model.fit(df)
    df["signal"] = df["close"].shift(-1)
    return df
""",
    ),
    Case(
        "shift-back",
        "look-ahead-shift",
        0,
        """def f(df):
    return df["close"].shift(1) < df["close"].shift()
""",
    ),
    Case(
        "roll-back",
        "look-ahead-shift",
        0,
        """import numpy as np

def f(x):
    return np.roll(x, 1)
""",
    ),
    Case(
        "roll-dice",
        "look-ahead-shift",
        0,
        """def f(dice):
    return dice.roll(-1, -2)
""",
    ),
    Case(
        "label-to-learn",
        "look-ahead-shift",
        0,
        """def f(df, model):
    df["target"] = df["close"].shift(-1)
    return model.fit(df.drop("target"), df["target"])
""",
    ),
    Case(
        "next-candle",
        "look-ahead-index",
        4,
        """def f(closes):
    signals = []
    for i in range(len(closes) - 1):
        if closes[i + 1] > closes[i]:
            signals.append(i)
    return signals
""",
    ),
    Case(
        "next-row",
        "look-ahead-index",
        3,
        """def f(df):
    for i in range(len(df) - 1):
        if df["close"].iloc[i + 1] > 5:
            return i
    return -1
""",
    ),
    Case(
        "next-in-comprehension",
        "look-ahead-index",
        2,
        """def f(prices):
    return [1 if prices[i + 2] > p else -1 for i, p in enumerate(prices)]
""",
    ),
    Case(
        "difference-that-decides",
        "look-ahead-index",
        4,
        """def f(closes):
    position = 0.0
    for i in range(len(closes) - 1):
        position += closes[i + 1] - closes[i]
    return position
""",
    ),
    Case(
        "differences-of-neighbours",
        "look-ahead-index",
        0,
        """def f(closes):
    return [closes[i + 1] - closes[i] for i in range(len(closes) - 1)]
""",
    ),
    Case(
        "gains-for-rsi",
        "look-ahead-index",
        0,
        """def f(closes):
    gains = 0.0
    for i in range(len(closes) - 1):
        gains += max(closes[i + 1] - closes[i], 0.0)
    return gains
""",
    ),
    Case(
        "fill-at-next-open",
        "look-ahead-index",
        0,
        """def f(candles, decide):
    fills = []
    for i in range(len(candles) - 1):
        if decide(candles[: i + 1]) == "buy":
            following = candles[i + 1]
            fills.append((following.time, following.open))
            fills.append(candles[i + 1].open)
    return fills
""",
    ),
    Case(
        "grid-levels",
        "look-ahead-index",
        0,
        """def f(levels):
    return any(levels[i + 1] < levels[i] for i in range(len(levels) - 1))
""",
    ),
    Case(
        "past-index",
        "look-ahead-index",
        0,
        """def f(closes):
    return [closes[i - 1] for i in range(1, 9)]
""",
    ),
    Case(
        "store-ahead",
        "look-ahead-index",
        0,
        """def f(prices):
    for i in range(9):
        prices[i + 1] = prices[i] * 2
    return prices
""",
    ),
    Case(
        "z-score",
        "look-ahead-normalisation",
        2,
        """def f(s):
    return (s - s.mean()) / s.std()
""",
    ),
    Case(
        "z-score-column",
        "look-ahead-normalisation",
        2,
        """def f(df):
    return (df["close"] - df["close"].mean()) / (df["close"].std() + 1e-9)
""",
    ),
    Case(
        "min-max",
        "look-ahead-normalisation",
        4,
        """import numpy as np

def f(c):
    return (c - np.min(c)) / (np.max(c) - np.min(c))
""",
    ),
    Case(
        "z-score-in-steps",
        "look-ahead-normalisation",
        4,
        """def f(closes):
    mean = closes.mean()
    deviation = closes.std()
    return (closes - mean) / deviation
""",
    ),
    Case(
        "rolling-z-score",
        "look-ahead-normalisation",
        0,
        """def f(s):
    return (s - s.rolling(20).mean()) / s.rolling(20).std()
""",
    ),
    Case(
        "window-z-score",
        "look-ahead-normalisation",
        0,
        """def f(closes):
    part = closes[-20:]
    return (part - part.mean()) / part.std()
""",
    ),
    Case(
        "applied-z-score",
        "look-ahead-normalisation",
        0,
        """def z(s):
    return (s - s.mean()) / s.std()

def f(s):
    return s.rolling(20).apply(z)
""",
    ),
    Case(
        "last-of-window",
        "look-ahead-normalisation",
        0,
        """def f(window):
    return (window[-1] - window.mean()) / window.std()
""",
    ),
    Case(
        "centred",
        "look-ahead-centred-window",
        2,
        """def f(s):
    return s.rolling(5, center=True).mean()
""",
    ),
    Case(
        "not-centred",
        "look-ahead-centred-window",
        0,
        """def f(s):
    return s.rolling(5, center=False).mean()
""",
    ),
    Case(
        "bfill",
        "look-ahead-backfill",
        2,
        """def f(df):
    return df.bfill()
""",
    ),
    Case(
        "fillna-bfill",
        "look-ahead-backfill",
        2,
        """def f(df):
    return df.fillna(method="bfill")
""",
    ),
    Case(
        "interpolate",
        "look-ahead-backfill",
        2,
        """def f(s):
    return s.interpolate(limit_direction="both")
""",
    ),
    Case(
        "ffill",
        "look-ahead-backfill",
        0,
        """def f(df):
    return df.ffill().fillna(0).interpolate(limit=2)
""",
    ),
)
