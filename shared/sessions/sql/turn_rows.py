"""Reading turns with their steps: each read is one query of step rows, which is folded into turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, bindparam, case, func, null, select

from shared.errors import TurnNotFoundError
from shared.keys import SessionKey
from shared.sessions.codec import Codec
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.page import Page
from shared.sessions.sql.columns import AnyRow, from_micros, optional_time, to_micros
from shared.sessions.sql.line_rows import find_waiting
from shared.sessions.sql.schema import sessions, steps, turns
from shared.sessions.sql.sessions import check_session
from shared.sessions.sql.tx import Tx
from shared.turn import UNFINISHED, Turn

_AFTER_ALL = 2**63 - 1

_COLUMNS = (
    turns.c.session_id,
    turns.c.number,
    turns.c.turn_id,
    # A request may be long: it comes with the turn's first row only.
    case((steps.c.number == 0, turns.c.request), else_=null()).label("request"),
    turns.c.prompt_version,
    turns.c.status,
    turns.c.created_at,
    turns.c.completed_at,
    steps.c.number.label("step"),
    steps.c.body,
    steps.c.created_at.label("step_at"),
)
_LEASE = (sessions.c.running_turn_id, sessions.c.lease_until)
_OF_TURN = (
    (steps.c.user_id == turns.c.user_id)
    & (steps.c.session_id == turns.c.session_id)
    & (steps.c.turn_number == turns.c.number)
)
_OF_SESSION = (
    (sessions.c.user_id == turns.c.user_id)
    & (sessions.c.session_id == turns.c.session_id)
    & sessions.c.deleted_at.is_(None)
)
_BACKWARDS = (
    select(*_COLUMNS)
    .join_from(steps, turns, _OF_TURN)
    .where(steps.c.user_id == bindparam("user"), steps.c.session_id == bindparam("session"))
    .order_by(steps.c.turn_number.desc(), steps.c.number.desc())
)
_HISTORY = _BACKWARDS.where(
    steps.c.turn_number < bindparam("before"), steps.c.turn_number > bindparam("after")
).limit(bindparam("rows"))
_ONE = _BACKWARDS.where(steps.c.turn_number == bindparam("turn"))


def _with_lease() -> Select[Any]:
    return select(*_COLUMNS, *_LEASE).join_from(turns, sessions, _OF_SESSION).join(steps, _OF_TURN)


_BY_ID = (
    _with_lease()
    .where(turns.c.user_id == bindparam("user"), turns.c.turn_id == bindparam("turn"))
    .order_by(steps.c.number)
)
_PAGE = (
    select(turns.c.number)
    .where(
        turns.c.user_id == bindparam("user"),
        turns.c.session_id == bindparam("session"),
        turns.c.number < bindparam("before"),
    )
    .order_by(turns.c.number.desc())
    .limit(bindparam("rows"))
)
_PAGE_ROWS = _PAGE.subquery()
_OLDEST = select(func.min(_PAGE_ROWS.c.number)).scalar_subquery()
_LIST = (
    _with_lease()
    .where(
        turns.c.user_id == bindparam("user"),
        turns.c.session_id == bindparam("session"),
        turns.c.number < bindparam("before"),
        turns.c.number >= _OLDEST,
        # Said of both tables: however a planner joins them, it reads the page's stretch of each and no more.
        steps.c.turn_number < bindparam("before"),
        steps.c.turn_number >= _OLDEST,
    )
    .order_by(turns.c.number.desc(), steps.c.number)
)


def load_turn(tx: Tx, user_id: str, turn_id: str, now: datetime) -> Turn:
    """See `TurnStore.load_turn`."""
    for look in (find_turn, find_waiting, find_turn):
        # A turn that left the line between two looks is found by the third.
        turn = look(tx, user_id, turn_id, now)
        if turn is not None:
            return turn
    raise TurnNotFoundError("there is no such turn")


def find_turn(tx: Tx, user_id: str, turn_id: str, now: datetime) -> Turn | None:
    """A turn that has its number, with its steps so far."""
    rows = tx.execute(_BY_ID, {"user": user_id, "turn": turn_id}).all()
    return _live_turn(tx.codec, user_id, rows, now) if rows else None


def list_turns(tx: Tx, key: SessionKey, limit: int, cursor: str | None, now: datetime) -> Page[Turn]:
    """See `TurnStore.list_turns`."""
    before = read_cursor(cursor, int)[0] if cursor else _AFTER_ALL
    values = {"user": key.user_id, "session": key.session_id, "before": before, "rows": limit + 1}
    rows = tx.execute(_LIST, values).all()
    if not rows:
        check_session(tx, key)
    groups = _by_turn(rows)
    items = tuple(_live_turn(tx.codec, key.user_id, group, now) for group in groups[:limit])
    more = len(groups) > limit
    return Page(items=items, next_cursor=write_cursor(items[-1].number) if more else None)


def read_history(tx: Tx, key: SessionKey, *, after: int, before: int, messages: int) -> tuple[Turn, ...]:
    """The newest whole turns between those numbers that hold about so many messages, oldest first.

    At least one turn comes, if there is one, however many messages it holds.
    """
    place = {"user": key.user_id, "session": key.session_id}
    # Every turn ends with a step that is no message; most have two that are.
    limit = messages * 3 // 2 + 2
    rows: Sequence[AnyRow] = tx.execute(
        _HISTORY, place | {"after": after, "before": before, "rows": limit}
    ).all()
    if rows and rows[-1].step != 0:
        cut = rows[-1].number
        rows = [row for row in rows if row.number != cut] or tx.execute(_ONE, place | {"turn": cut}).all()
    chosen: list[Turn] = []
    count = 0
    for group in _by_turn(rows):
        count += max(1, len(group) - 1)
        if chosen and count > messages:
            break
        chosen.append(_turn(tx.codec, key.user_id, group[::-1]))
    return tuple(reversed(chosen))


def _by_turn(rows: Iterable[AnyRow]) -> list[list[AnyRow]]:
    return [list(group) for _, group in groupby(rows, key=lambda row: row.number)]


def _live_turn(codec: Codec, user_id: str, rows: Sequence[AnyRow], now: datetime) -> Turn:
    first = rows[0]
    lost = first.running_turn_id != first.turn_id or first.lease_until <= to_micros(now)
    return _turn(codec, user_id, rows, interrupted=lost and first.status in UNFINISHED)


def _turn(codec: Codec, user_id: str, rows: Sequence[AnyRow], *, interrupted: bool = False) -> Turn:
    first = rows[0]
    return Turn(
        key=SessionKey(user_id=user_id, session_id=first.session_id),
        turn_id=first.turn_id,
        number=first.number,
        request=codec.decode_request(first.request, user_id),
        prompt_version=first.prompt_version,
        status="interrupted" if interrupted else first.status,
        created_at=from_micros(first.created_at),
        completed_at=optional_time(first.completed_at),
        steps=tuple(codec.decode_step(row.body, user_id) for row in rows),
        step_times=tuple(from_micros(row.step_at) for row in rows),
    )
