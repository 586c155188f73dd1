"""`the0.bot.created`: the platform's runtime has a realtime bot."""

from __future__ import annotations

from functions.events.handlers.platform_bot import PlatformBot, tell_lifecycle
from functions.events.told import Told
from shared.events.envelope import CloudEvent


class BotCreated(PlatformBot):
    """The instance as it is now."""


def tell_bot_created(event: CloudEvent, data: BotCreated) -> Told:
    """The instance was created."""
    return tell_lifecycle("created", data)
