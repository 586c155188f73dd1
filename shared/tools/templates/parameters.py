"""The typed parameters of each bot strategy: names, limits, defaults, and the rules between them.

Periods count candles, `_pct` fields are per cent (1 is one per cent), amounts and prices are in the quote
currency. Prices, amounts and percentages that meet money are Decimal, indicator thresholds are float.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

Timeframe = Literal[
    "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w"
]  # fmt: skip

TIMEFRAME_MINUTES: dict[str, int] = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360,
    "8h": 480, "12h": 720, "1d": 1440, "3d": 4320, "1w": 10080,
}  # fmt: skip

SYMBOL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,49}$"
EXCHANGE_PATTERN = r"^[a-z][a-z0-9]{1,29}$"


def _few_digits(value: Decimal) -> Decimal:
    """The value, when it survives the way through a JSON number, which holds fifteen digits."""
    if len(value.normalize().as_tuple().digits) > 15:
        raise ValueError("must have at most 15 digits")
    return value


Money = Annotated[Decimal, Field(ge=Decimal("0.00000001"), le=Decimal(10**12)), AfterValidator(_few_digits)]

# Longest first, so that BTCUSDT is split before USDT's last letters can be taken for a shorter quote.
_QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "USD", "EUR", "GBP", "JPY", "BTC", "ETH")
_CRON_FIELD = re.compile(r"^[0-9*][0-9*,/-]*$")


class BotParameters(BaseModel):
    """What every strategy takes; a strategy's model adds its own fields and may change defaults."""

    # Validators are built on first use: six models at import would cost every cold start.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)

    symbol: str = Field("BTC/USDT", description="market to trade, as ccxt writes it (BTC/USDT)")
    exchange: str = Field("binance", pattern=EXCHANGE_PATTERN, description="ccxt id of the exchange")
    timeframe: Timeframe = Field("1h", description="length of one candle")
    risk_per_trade_pct: Decimal = Field(
        Decimal(1),
        ge=Decimal("0.01"),
        le=100,
        decimal_places=6,
        description="most of the account that one trade may lose when its stop is hit, in per cent",
    )
    stop_loss_pct: Decimal | None = Field(
        Decimal(3),
        ge=Decimal("0.1"),
        le=90,
        decimal_places=6,
        description="sell everything this many per cent below the entry price; null for no stop",
    )
    take_profit_pct: Decimal | None = Field(
        None,
        ge=Decimal("0.1"),
        le=1000,
        decimal_places=6,
        description="sell everything this many per cent above the entry price; null for no target",
    )
    max_position_pct: Decimal = Field(
        Decimal(20),
        ge=Decimal("0.1"),
        le=100,
        decimal_places=6,
        description="largest share of the account that may be held in the market, in per cent",
    )
    max_trades_per_day: int = Field(5, ge=1, le=200, description="most buys in one UTC day")
    paper_balance: Money = Field(
        Decimal(10000), description="starting balance when no real orders are placed, in the quote currency"
    )
    poll_seconds: int = Field(
        30, ge=5, le=3600, description="seconds between two looks at the market (realtime bots)"
    )
    live_trading: bool = Field(False, description="place real orders; off unless the instance turns it on")
    schedule: str | None = Field(
        None, description="cron expression of five fields for scheduled bots; by timeframe when null"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _read_plainly(cls, value: Any, info: Any) -> Any:
        """Takes `2%` for 2, and no truth value for a number."""
        if isinstance(value, bool) and info.field_name != "live_trading":
            raise ValueError("must not be true or false")
        if isinstance(value, str) and re.fullmatch(r"\s*[0-9.]+\s*%\s*", value):
            return value.strip().rstrip("%").strip()
        return value

    @field_validator("symbol")
    @classmethod
    def _write_as_ccxt(cls, value: str) -> str:
        return write_symbol(value)

    @field_validator("exchange", mode="before")
    @classmethod
    def _lower_exchange(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("schedule")
    @classmethod
    def _five_fields(cls, value: str | None) -> str | None:
        if value is None:
            return None
        fields = value.split()
        if len(fields) != 5 or not all(_CRON_FIELD.match(field) for field in fields):
            raise ValueError("must be a cron expression of five fields of digits and * , / -")
        return " ".join(fields)


class RsiMomentumParameters(BotParameters):
    """RSI: buys when it is low, sells when it is high."""

    rsi_period: int = Field(14, ge=2, le=60, description="candles of the RSI")
    buy_below: float = Field(
        30.0, ge=1, le=98, allow_inf_nan=False, description="buy when the RSI is below this"
    )
    sell_above: float = Field(
        70.0, ge=2, le=99, allow_inf_nan=False, description="sell when the RSI is above this"
    )

    @model_validator(mode="after")
    def _buy_under_sell(self) -> RsiMomentumParameters:
        if self.buy_below >= self.sell_above:
            raise ValueError("buy_below must be less than sell_above")
        return self


class SmaCrossoverParameters(BotParameters):
    """Two simple moving averages: buys when the fast one crosses above the slow one."""

    fast_period: int = Field(10, ge=2, le=300, description="candles of the fast average")
    slow_period: int = Field(30, ge=3, le=500, description="candles of the slow average")

    @model_validator(mode="after")
    def _fast_under_slow(self) -> SmaCrossoverParameters:
        if self.fast_period >= self.slow_period:
            raise ValueError("fast_period must be less than slow_period")
        return self


class MacdTrendParameters(BotParameters):
    """MACD: buys when the line crosses above its signal, sells when it crosses below."""

    fast_period: int = Field(12, ge=2, le=60, description="candles of the fast exponential average")
    slow_period: int = Field(26, ge=3, le=100, description="candles of the slow exponential average")
    signal_period: int = Field(9, ge=2, le=50, description="candles of the signal line's average")
    trend_period: int | None = Field(
        50, ge=2, le=400, description="buy only above the average close of these candles; null for always"
    )

    @model_validator(mode="after")
    def _fast_is_faster(self) -> MacdTrendParameters:
        if self.fast_period >= self.slow_period:
            raise ValueError("fast_period must be less than slow_period")
        return self


class MeanReversionParameters(BotParameters):
    """Bollinger bands: buys below the lower band, sells at the middle or upper band."""

    bollinger_period: int = Field(20, ge=5, le=300, description="candles of the bands")
    bollinger_std: float = Field(
        2.0, ge=0.5, le=5, allow_inf_nan=False, description="width of the bands in standard deviations"
    )
    exit_band: Literal["middle", "upper"] = Field("middle", description="band at which to sell")

    @model_validator(mode="after")
    def _bands_can_be_left(self) -> MeanReversionParameters:
        # Of n values none lies more than sqrt(n - 1) standard deviations from their mean (Samuelson 1968).
        widest = 0.95 * (self.bollinger_period - 1) ** 0.5
        if self.bollinger_std > widest:
            raise ValueError(
                f"bollinger_std must be at most {widest:.2f} for a bollinger_period of "
                f"{self.bollinger_period}: no close can leave wider bands"
            )
        return self


class BreakoutParameters(BotParameters):
    """Donchian channel: buys above the highest high, sells below the lowest low."""

    entry_period: int = Field(20, ge=2, le=300, description="candles whose highest high must be exceeded")
    exit_period: int = Field(10, ge=2, le=300, description="candles whose lowest low must hold")


class DcaParameters(BotParameters):
    """Regular buys of a fixed amount, more after a dip."""

    amount: Money = Field(Decimal(50), description="spent at each regular buy, in the quote currency")
    interval_hours: int = Field(24, ge=1, le=8760, description="hours between two buys")
    dip_pct: Decimal = Field(
        Decimal(5),
        ge=Decimal("0.1"),
        le=90,
        decimal_places=6,
        description="a dip is a price this many per cent below the recent high",
    )
    dip_multiplier: Decimal = Field(
        Decimal(2), ge=1, le=10, decimal_places=6, description="times the amount that is spent in a dip"
    )
    dip_lookback: int = Field(48, ge=2, le=500, description="candles over which the recent high is taken")
    risk_per_trade_pct: Decimal = Field(
        Decimal(5),
        ge=Decimal("0.01"),
        le=100,
        decimal_places=6,
        description="most of the account that one buy may lose; without a stop, all of the buy",
    )
    stop_loss_pct: Decimal | None = Field(
        None,
        ge=Decimal("0.1"),
        le=90,
        decimal_places=6,
        description="sell everything this many per cent below the average entry price; null for no stop",
    )
    max_position_pct: Decimal = Field(
        Decimal(100),
        ge=Decimal("0.1"),
        le=100,
        decimal_places=6,
        description="largest share of the account that may be held in the market, in per cent",
    )

    @model_validator(mode="after")
    def _interval_holds_a_candle(self) -> DcaParameters:
        if self.interval_hours * 60 < TIMEFRAME_MINUTES[self.timeframe]:
            raise ValueError("interval_hours must be at least as long as one candle of the timeframe")
        return self


class GridParameters(BotParameters):
    """Price levels: buys one lot at each level down, sells one at each level up."""

    lower_price: Money | None = Field(None, description="lowest level; give it with upper_price")
    upper_price: Money | None = Field(None, description="highest level; give it with lower_price")
    centre_price: Money | None = Field(
        None, description="middle of the grid when no bounds are given; null follows the average price"
    )
    spacing_pct: Decimal = Field(
        Decimal(1),
        ge=Decimal("0.05"),
        le=50,
        decimal_places=6,
        description="distance between two levels in per cent, when no bounds are given",
    )
    grid_levels: int = Field(10, ge=2, le=100, description="number of levels")
    amount: Money = Field(Decimal(100), description="spent at each level, in the quote currency")
    risk_per_trade_pct: Decimal = Field(
        Decimal(5),
        ge=Decimal("0.01"),
        le=100,
        decimal_places=6,
        description="most of the account that one trade may lose when its stop is hit, in per cent",
    )
    stop_loss_pct: Decimal | None = Field(
        Decimal(10),
        ge=Decimal("0.1"),
        le=90,
        decimal_places=6,
        description="sell everything this many per cent below the average entry price; null for no stop",
    )
    max_position_pct: Decimal = Field(
        Decimal(50),
        ge=Decimal("0.1"),
        le=100,
        decimal_places=6,
        description="largest share of the account that may be held in the market, in per cent",
    )
    max_trades_per_day: int = Field(20, ge=1, le=200, description="most buys in one UTC day")

    @model_validator(mode="after")
    def _bounds_or_centre(self) -> GridParameters:
        if (self.lower_price is None) != (self.upper_price is None):
            raise ValueError("lower_price and upper_price go together: give both or neither")
        if self.lower_price is not None and self.upper_price is not None:
            if self.lower_price >= self.upper_price:
                raise ValueError("lower_price must be less than upper_price")
            if self.centre_price is not None:
                raise ValueError("give either lower_price and upper_price, or centre_price")
        return self


def write_symbol(value: str) -> str:
    """The symbol as ccxt writes it; raises ValueError when it can be none."""
    symbol = value.strip()
    if not re.fullmatch(SYMBOL_PATTERN, symbol):
        raise ValueError(
            "must be 1 to 50 of the characters A-Z a-z 0-9 . _ / : - and begin with a letter or digit, "
            "for example BTC/USDT"
        )
    if symbol == symbol.lower():
        symbol = symbol.upper()
    return symbol if "/" in symbol else _with_slash(symbol)


def _with_slash(symbol: str) -> str:
    """`BTC-USD`, `BTC_USD` and `BTCUSDT` as ccxt writes them; anything else unchanged."""
    pair = re.fullmatch(r"([A-Z0-9]+)[-_]([A-Z]{3,5})", symbol)
    if pair and pair[2] in _QUOTES:
        return f"{pair[1]}/{pair[2]}"
    for quote in _QUOTES:
        base = symbol.removesuffix(quote)
        if base != symbol and len(base) >= 2 and base.isalnum():
            return f"{base}/{quote}"
    return symbol


__all__ = [
    "BotParameters",
    "BreakoutParameters",
    "DcaParameters",
    "EXCHANGE_PATTERN",
    "GridParameters",
    "MacdTrendParameters",
    "MeanReversionParameters",
    "Money",
    "RsiMomentumParameters",
    "SYMBOL_PATTERN",
    "SmaCrossoverParameters",
    "TIMEFRAME_MINUTES",
    "Timeframe",
    "write_symbol",
]
