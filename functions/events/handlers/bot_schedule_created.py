"""`the0.bot-schedule.created`: the platform's scheduler has a bot, which will run."""

from __future__ import annotations

from functions.events.handlers.platform_bot import PlatformBot, tell_lifecycle
from functions.events.told import Told
from shared.events.envelope import CloudEvent


class BotScheduleCreated(PlatformBot):
    """The instance as it is now."""


def tell_bot_schedule_created(event: CloudEvent, data: BotScheduleCreated) -> Told:
    """The instance was created."""
    return tell_lifecycle("created", data)
