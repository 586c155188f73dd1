"""The tool `bot_history`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from shared.analysis.masking import masked, masked_value
from shared.bots.bounded import bounded, cut_line
from shared.bots.facts import LOG_TYPE
from shared.clock import to_wire
from shared.errors import InvalidRequestError, ToolFailedError, ToolInputError
from shared.sessions.inbound_port import RecordedEvent
from shared.tools.port import ToolContext, tool

# What a page may bring into a prompt: characters, of one member and of a line.
_MOST_ERROR = 400
_MOST_LINE = 240
_MOST_MEMBER = 600
_MOST_LINES = 10
# Older failures of a page say less.
_FEWER_LINES = 2
_WHOLE_FAILURES = 2
_PAGE = 12
_ID = re.compile(r"[A-Za-z0-9._:@/-]{1,128}")
_UNKNOWN = "no bot of yours with this id has been heard of; the context's `bots` names them"


class HistoryEntry(TypedDict):
    """One thing that happened; `lines` are the last of its log, the newest last."""

    time: str
    type: str
    error: NotRequired[str]
    lines: NotRequired[list[str]]
    metrics: NotRequired[Any]
    details: NotRequired[Any]


class BotHistory(TypedDict):
    """What events tell of a bot, newest first; `now` is the time of this answer."""

    bot_id: str
    now: str
    entries: list[HistoryEntry]
    next_cursor: str | None


@tool(timeout=15.0, untrusted=True)
async def bot_history(
    context: ToolContext,
    bot_id: str,
    limit: Annotated[int, Field(ge=1, le=30)] = _PAGE,
    cursor: str = "",
) -> BotHistory:
    """Tells what a deployed bot did, newest first. Next page: next_cursor."""
    if context.session is None:
        raise ToolInputError("this tool tells of its user's own bots: give a session_id")
    history = context.services.history
    if history is None:
        raise ToolFailedError("no events of bots are kept here")
    if not _ID.fullmatch(bot_id):
        raise ToolInputError(_UNKNOWN)
    try:
        page = await history.bot_history(
            user_id=context.session.user_id, bot_id=bot_id, limit=limit, cursor=cursor or None
        )
    except InvalidRequestError as error:
        raise ToolInputError(error.message) from error
    if not page.items and not cursor:
        # Another's bot, one that never was and one that was never heard of are one answer.
        raise ToolInputError(_UNKNOWN)
    return BotHistory(
        bot_id=bot_id,
        now=to_wire(context.services.clock()),
        entries=_entries(page.items),
        next_cursor=page.next_cursor,
    )


def _entries(events: Sequence[RecordedEvent]) -> list[HistoryEntry]:
    entries: list[HistoryEntry] = []
    failures = 0
    for event in events:
        if event.type == LOG_TYPE:
            _add_log(entries, event)
            continue
        failures += "error" in event.data or "logs" in event.data
        entries.append(_entry(event, _MOST_LINES if failures <= _WHOLE_FAILURES else _FEWER_LINES))
    return entries


def _add_log(entries: list[HistoryEntry], event: RecordedEvent) -> None:
    """Lines that follow each other are one entry, however many events brought them."""
    lines = _lines(str(event.data.get("line", "")).split("\n"), _MOST_LINES)
    last = entries[-1] if entries else None
    if last is not None and last["type"] == LOG_TYPE:
        last["lines"] = [*lines, *last["lines"]][-_MOST_LINES:]
    else:
        entries.append(HistoryEntry(time=to_wire(event.time), type=LOG_TYPE, lines=lines))


def _entry(event: RecordedEvent, most_lines: int) -> HistoryEntry:
    entry = HistoryEntry(time=to_wire(event.time), type=event.type)
    rest = {name: value for name, value in event.data.items() if value not in (None, "", [], {})}
    error, logs = rest.pop("error", None), rest.pop("logs", None)
    metrics = rest.pop("metrics", None)
    if error is not None:
        entry["error"] = cut_line(masked(str(error)), _MOST_ERROR)
    if isinstance(logs, list):
        entry["lines"] = _lines([str(line) for line in logs], most_lines)
    if metrics is not None:
        entry["metrics"] = bounded(masked_value(metrics), _MOST_MEMBER)
    if rest:
        entry["details"] = bounded(masked_value(rest), _MOST_MEMBER)
    return entry


def _lines(lines: Sequence[str], most: int) -> list[str]:
    return [cut_line(masked(line), _MOST_LINE) for line in lines if line.strip()][-most:]
