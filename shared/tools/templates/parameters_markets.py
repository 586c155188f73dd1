"""Parameters of the strategies that trade several markets: pairs, a rotating basket, spot and perpetual."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator, model_validator

from shared.tools.templates.parameters import (
    TIMEFRAME_MINUTES,
    BotParameters,
    Money,
    Timeframe,
    write_symbol,
)

MOST_MARKETS = 20
SPOT_PATTERN = r"^[A-Za-z0-9.]{1,20}/[A-Za-z0-9.]{1,20}$"
PERPETUAL_PATTERN = r"^[A-Za-z0-9.]{1,20}/[A-Za-z0-9.]{1,20}:[A-Za-z0-9.]{1,20}$"
_EIGHT_HOURS = 480


def _as_perpetual(symbol: str) -> str:
    """`ETH/USDT` as its linear perpetual `ETH/USDT:USDT`; a perpetual unchanged."""
    if re.match(SPOT_PATTERN, symbol):
        symbol = f"{symbol}:{symbol.split('/')[1]}"
    if not re.match(PERPETUAL_PATTERN, symbol):
        raise ValueError("must be a perpetual as ccxt writes it, for example ETH/USDT:USDT")
    return symbol


def _as_spot(symbol: str) -> str:
    """The spot market of a perpetual; a spot market unchanged."""
    symbol = symbol.split(":", maxsplit=1)[0]
    if not re.match(SPOT_PATTERN, symbol):
        raise ValueError("must be a spot market as ccxt writes it, for example BTC/USDT")
    return symbol


def _as_list(value: Any) -> Any:
    """Symbols of a list or of a text with commas or spaces, joined by commas."""
    if isinstance(value, str):
        value = re.split(r"[,\s]+", value.strip(", \n"))
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return ",".join(dict.fromkeys(write_symbol(one) for one in value))
    return value


Lost = Annotated[Decimal, Field(ge=Decimal("0.01"), le=100, decimal_places=6)]
Stop = Annotated[Decimal, Field(ge=Decimal("0.1"), le=90, decimal_places=6)]
Share = Annotated[Decimal, Field(ge=Decimal("0.1"), le=100, decimal_places=6)]
Perpetual = Annotated[str, AfterValidator(_as_perpetual)]

_BOTH_LEGS = "close both legs when together they have lost this many per cent; null for no stop"
_BOTH_TARGET = "close both legs when together they have won this many per cent; null for no target"
_TRADES = "most openings in each market in one UTC day"


class PairsArbitrageParameters(BotParameters):
    """Two perpetuals whose prices go together: long the cheap one, short the dear one."""

    symbol: Perpetual = Field("ETH/USDT:USDT", description="first perpetual, as ccxt writes it")
    second_symbol: Perpetual = Field("BTC/USDT:USDT", description="second perpetual, which hedges the first")
    lookback: int = Field(100, ge=30, le=500, description="candles over which the two are compared")
    entry_z: float = Field(
        2.0,
        ge=0.5,
        le=4,
        allow_inf_nan=False,
        description="open when the spread is this many standard deviations away from its mean",
    )
    exit_z: float = Field(
        0.5,
        ge=0,
        le=3.5,
        allow_inf_nan=False,
        description="close when the spread is back within this many standard deviations",
    )
    stop_z: float | None = Field(
        4.0,
        ge=1,
        le=10,
        allow_inf_nan=False,
        description="close beyond this many standard deviations: the two part; null for never",
    )
    amount: Money = Field(Decimal(1000), description="worth of the first leg, in the quote currency")
    risk_per_trade_pct: Lost = Field(
        Decimal(2), description="most of the account that one leg may lose when its stop is hit, in per cent"
    )
    stop_loss_pct: Stop | None = Field(Decimal(10), description=_BOTH_LEGS)
    take_profit_pct: Annotated[Decimal, Field(ge=Decimal("0.1"), le=1000, decimal_places=6)] | None = Field(
        None, description=_BOTH_TARGET
    )
    max_position_pct: Share = Field(
        Decimal(20), description="largest share of the account in one leg, in per cent"
    )
    max_trades_per_day: int = Field(5, ge=1, le=200, description=_TRADES)

    @field_validator("second_symbol", mode="before")
    @classmethod
    def _write_second(cls, value: Any) -> Any:
        return write_symbol(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _thresholds_are_in_order(self) -> PairsArbitrageParameters:
        if self.symbol == self.second_symbol:
            raise ValueError("second_symbol must be another market than symbol")
        if self.exit_z >= self.entry_z:
            raise ValueError("exit_z must be less than entry_z")
        if self.stop_z is not None and self.stop_z <= self.entry_z:
            raise ValueError("stop_z must be greater than entry_z")
        return self


class MomentumRotationParameters(BotParameters):
    """A basket of markets, of which the strongest are held."""

    other_symbols: str = Field(
        "ETH/USDT,SOL/USDT,ADA/USDT",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,49}(,[A-Za-z0-9][A-Za-z0-9._/:-]{0,49}){0,18}$",
        description="the basket's further markets, with commas",
    )
    timeframe: Timeframe = Field("1d", description="length of one candle")
    momentum_period: int = Field(90, ge=2, le=365, description="candles over which the rise is measured")
    top_count: int = Field(3, ge=1, le=MOST_MARKETS - 1, description="how many of the strongest are held")
    interval_hours: int = Field(720, ge=1, le=8760, description="hours between two rotations")
    min_momentum_pct: Decimal = Field(
        Decimal(0),
        ge=-90,
        le=1000,
        decimal_places=6,
        description="hold only what has risen more than this, in per cent; the rest stays cash",
    )
    risk_per_trade_pct: Lost = Field(
        Decimal(5), description="most of the account that one buy may lose when its stop is hit, in per cent"
    )
    stop_loss_pct: Stop | None = Field(
        Decimal(15), description="sell a market this many per cent below its entry price; null for no stop"
    )
    max_position_pct: Share = Field(
        Decimal(33),
        description="share of the account in each market held, in per cent; top_count of them fit into it",
    )
    max_trades_per_day: int = Field(5, ge=1, le=200, description=_TRADES)

    @model_validator(mode="before")
    @classmethod
    def _shares_by_count(cls, given: Any) -> Any:
        """Equal shares for the count that was chosen, unless a share was chosen too."""
        count = given.get("top_count") if isinstance(given, dict) else None
        if isinstance(count, int) and 0 < count < MOST_MARKETS and "max_position_pct" not in given:
            return {**given, "max_position_pct": Decimal(100 // count)}
        return given

    @field_validator("other_symbols", mode="before")
    @classmethod
    def _write_others(cls, value: Any) -> Any:
        return _as_list(value)

    @model_validator(mode="after")
    def _basket_fits(self) -> MomentumRotationParameters:
        others = self.other_symbols.split(",")
        if self.symbol in others:
            raise ValueError("other_symbols must not hold symbol")
        if self.top_count > len(others):
            raise ValueError("top_count must be less than the number of markets, or nothing is ever chosen")
        if self.max_position_pct * self.top_count > 100:
            raise ValueError("max_position_pct times top_count must be at most 100")
        if self.interval_hours * 60 < TIMEFRAME_MINUTES[self.timeframe]:
            raise ValueError("interval_hours must be at least as long as one candle of the timeframe")
        return self


class FundingCarryParameters(BotParameters):
    """Long the coin on the spot market, short its perpetual: the price cancels, the funding stays."""

    symbol: str = Field("BTC/USDT", description="spot market; its perpetual (BTC/USDT:USDT) is the other leg")
    timeframe: Timeframe = Field("8h", description="length of one candle, at most 8h")
    entry_funding_pct: Decimal = Field(
        Decimal("0.01"),
        ge=0,
        le=5,
        decimal_places=6,
        description="open when the mean funding rate is above this, in per cent a settlement",
    )
    exit_funding_pct: Decimal = Field(
        Decimal(0),
        ge=-5,
        le=5,
        decimal_places=6,
        description="close when the mean funding rate is below this, in per cent a settlement",
    )
    funding_period: int = Field(9, ge=1, le=300, description="candles whose settled rates are averaged")
    amount: Money = Field(Decimal(2000), description="worth of each leg, in the quote currency")
    risk_per_trade_pct: Lost = Field(
        Decimal(50), description="most of the account that one leg may lose; without a stop, all of the leg"
    )
    stop_loss_pct: Stop | None = Field(None, description=_BOTH_LEGS)
    take_profit_pct: Annotated[Decimal, Field(ge=Decimal("0.1"), le=1000, decimal_places=6)] | None = Field(
        None, description=_BOTH_TARGET
    )
    max_position_pct: Share = Field(
        Decimal(45), description="largest share of the account in one leg, in per cent"
    )
    max_trades_per_day: int = Field(5, ge=1, le=200, description=_TRADES)

    @field_validator("symbol")
    @classmethod
    def _spot_leg(cls, value: str) -> str:
        return _as_spot(value)

    @model_validator(mode="after")
    def _thresholds_are_in_order(self) -> FundingCarryParameters:
        if self.exit_funding_pct >= self.entry_funding_pct:
            raise ValueError("exit_funding_pct must be less than entry_funding_pct")
        if TIMEFRAME_MINUTES[self.timeframe] > _EIGHT_HOURS:
            raise ValueError("timeframe must be at most 8h: a longer candle holds several settlements")
        return self


__all__ = [
    "FundingCarryParameters",
    "MOST_MARKETS",
    "MomentumRotationParameters",
    "PERPETUAL_PATTERN",
    "PairsArbitrageParameters",
    "SPOT_PATTERN",
]
