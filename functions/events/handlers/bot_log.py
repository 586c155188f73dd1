"""`the0.bot.log`: an error line of a bot's log, or a few of them."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from functions.events.data import BotId, NamedData
from functions.events.told import Told, last_lines
from shared.events.envelope import CloudEvent


class BotLog(NamedData):
    """The line, whatever its sender calls it; `lines` where there are more."""

    bot_id: BotId = Field(validation_alias=AliasChoices("bot_id", "botId", "entity_id", "entityId", "id"))
    line: Any = Field(
        default=None,
        validation_alias=AliasChoices("line", "lines", "message", "content", "text", "log", "error"),
    )


def tell_log(event: CloudEvent, data: BotLog) -> Told:
    """The line as `last_error` shows it, and a failed run that brought no log."""
    text = "\n".join(last_lines(data.line))
    return Told(of=data, data={"line": text}, facts={"log": {"error": text}})
