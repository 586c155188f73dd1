"""Parameters of the strategies that steer how much is held: volatility targeting and market making."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, model_validator

from shared.tools.templates.parameters import BotParameters, Money, Timeframe


class VolatilityTargetingParameters(BotParameters):
    """Volatility targeting: the more the market swings, the less of it is held."""

    timeframe: Timeframe = Field("1d", description="length of one candle")
    target_volatility_pct: Decimal = Field(
        Decimal(20),
        ge=1,
        le=300,
        decimal_places=6,
        description="volatility that the position is to have, in per cent a year",
    )
    volatility_period: int = Field(30, ge=5, le=365, description="candles over which volatility is measured")
    rebalance_band_pct: Decimal = Field(
        Decimal(10),
        ge=Decimal("0.1"),
        le=90,
        decimal_places=6,
        description="trade only when the position is this far from its target, in per cent of the amount",
    )
    amount: Money = Field(
        Decimal(10000), description="worth of the position at the target or less, in the quote currency"
    )
    risk_per_trade_pct: Decimal = Field(
        Decimal(100),
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


class MarketMakingParameters(BotParameters):
    """Market making: a buy quote below the price and a sell quote above it, within an inventory limit."""

    spread_pct: Decimal = Field(
        Decimal("0.2"),
        ge=Decimal("0.01"),
        le=20,
        decimal_places=6,
        description="distance between the buy and the sell quote, in per cent of the price",
    )
    amount: Money = Field(Decimal(100), description="size of each quote, in the quote currency")
    max_inventory: Money = Field(
        Decimal(500), description="most that may be held in the market, in the quote currency"
    )
    inventory_skew: Decimal = Field(
        Decimal("0.5"),
        ge=0,
        le=1,
        decimal_places=6,
        description="how far both quotes go down at full inventory, as a share of half the spread",
    )
    stop_loss_pct: Decimal | None = Field(
        Decimal(5),
        ge=Decimal("0.1"),
        le=90,
        decimal_places=6,
        description="sell everything this many per cent below the average entry price; null for no stop",
    )
    max_trades_per_day: int = Field(200, ge=1, le=2000, description="most buys in one UTC day")

    @model_validator(mode="after")
    def _a_quote_fits_the_inventory(self) -> MarketMakingParameters:
        if self.amount > self.max_inventory:
            raise ValueError("amount must be at most max_inventory")
        return self


__all__ = ["MarketMakingParameters", "VolatilityTargetingParameters"]
