"""What a message asks of a bot's instance: how often it runs, under which name, with which parameters."""

from __future__ import annotations

from typing import Any

from shared.model.offline import intent_patterns as words
from shared.model.offline.extract_schedule import find_rhythm
from shared.model.offline.task import Task

# A rhythm in the words is the instance's schedule; and a template's default is not the user's wish.
_NOT_CONFIG = ("schedule", "interval_hours", "live_trading")


def asked_instance(task: Task) -> dict[str, Any] | None:
    """The instance that a deployment is to start as well; None when the words ask for none."""
    return wanted_instance(task, is_new=True) if words.RUN.search(task.request) else None


def wanted_instance(task: Task, *, is_new: bool) -> dict[str, Any]:
    """What the words say of the instance; a new one has the schedule that its bot was built for."""
    bot, said = task.conversation.bot, task.wish.parameters
    schedule = said_schedule(task)
    if schedule is None and is_new and bot is not None and bot.bot_type != "realtime":
        schedule = bot.parameters.get("schedule")
    config = {name: value for name, value in said.items() if name not in _NOT_CONFIG}
    wanted = {"name": task.wish.name, "schedule": schedule, "config": config or None}
    return {name: value for name, value in wanted.items() if value is not None}


def said_schedule(task: Task) -> str | None:
    """The cron expression that the words name or come to."""
    rhythm = find_rhythm(task.utterance.canonical, loose=True)
    return task.utterance.cron or (rhythm.cron if rhythm else None)


def is_no_schedule(task: Task) -> bool:
    """Whether the words name a rhythm that no cron expression has."""
    return said_schedule(task) is None and find_rhythm(task.utterance.canonical, loose=True) is not None
