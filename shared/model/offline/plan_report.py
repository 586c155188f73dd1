"""How the user's bots did: told from events with their times, and plainly where none tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.model.offline.conversation import Done
from shared.model.offline.reply import Reply, bullets, paragraphs, quoted
from shared.model.offline.report_time import Stretch, find_stretch
from shared.model.offline.session_context import bots_in, named_bots
from shared.model.offline.task import Task
from shared.model.offline.wording import facts

HISTORY = "bot_history"
FAILED, COMPLETED = "bot.execution.failed", "bot.execution.completed"
OFFER = "Say **diagnose it** and I look for the cause in the session's files."
_MOST_BOTS = 3
_MOST_EVENTS = 30
_MOST_RUNS = 10
_MOST_QUOTED = 1200
_NOTHING_KNOWN = (
    "I know of no bot here that could have run: no event has told of one. A bot is known "
    "once it is deployed from "
    "this session and the platform tells of it."
)


def report_bots(task: Task) -> Reply:
    """Asks for the history of the bots that are meant, then tells of the time that is meant."""
    asked = task.conversation.of(HISTORY)
    if asked:
        return Reply(paragraphs(*(_told(done, task) for done in asked)))
    bots = meant_bots(task)
    calls = [
        call
        for bot_id in bots[:_MOST_BOTS]
        for call in task.tools.call(HISTORY, bot_id=bot_id, limit=_MOST_EVENTS)
    ]
    if calls:
        return Reply("I look at what the platform's events tell.", tuple(calls))
    return Reply(_from_context(task.context) if bots else _NOTHING_KNOWN)


def meant_bots(task: Task) -> list[str]:
    """The ids of the bots that the message is about: those it names, else all that are known here."""
    bots = bots_in(task.context)
    there = task.conversation.instance
    if there is not None and str(there["bot_id"]) not in bots:
        bots[str(there["bot_id"])] = dict(there)
    return named_bots(task.utterance.raw, bots) or list(bots)


def read_time(text: Any) -> datetime | None:
    """A time as events have it; None when it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def name_of(bot_id: str, task: Task) -> str:
    """The bot as the user knows it."""
    name = bots_in(task.context).get(bot_id, {}).get("name")
    return f"**{name}** (`{bot_id}`)" if name else f"`{bot_id}`"


def _told(done: Done, task: Task) -> str:
    bot_id = str(done.call.arguments.get("bot_id"))
    name = name_of(bot_id, task)
    if not done.ok:
        return f"{name}: {done.problem}."
    entries = [entry for entry in done.value.get("entries", ()) if isinstance(entry, dict)]
    now = read_time(done.value.get("now"))
    if now is None:
        return f"{name}: the answer about it cannot be read."
    stretch = find_stretch(task.utterance.canonical, now)
    runs = [entry for entry in entries if entry.get("type") in (FAILED, COMPLETED)]
    inside = runs[:1] if stretch.is_last_run else [run for run in runs if _is_in(run, stretch)]
    oldest = read_time(entries[-1].get("time")) if entries else None
    is_cut = done.value.get("next_cursor") is not None and (
        stretch.begin is None or oldest is None or oldest > stretch.begin
    )
    status = _status(bots_in(task.context).get(bot_id))
    if not inside:
        return paragraphs(_nothing_ran(name, stretch, runs, is_cut=is_cut), status)
    return paragraphs(_summary(name, stretch, inside, is_cut=is_cut), _runs(inside), _failure(inside), status)


def _nothing_ran(name: str, stretch: Stretch, runs: Sequence[Mapping[str, Any]], *, is_cut: bool) -> str:
    if is_cut:
        return (
            f"{name}: the newest {_MOST_EVENTS} events tell of no run, {stretch}; older ones I did not read."
        )
    if not runs:
        return f"{name}: no event tells of a run of it, so I cannot say how it did {stretch}."
    return (
        f"{name}: no event tells of a run {stretch}. The last one that I know of "
        f"{_ended(runs[0])} at {runs[0].get('time')}."
    )


def _summary(name: str, stretch: Stretch, runs: Sequence[Mapping[str, Any]], *, is_cut: bool) -> str:
    failed = sum(1 for run in runs if run.get("type") == FAILED)
    if stretch.is_last_run:
        return f"{name}, the last run: it {_ended(runs[0])} at {runs[0].get('time')}."
    more = " These are the newest; there are older ones that I did not read." if is_cut else ""
    number = f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}"
    return f"{name}, {stretch}: {number}, {len(runs) - failed} completed and {failed} failed.{more}"


def _runs(runs: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for run in runs[:_MOST_RUNS]:
        details = run.get("details")
        told = facts(
            {"metrics": run.get("metrics"), **(details if isinstance(details, dict) else {})}, most=4
        )
        words = "; ".join(line.removeprefix("- ") for line in told.split("\n") if line)
        error = f": `{_one_line(run.get('error'))}`" if run.get("error") else ""
        lines.append(f"{run.get('time')}: {_ended(run)}{error}" + (f" ({words})" if words else ""))
    left = len(runs) - _MOST_RUNS
    return bullets([*lines, f"… and {left} more"] if left > 0 else lines)


def _failure(runs: Sequence[Mapping[str, Any]]) -> str | None:
    """The log of the newest run, when it failed, and the offer to find the cause."""
    newest = runs[0]
    if newest.get("type") != FAILED:
        return None
    lines = newest.get("lines")
    log = quoted("\n".join(map(str, lines)), _MOST_QUOTED) if isinstance(lines, list) and lines else None
    return paragraphs("The last lines of its log:" if log else None, log, OFFER)


def _from_context(context: Mapping[str, Any]) -> str:
    """What the session's context tells, where the history cannot be asked for."""
    run = context.get("recent_execution")
    if not isinstance(run, dict):
        return "No event tells of a run yet, so I cannot say how it did."
    shown = {name: value for name, value in run.items() if name not in ("logs", "bot_id", "status", "time")}
    metrics = context.get("performance_metrics")
    lines = run.get("logs") if run.get("status") == "failed" else None
    log = quoted("\n".join(map(str, lines)), _MOST_QUOTED) if isinstance(lines, list) and lines else None
    return paragraphs(
        f"The last run that I was told of, of `{run.get('bot_id')}`, {run.get('status')} at "
        f"{run.get('time')}.",
        facts(shown),
        f"Metrics: {facts(metrics)}" if isinstance(metrics, dict) and run.get("status") != "failed" else None,
        log,
        OFFER if run.get("status") == "failed" else None,
    )


def _status(bot: Mapping[str, Any] | None) -> str | None:
    if not bot or not bot.get("status"):
        return None
    return f"By the events it is *{bot['status']}* since {bot.get('status_since')}."


def _ended(run: Mapping[str, Any]) -> str:
    return "failed" if run.get("type") == FAILED else "completed"


def _is_in(run: Mapping[str, Any], stretch: Stretch) -> bool:
    time = read_time(run.get("time"))
    return time is not None and stretch.holds(time)


def _one_line(text: Any) -> str:
    line = " ".join(str(text).replace("`", "'").split())
    return line if len(line) <= 200 else f"{line[:199]}…"
