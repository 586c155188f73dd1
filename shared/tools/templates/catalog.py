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

from shared.tools.templates.parameters import (
    BotParameters,
    BreakoutParameters,
    DcaParameters,
    GridParameters,
    MeanReversionParameters,
    RsiMomentumParameters,
    SmaCrossoverParameters,
)

StrategyType = Literal["rsi_momentum", "sma_crossover", "mean_reversion", "breakout", "dca", "grid"]
Language = Literal["python"]
BotType = Literal["scheduled", "realtime"]
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
    """One strategy: `aliases` are lower-case words that name it, `model` checks its parameters."""

    name: StrategyType
    title: str
    summary: str
    model: type[BotParameters]
    aliases: tuple[str, ...]

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
    )
}  # fmt: skip

ALIASES: dict[str, tuple[str, ...]] = {
    "symbol": ("symbol", "pair", "market", "ticker"),
    "exchange": ("exchange", "on"),
    "timeframe": ("timeframe", "time frame", "candles", "candle", "bars", "interval"),
    "risk_per_trade_pct": ("risk per trade", "risk a trade", "risk each trade", "risking", "risk"),
    "stop_loss_pct": ("stop loss", "stop-loss", "stoploss", "stop"),
    "take_profit_pct": ("take profit", "take-profit", "profit target", "target profit", "target"),
    "max_position_pct": ("maximum position", "max position", "position size", "position limit", "position"),
    "max_trades_per_day": (
        "trades per day", "trades a day", "trades daily", "daily trades", "max trades", "maximum trades",
    ),
    "paper_balance": ("paper balance", "starting balance", "balance", "capital"),
    "poll_seconds": ("poll every", "check every", "poll interval", "poll"),
    "live_trading": ("live trading", "real orders", "real money"),
    "schedule": ("cron", "schedule"),
    "rsi_period": ("rsi period", "rsi length", "period rsi", "rsi"),
    "buy_below": ("buy under", "buy below", "buys under", "buys below", "buying under", "buying below",
                  "buy when rsi is under", "buy when rsi is below", "entry below", "oversold"),
    "sell_above": ("sell over", "sell above", "sells over", "sells above", "selling over", "selling above",
                   "sell when rsi is over", "sell when rsi is above", "exit above", "overbought"),
    "fast_period": ("fast period", "fast sma", "fast ma", "fast average", "fast", "short period", "short"),
    "slow_period": ("slow period", "slow sma", "slow ma", "slow average", "slow", "long period", "long"),
    "bollinger_period": ("bollinger period", "band period", "period", "lookback"),
    "bollinger_std": ("standard deviations", "standard deviation", "std dev", "deviations", "std", "sigma"),
    "exit_band": ("exit at", "sell at", "exit band"),
    "entry_period": ("entry period", "entry channel", "entry", "breakout period", "channel", "donchian",
                     "highest high of", "high of"),
    "exit_period": ("exit period", "exit channel", "exit", "lowest low of", "low of"),
    "amount": ("amount", "order size", "per order", "per level", "each time", "invest", "spend", "buy"),
    "interval_hours": ("interval", "every", "each"),
    "dip_pct": ("dip of", "dips of", "drop of", "drops of", "drops", "falls", "dip"),
    "dip_multiplier": ("dip multiplier", "multiplier", "times as much", "times more", "times"),
    "dip_lookback": ("dip lookback", "recent high over", "lookback"),
    "lower_price": ("lower price", "lower bound", "lower", "bottom", "from", "between"),
    "upper_price": ("upper price", "upper bound", "upper", "top", "to", "and"),
    "centre_price": ("centre price", "center price", "centred at", "centered at", "around", "centre",
                     "center"),
    "spacing_pct": ("grid spacing", "spacing", "apart", "step"),
    "grid_levels": ("grid levels", "levels", "grid lines", "grids", "lines"),
}  # fmt: skip

_UNITS: dict[str, Unit] = {
    "poll_seconds": "seconds",
    "interval_hours": "hours",
    "dip_lookback": "candles",
    "paper_balance": "quote",
    "amount": "quote",
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
    "Language",
    "Parameter",
    "STRATEGIES",
    "Strategy",
    "StrategyType",
    "find_strategy",
]
