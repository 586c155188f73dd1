"""Twenty bad strategies of our form in whole bots, each with the rule that must reject it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bench.honesty_corpus import corpus
from tests.shared.backtest.bots import FOLLOW, bot
from tests.shared.backtest.planted import CHURNING, DATES_BY_HEART, WAVES, lucky_bot
from tests.shared.backtest.rows import candles_csv
from tests.shared.verification.bad_bots import Bad
from tests.shared.verification.bots import CONFIG, README, SCHEMA, TESTS

# Replays as the templates do: what is decided on one candle is traded at the opening of the next.
_MAIN = '''"""Replays sample.csv with the strategy."""

import csv
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from strategy import Candle, Holding, candles_needed, decide
from the0 import metric, parse, success


def read() -> list[Candle]:
    rows = csv.DictReader(Path(__file__).with_name("sample.csv").read_text(encoding="utf-8").splitlines())
    names = ("open", "high", "low", "close", "volume")
    return [Candle(moment(row["time"]), *(Decimal(row[name]) for name in names)) for row in rows]


def moment(text: str) -> int:
    if text.isdigit():
        return int(text)
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def main() -> None:
    bot_id, config = parse()
    parameters, candles = SimpleNamespace(**config), read()
    needed, holding, decided = candles_needed(parameters), Holding(), None
    for place, candle in enumerate(candles):
        if decided is not None and decided.action == "buy" and not holding.quantity:
            holding = Holding(Decimal(1), candle.open, candle.open, candle.time)
        elif decided is not None and decided.action == "sell":
            holding = Holding(Decimal(0), Decimal(0), candle.open, holding.last_buy_time)
        decided = decide(candles[max(0, place + 1 - needed) : place + 1], parameters, holding)
        if decided.action != "hold":
            price = float(candle.close)
            metric("signal", {"type": decided.action, "market_time": candle.time, "price": price})
    success("Replayed", {"candles": len(candles)})


if __name__ == "__main__":
    main()
'''
_WAVES = candles_csv(WAVES)
_LEAKS = {
    "a shift": "shift",
    "a shift behind a filter": "filtered shift",
    "a centred window": "centred window",
    "a z-score of the whole series": "whole-series z-score",
    "between the lowest and the highest ever": "whole-series min-max",
    "an hour that knows its day's close": "resampled close",
    "an hour that knows its day's high": "resampled high",
    "today's close at today's open": "close at the open",
    "filled backwards": "backward fill",
    "a shift in pandas": "pandas shift",
    "normalised in pandas": "pandas normalised",
    "resampled in pandas": "pandas resampled",
}
_FAULTY = """
    if len(candles) == 2 and candles[-1].time % 360000000 == 0:
        {fault}
"""


def form_bot(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """A whole bot around a strategy; the files may bring their own candles and schema."""
    texts = {
        "main.py": _MAIN,
        "bot-config.yaml": CONFIG,
        "bot-schema.json": json.dumps(SCHEMA),
        "README.md": README,
        "tests/test_bot.py": TESTS,
    }
    return {**{name: text.encode() for name, text in texts.items()}, "sample.csv": _WAVES, **files}


def _faulty(fault: str) -> dict[str, bytes]:
    head, body = FOLLOW.split("\n", 2)[1:]
    return form_bot(bot(f"\n{head}{_FAULTY.format(fault=fault)}{body}"))


def _leak(kind: str) -> dict[str, bytes]:
    return form_bot(next(case.files for case in corpus(pairs=1, seed=1, kinds=(kind,)) if case.leaks))


BAD_STRATEGIES = (
    *(Bad(name, "look-ahead", _leak(kind)) for name, kind in _LEAKS.items()),
    Bad("a memory of its own", "repeatable", _leak("memory")),
    Bad("dates known by heart", "calendar", form_bot(bot(DATES_BY_HEART))),
    Bad("fitted to its candles", "over-fitting", form_bot(lucky_bot())),
    Bad("trading as if it were free", "costs", form_bot(bot(CHURNING))),
    Bad("a crash on some days", "crashes", _faulty("raise KeyError(candles[-1].time)")),
    Bad("secrets told", "leaks-secrets", _faulty("import os; print(dict(os.environ))")),
    Bad("a loop without an end", "does-not-end", _faulty("while True: pass")),
    Bad(
        "memory without an end", "too-much-memory", _faulty("hoard = [bytearray(2 ** 26) for _ in range(99)]")
    ),
)
