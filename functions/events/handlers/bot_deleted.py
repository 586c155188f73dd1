"""`the0.bot.deleted`: a realtime bot is gone."""

from __future__ import annotations

from functions.events.handlers.platform_bot import PlatformBot, tell_lifecycle
from functions.events.told import Told
from shared.events.envelope import CloudEvent


class BotDeleted(PlatformBot):
    """The instance as it was."""


def tell_bot_deleted(event: CloudEvent, data: BotDeleted) -> Told:
    """The instance was deleted."""
    return tell_lifecycle("deleted", data)
