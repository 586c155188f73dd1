"""`the0.bot-schedule.updated`: a scheduled bot has another configuration, version or schedule."""

from __future__ import annotations

from functions.events.handlers.platform_bot import PlatformBot, tell_lifecycle
from functions.events.told import Told
from shared.events.envelope import CloudEvent


class BotScheduleUpdated(PlatformBot):
    """The instance as it is now."""


def tell_bot_schedule_updated(event: CloudEvent, data: BotScheduleUpdated) -> Told:
    """The instance was updated."""
    return tell_lifecycle("updated", data)
