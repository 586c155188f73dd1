"""`the0.bot-schedule.deleted`: a scheduled bot is gone."""

from __future__ import annotations

from functions.events.handlers.platform_bot import PlatformBot, tell_lifecycle
from functions.events.told import Told
from shared.events.envelope import CloudEvent


class BotScheduleDeleted(PlatformBot):
    """The instance as it was."""


def tell_bot_schedule_deleted(event: CloudEvent, data: BotScheduleDeleted) -> Told:
    """The instance was deleted."""
    return tell_lifecycle("deleted", data)
