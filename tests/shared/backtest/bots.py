"""Small bots of our form, in Python and in JavaScript."""

from __future__ import annotations

from bench.strategy_form import VALUES

HEAD = (
    VALUES
    + """
def candles_needed(parameters):
    return 2

"""
)

# Buys after a rise, sells after a fall.
FOLLOW = """
def decide(candles, parameters, holding=Holding()):
    if len(candles) < 2:
        return Signal("hold", "not enough candles")
    rise = candles[-1].close - candles[-2].close
    if holding.quantity == 0 and rise > 0:
        return Signal("buy", "rose", amount=Decimal(1000))
    if holding.quantity > 0 and rise < 0:
        return Signal("sell", "fell")
    return Signal("hold", "nothing")
"""
FOLLOW_JS = """
export const candlesNeeded = () => 2;

export function decide(candles, parameters, holding) {
  const hold = (reason) => ({ action: "hold", reason });
  if (candles.length < 2) return hold("not enough candles");
  const rise = candles.at(-1).close - candles.at(-2).close;
  if (holding.quantity === 0 && rise > 0) return { action: "buy", reason: "rose", amount: 1000 };
  if (holding.quantity > 0 && rise < 0) return { action: "sell", reason: "fell" };
  return hold("nothing");
}
"""
# A stop of 5% and a target of 10%, and never more than 2,000 in a position.
RISK = """
from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Account:
    cash: Decimal
    quantity: Decimal = Decimal(0)
    entry_price: Decimal = Decimal(0)


def exit_reason(account, parameters, price):
    if account.quantity == 0:
        return None
    if price <= account.entry_price * Decimal("0.95"):
        return "stop loss"
    return "take profit" if price >= account.entry_price * Decimal("1.1") else None


def buy_budget(account, parameters, price, wanted, time_ms):
    return min(Decimal(2000) if wanted is None else wanted, Decimal(2000) - account.quantity * price)
"""


def bot(decide: str, **more: str) -> dict[str, bytes]:
    """A Python bot: strategy.py and further modules by name."""
    files = {"strategy.py": (HEAD + decide).encode()}
    return files | {f"{name}.py": text.encode() for name, text in more.items()}
