"""What of a session or a folder is the bot, and the candles that come with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from shared.artifact import artifact_type
from shared.backtest.candles import MarketCandles, read_market_csv
from shared.errors import ToolInputError

# What tools write about a bot is not the bot.
_ABOUT = ("analysis/", "backtest/")


def is_of_bot(filename: str) -> bool:
    """Whether a file of the session belongs to the bot."""
    return artifact_type(filename) != "backtest" and not filename.startswith(_ABOUT)


def own_candles(files: Mapping[str, bytes], config: Mapping[str, Any]) -> MarketCandles:
    """The candles that the bot brings: those of its `data_source`, else sample.csv, else its only CSV file.

    Raises:
        ToolInputError: it brings none, or they cannot be read.
    """
    named = config.get("data_source") or default_of(files, "data_source")
    tables = [name for name in files if name.lower().endswith(".csv")]
    for name in (named, "sample.csv", *(tables if len(tables) == 1 else ())):
        if isinstance(name, str) and name in files:
            return read_market_csv(files[name], source=name, symbol=symbol_of(files, config))
    raise ToolInputError(
        "the bot brings no candles: give a CSV file of the session as `candles`, or a symbol of an exchange"
    )


def symbol_of(files: Mapping[str, bytes], config: Mapping[str, Any]) -> str:
    """The market that the bot is set to, by its configuration or its schema's default."""
    return str(config.get("symbol") or default_of(files, "symbol") or "market")[:80]


def default_of(files: Mapping[str, bytes], name: str) -> Any:
    """A field's default by bot-schema.json; None where there is none."""
    try:
        return json.loads(files["bot-schema.json"])["properties"][name]["default"]
    except (KeyError, ValueError, TypeError):
        return None


def title_of(files: Mapping[str, bytes]) -> str:
    """The bot's name by bot-config.yaml."""
    try:
        config = yaml.safe_load(files["bot-config.yaml"])
        return str(config["name"])[:80]
    except (KeyError, TypeError, ValueError, yaml.YAMLError):
        return "bot"
