"""`the0.bot.updated`: a realtime bot has another configuration or version."""

from __future__ import annotations

from functions.events.handlers.platform_bot import PlatformBot, tell_lifecycle
from functions.events.told import Told
from shared.events.envelope import CloudEvent


class BotUpdated(PlatformBot):
    """The instance as it is now."""


def tell_bot_updated(event: CloudEvent, data: BotUpdated) -> Told:
    """The instance was updated."""
    return tell_lifecycle("updated", data)
