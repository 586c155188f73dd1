"""The strategies that can be built: titles, words people use for them, and their parameters.

The offline planner reads names, aliases and limits from here to take parameters out of plain English; the
renderer and the tool read the same records, so that there is one description of each parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from shared.tools.templates.aliases import ALIASES
from shared.tools.templates.parameters import (
    BotParameters,
    BreakoutParameters,
    DcaParameters,
    GridParameters,
    MacdTrendParameters,
    MeanReversionParameters,
    RsiMomentumParameters,
    SmaCrossoverParameters,
)
from shared.tools.templates.parameters_markets import (
    FundingCarryParameters,
    MomentumRotationParameters,
    PairsArbitrageParameters,
)
from shared.tools.templates.parameters_sizes import MarketMakingParameters, VolatilityTargetingParameters

StrategyType = Literal[
    "rsi_momentum", "sma_crossover", "mean_reversion", "breakout", "dca", "grid",
    "macd_trend", "pairs_arbitrage", "market_making", "volatility_targeting", "momentum_rotation",
    "funding_carry",
]  # fmt: skip
Language = Literal["python", "nodejs"]
BotType = Literal["scheduled", "realtime"]
Form = Literal["one", "quotes", "several"]
Kind = Literal["integer", "number", "string", "boolean"]
Unit = Literal["per cent", "candles", "quote", "hours", "seconds", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a strategy.

    `aliases` are the words that people put before or after its value, lower case, the most telling first.
    `minimum` and `maximum` are inclusive, None where there is no limit; `choices` is empty where any value
    of the kind goes.
    """

    name: str
    kind: Kind
    nullable: bool
    default: Any
    description: str
    minimum: float | None
    maximum: float | None
    pattern: str | None
    choices: tuple[str, ...]
    unit: Unit
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Strategy:
    """One strategy: `aliases` are lower-case words that name it, `model` checks its parameters.

    `form` says what its bots can do: trade `one` market, rest `quotes` in one, or trade `several` markets.
    """

    name: StrategyType
    title: str
    summary: str
    model: type[BotParameters]
    aliases: tuple[str, ...]
    form: Form = "one"

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Every parameter by name: the strategy's own first, then the common ones."""
        schema = self.model.model_json_schema(schema_generator=_PlainSchema)["properties"]
        common = BotParameters.model_fields
        names = sorted(schema, key=lambda name: name in common)
        defaults = {name: field.default for name, field in self.model.model_fields.items()}
        return {name: _parameter(name, schema[name], defaults[name]) for name in names}

    @property
    def own_parameters(self) -> tuple[str, ...]:
        """The names of the parameters that this strategy has beside the common ones."""
        common = BotParameters.model_fields
        return tuple(name for name in self.model.model_fields if name not in common)


STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy(
            name="rsi_momentum",
            title="RSI momentum",
            summary="buys when the relative strength index is low and sells when it is high",
            model=RsiMomentumParameters,
            aliases=("rsi momentum", "rsi", "relative strength", "oversold", "overbought", "momentum"),
        ),
        Strategy(
            name="sma_crossover",
            title="SMA crossover",
            summary="buys when a fast moving average crosses above a slow one, sells when it crosses below",
            model=SmaCrossoverParameters,
            aliases=(
                "sma crossover", "moving average crossover", "ma crossover", "crossover", "cross over",
                "golden cross", "death cross", "moving averages", "moving average", "sma",
            ),
        ),
        Strategy(
            name="mean_reversion",
            title="Mean reversion",
            summary="buys below the lower Bollinger band and sells at the middle or upper band",
            model=MeanReversionParameters,
            aliases=("mean reversion", "mean-reversion", "mean reverting", "bollinger bands", "bollinger"),
        ),
        Strategy(
            name="breakout",
            title="Breakout",
            summary="buys above the highest high of the Donchian channel and sells below its lowest low",
            model=BreakoutParameters,
            aliases=("breakout", "break-out", "break out", "donchian channel", "donchian", "turtle"),
        ),
        Strategy(
            name="dca",
            title="Dollar-cost averaging",
            summary="buys a fixed amount at regular times, and more after a dip",
            model=DcaParameters,
            aliases=(
                "dollar cost averaging", "dollar-cost averaging", "dca", "cost averaging", "accumulate",
                "accumulation", "savings plan", "recurring buy", "buy regularly",
            ),
        ),
        Strategy(
            name="grid",
            title="Grid",
            summary="buys one lot at each price level down and sells one at each level up",
            model=GridParameters,
            aliases=("grid trading", "grid bot", "grid"),
        ),
        Strategy(
            name="macd_trend",
            title="MACD trend",
            summary="buys when the MACD line crosses above its signal line, sells when it crosses below",
            model=MacdTrendParameters,
            aliases=("macd trend", "macd crossover", "macd", "moving average convergence"),
        ),
        Strategy(
            name="pairs_arbitrage",
            title="Pairs arbitrage",
            summary="buys the cheap and shorts the dear one of two perpetuals whose prices go together",
            model=PairsArbitrageParameters,
            aliases=(
                "pairs arbitrage", "pairs trading", "pair trading", "pairs trade", "pairs bot",
                "statistical arbitrage", "stat arb", "cointegration", "cointegrated",
            ),
            form="several",
        ),
        Strategy(
            name="market_making",
            title="Market making",
            summary="quotes a buy below and a sell above the price, within a limit of inventory",
            model=MarketMakingParameters,
            aliases=(
                "market making", "market-making", "market maker", "make markets", "makes markets",
                "make a market", "bid and ask",
            ),
            form="quotes",
        ),
        Strategy(
            name="volatility_targeting",
            title="Volatility targeting",
            summary="holds more while the market is calm and less while it swings",
            model=VolatilityTargetingParameters,
            aliases=(
                "volatility targeting", "target volatility", "volatility target", "vol targeting",
                "constant volatility", "managed volatility",
            ),
        ),
        Strategy(
            name="momentum_rotation",
            title="Momentum rotation",
            summary="holds the strongest markets of a basket and changes them at regular times",
            model=MomentumRotationParameters,
            aliases=(
                "momentum rotation", "rotation", "rotate", "rotates", "relative momentum", "dual momentum",
                "cross-sectional momentum",
            ),
            form="several",
        ),
        Strategy(
            name="funding_carry",
            title="Funding carry",
            summary="buys the coin and shorts its perpetual while shorts are paid funding",
            model=FundingCarryParameters,
            aliases=(
                "funding carry", "funding rate", "funding arbitrage", "cash and carry", "carry trade",
                "collect funding", "funding",
            ),
            form="several",
        ),
    )
}  # fmt: skip

_UNITS: dict[str, Unit] = {
    "poll_seconds": "seconds",
    "interval_hours": "hours",
    "dip_lookback": "candles",
    "paper_balance": "quote",
    "amount": "quote",
    "max_inventory": "quote",
    "lookback": "candles",
}


def find_strategy(text: str) -> Strategy | None:
    """The strategy that the text names by its longest alias, None when it names none."""
    lowered = text.lower()
    found = [(alias, s) for s in STRATEGIES.values() for alias in s.aliases if alias in lowered]
    return max(found, key=lambda pair: len(pair[0]))[1] if found else None


class _PlainSchema(GenerateJsonSchema):
    """Schemas as a form can show them: decimals are numbers, `or null` is a list of two types."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        number = core_schema.float_schema()
        for key in ("ge", "le"):
            if key in schema:
                number[key] = float(schema[key])
        return self.float_schema(number)

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        return {**inner, "type": [inner["type"], "null"]}


@cache
def _unit(name: str) -> Unit:
    if name in _UNITS:
        return _UNITS[name]
    endings: dict[str, Unit] = {"_pct": "per cent", "_period": "candles", "_price": "quote"}
    return next((unit for ending, unit in endings.items() if name.endswith(ending)), "")


def _parameter(name: str, schema: dict[str, Any], default: Any) -> Parameter:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return Parameter(
        name=name,
        kind=kinds[0],
        nullable="null" in kinds,
        default=default,
        description=schema["description"],
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        pattern=schema.get("pattern"),
        choices=tuple(schema.get("enum", ())),
        unit=_unit(name),
        aliases=ALIASES[name],
    )


__all__ = [
    "ALIASES",
    "BotType",
    "Form",
    "Language",
    "Parameter",
    "STRATEGIES",
    "Strategy",
    "StrategyType",
    "find_strategy",
]
