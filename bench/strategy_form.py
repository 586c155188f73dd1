"""The values that a bot's strategy.py defines, as text: the beginning of generated strategies."""

VALUES = """
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Candle:
    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    funding_rate: Decimal = Decimal(0)


@dataclass(frozen=True)
class Holding:
    quantity: Decimal = Decimal(0)
    entry_price: Decimal = Decimal(0)
    last_price: Decimal = Decimal(0)
    last_buy_time: int = 0


@dataclass(frozen=True)
class Quote:
    side: str
    price: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Signal:
    action: str
    reason: str
    amount: Decimal | None = None
    share: Decimal = Decimal(1)
    values: dict = field(default_factory=dict)
    quotes: tuple = ()

"""
