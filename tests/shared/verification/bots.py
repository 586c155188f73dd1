"""Small bots of no form of ours: one file that replays candles, honest but for what is planted in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from shared.tools.templates.sample import sample_csv

CONFIG = """\
name: planted-bot
description: A bot with something planted in it
version: 1.0.0
author: tests
type: scheduled
runtime: python3.11
entrypoints:
  bot: main.py
schema:
  bot: bot-schema.json
readme: README.md
"""
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"symbol": {"type": "string", "default": "BTC/USDT"}},
}
README = "# Planted bot\n\nIt replays the candles of sample.csv and says what it would have done.\n"
TESTS = "def test_adds() -> None:\n    assert 1 + 1 == 2\n"
MAIN = '''"""Replays sample.csv: buys above the mean of the last candles, sells below it."""

import csv
from pathlib import Path

from the0 import metric, parse, success
{imports}

def read() -> list[dict[str, str]]:
    text = Path(__file__).with_name("sample.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def main() -> None:
    bot_id, config = parse()
    rows = read()
    times = [row["time"] for row in rows]
    opens = [float(row["open"]) for row in rows]
    closes = [float(row["close"]) for row in rows]
    held = False
{before}
    for i in range(20, len(rows)):
        score = {score}
        metric("price", {{"market_time": times[i], "value": closes[i], "score": score}})
        if not held and score > 0.01:
            held = True
            metric("signal", {{"type": "BUY", "market_time": times[i], "price": {price}}})
        elif held and score < 0:
            held = False
            metric("signal", {{"type": "SELL", "market_time": times[i], "price": {price}}})
{after}


if __name__ == "__main__":
    main()
'''
_HONEST = "closes[i] / mean(closes[i - 19 : i + 1]) - 1"
_DONE = '    success("Replayed", {"candles": len(rows)})'


def free_bot(
    *,
    score: str = _HONEST,
    before: str = "",
    after: str = _DONE,
    imports: str = "",
    price: str = "closes[i]",
    more: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """The bot with these pieces in it; `more` are files beside or in place of its own."""
    main = MAIN.format(score=score, before=before, after=after, imports=imports, price=price)
    texts = {
        "main.py": main,
        "bot-config.yaml": CONFIG,
        "bot-schema.json": json.dumps(SCHEMA),
        "README.md": README,
        "tests/test_bot.py": TESTS,
        "sample.csv": sample_csv(minutes=60, start_price=Decimal(100)),
        **(more or {}),
    }
    return {name: text.encode() for name, text in texts.items()}
