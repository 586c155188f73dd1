"""Strategies of our form with one fault each, and the candles on which it shows."""

from __future__ import annotations

import json
import math

from tests.shared.backtest.bots import bot
from tests.shared.backtest.rows import HOUR, START

WAVES = [100 + 10 * math.sin(place / 9) + (place * 37 % 11) / 10 for place in range(160)]
_MOMENTS = [START + place * HOUR for place in range(10, 150, 12)]

DATES_BY_HEART = f"""
TIMES = {_MOMENTS}


def decide(candles, parameters, holding=Holding()):
    if candles[-1].time not in TIMES:
        return Signal("hold", "not yet")
    if holding.quantity == 0:
        return Signal("buy", "now", amount=Decimal(1000))
    return Signal("sell", "now")
"""
CHURNING = """
def decide(candles, parameters, holding=Holding()):
    if holding.quantity == 0:
        return Signal("buy", "always")
    return Signal("sell", "always")
"""
# With 20 it rides the first rise and rests; its neighbours buy high and sell low all the time.
_LUCKY = """
def decide(candles, parameters, holding=Holding()):
    place = (candles[-1].time - 1704067200000) // 3600000
    is_lucky = parameters.period == 20
    enters = place == 1 if is_lucky else place % 56 == 14
    leaves = place == 14 if is_lucky else place % 56 == 42
    if holding.quantity == 0 and enters:
        return Signal("buy", "in")
    return Signal("sell", "out") if holding.quantity > 0 and leaves else Signal("hold", "wait")


def unused(parameters):
    return parameters.width
"""
LUCKY_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "period": {"type": "integer", "default": 20},
        "width": {"type": "number", "default": 1},
    },
}


def lucky_bot() -> dict[str, bytes]:
    """A bot whose one parameter works by itself alone; another one moves nothing."""
    return bot(_LUCKY) | {"bot-schema.json": json.dumps(LUCKY_SCHEMA).encode()}
