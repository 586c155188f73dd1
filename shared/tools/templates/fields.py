"""The configuration fields of one bot: the strategy's parameters as chosen, and the bot's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

from shared.tools.templates.catalog import BotType, Parameter, Strategy
from shared.tools.templates.parameters import SYMBOL_PATTERN, BotParameters
from shared.tools.templates.parameters_markets import PERPETUAL_PATTERN, SPOT_PATTERN

# Belongs to the instance on the platform, not to the bot's configuration.
_INSTANCE_ONLY = ("schedule",)
_REALTIME_ONLY = ("poll_seconds",)

SECRET_FIELDS = ("api_key", "api_secret", "api_password")

_DATA_SOURCE_PATTERN = r"^(exchange|[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}\.csv)$"


def bot_fields(*, strategy: Strategy, parameters: BotParameters, bot_type: BotType) -> tuple[Parameter, ...]:
    """Every field that the bot's configuration takes, with the value chosen for it as its default.

    `live_trading` is off whatever was chosen: only an instance's configuration turns it on.
    """
    left_out = _INSTANCE_ONLY if bot_type == "realtime" else _INSTANCE_ONLY + _REALTIME_ONLY
    values: dict[str, Any] = {**dict(parameters), "live_trading": False}
    chosen = tuple(
        replace(
            parameter, default=values[name], pattern=_symbol_pattern(strategy.name, name) or parameter.pattern
        )
        for name, parameter in strategy.parameters.items()
        if name not in left_out
    )
    return (*chosen, *_OWN_FIELDS)


def _symbol_pattern(strategy: str, name: str) -> str | None:
    """What the bot takes as a symbol, None for other fields; the tool itself takes more and rewrites it."""
    if name not in ("symbol", "second_symbol"):
        return None
    return {"pairs_arbitrage": PERPETUAL_PATTERN, "funding_carry": SPOT_PATTERN}.get(strategy, SYMBOL_PATTERN)


def bot_schema(*, title: str, fields: tuple[Parameter, ...]) -> dict[str, Any]:
    """The draft-07 schema of the bot's configuration, as bot-schema.json holds it."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "title": title,
        "description": "Every field may be left out: its default is then used.",
        "properties": {field.name: _property(field) for field in fields},
        "additionalProperties": False,
    }


def python_kind(strategy: Strategy, name: str) -> str:
    """How the bot holds the field: integer, decimal, float, string or boolean."""
    model_field = strategy.model.model_fields.get(name)
    if model_field is None:
        return "string"
    return _kind_of(model_field.annotation) or "string"


def as_json(value: Any) -> Any:
    """The value as JSON writes it: decimals become numbers, whole ones integers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    return value


def _kind_of(annotation: Any) -> str | None:
    """The kind of a type, also inside Annotated and Optional; None for any other type."""
    kinds = {int: "integer", float: "float", str: "string", bool: "boolean", Decimal: "decimal"}
    if isinstance(annotation, type):
        return kinds.get(annotation)
    return next((kind for kind in map(_kind_of, get_args(annotation)) if kind), None)


def _property(field: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": [field.kind, "null"] if field.nullable else field.kind,
        "description": field.description[:1].upper() + field.description[1:],
        "default": as_json(field.default),
    }
    if field.minimum is not None:
        schema["minimum"] = as_json(field.minimum)
    if field.maximum is not None:
        schema["maximum"] = as_json(field.maximum)
    if field.pattern is not None:
        schema["pattern"] = field.pattern
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.name in SECRET_FIELDS:
        schema["format"] = "password"
        schema["writeOnly"] = True
    return schema


def _text(name: str, default: str, description: str, pattern: str | None = None) -> Parameter:
    return Parameter(
        name=name,
        kind="string",
        nullable=False,
        default=default,
        description=description,
        minimum=None,
        maximum=None,
        pattern=pattern,
        choices=(),
        unit="",
        aliases=(),
    )


_OWN_FIELDS = (
    _text(
        "data_source",
        "exchange",
        "exchange for live candles, or a CSV file of the bot's folder to replay",
        _DATA_SOURCE_PATTERN,
    ),
    _text("api_key", "", "key of the exchange account, needed for live trading only"),
    _text("api_secret", "", "secret of the exchange account, needed for live trading only"),
    _text("api_password", "", "passphrase of the exchange account, where the exchange asks for one"),
)

__all__ = ["SECRET_FIELDS", "as_json", "bot_fields", "bot_schema", "python_kind"]
