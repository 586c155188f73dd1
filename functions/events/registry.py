"""Which types of event are acted upon, by what: one file and one line a type.

An event may come more than once, and late. What tells of bots is applied by the store, once by `source` and
`id`. An action has its effect once by what the event is about, in the very write of that effect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from functions.events.data import NamedData
from functions.events.handlers.backtest_completed import BacktestCompleted, tell_backtest
from functions.events.handlers.bot_created import BotCreated, tell_bot_created
from functions.events.handlers.bot_deleted import BotDeleted, tell_bot_deleted
from functions.events.handlers.bot_deployed import BotDeployed, tell_deployed
from functions.events.handlers.bot_execution_completed import BotExecutionCompleted, tell_completed
from functions.events.handlers.bot_execution_failed import BotExecutionFailed, tell_failed
from functions.events.handlers.bot_log import BotLog, tell_log
from functions.events.handlers.bot_schedule_created import BotScheduleCreated, tell_bot_schedule_created
from functions.events.handlers.bot_schedule_deleted import BotScheduleDeleted, tell_bot_schedule_deleted
from functions.events.handlers.bot_schedule_updated import BotScheduleUpdated, tell_bot_schedule_updated
from functions.events.handlers.bot_updated import BotUpdated, tell_bot_updated
from functions.events.handlers.turn_diagnose import TurnDiagnose, diagnose_crash
from functions.events.handlers.turn_resume import TurnResume, resume_turn
from functions.events.told import Told
from shared.events.envelope import CloudEvent


@dataclass(frozen=True, slots=True)
class Action:
    """The form of a type's data, and what is done about it: a coroutine that answers with a word for the log.

    It raises a retryable error only when the event is to come again.
    """

    data: type[BaseModel]
    handle: Callable[[CloudEvent, Any], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The form of a type's data, and what the event tells of a bot and its session: a pure function."""

    data: type[NamedData]
    tell: Callable[[CloudEvent, Any], Told]


HANDLERS: dict[str, Action | Reading] = {
    "ai.bot.deployed": Reading(BotDeployed, tell_deployed),
    "backtest.completed": Reading(BacktestCompleted, tell_backtest),
    "bot.execution.completed": Reading(BotExecutionCompleted, tell_completed),
    "bot.execution.failed": Reading(BotExecutionFailed, tell_failed),
    "the0.bot.created": Reading(BotCreated, tell_bot_created),
    "the0.bot.deleted": Reading(BotDeleted, tell_bot_deleted),
    "the0.bot.log": Reading(BotLog, tell_log),
    "the0.bot.updated": Reading(BotUpdated, tell_bot_updated),
    "the0.bot-schedule.created": Reading(BotScheduleCreated, tell_bot_schedule_created),
    "the0.bot-schedule.deleted": Reading(BotScheduleDeleted, tell_bot_schedule_deleted),
    "the0.bot-schedule.updated": Reading(BotScheduleUpdated, tell_bot_schedule_updated),
    "turn.diagnose": Action(TurnDiagnose, diagnose_crash),
    "turn.resume": Action(TurnResume, resume_turn),
}
