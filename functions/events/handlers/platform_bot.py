"""An instance of a bot as the platform tells of it: `{"id", "config", "custom"}`.

Of `config` only what names the bot and says when it runs is kept: the rest is its user's, keys among it.
"""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from functions.events.data import BotId, NamedData
from functions.events.told import Told
from shared.bots.bounded import cut_line
from shared.bots.facts import FactKind

_MOST_NAME = 200


class PlatformBot(NamedData):
    """The instance; `id` is the bot's."""

    bot_id: BotId = Field(validation_alias=AliasChoices("bot_id", "botId", "entity_id", "entityId", "id"))
    config: dict[str, Any] = Field(default_factory=dict)
    custom: dict[str, Any] | None = None


def tell_lifecycle(kind: FactKind, data: PlatformBot) -> Told:
    """What the platform says of the instance."""
    custom = data.custom or {}
    inner = custom.get("config")
    custom_config: dict[str, Any] = inner if isinstance(inner, dict) else {}
    type_name = data.config.get("type")
    found = {
        "name": data.config.get("name") or (data.__pydantic_extra__ or {}).get("name"),
        # `scheduled/rsi-bot`: the last part is the custom bot's name.
        "custom_bot": type_name.rpartition("/")[2]
        if isinstance(type_name, str)
        else custom_config.get("name"),
        "version": data.config.get("version") or custom.get("version"),
        "schedule": data.config.get("schedule"),
    }
    value: dict[str, Any] = {
        name: cut_line(text, _MOST_NAME) for name, text in found.items() if isinstance(text, str) and text
    }
    if isinstance(data.config.get("enabled"), bool):
        value["enabled"] = data.config["enabled"]
    return Told(of=data, data=value, facts={kind: value})
