"""What a turn begins with: its lease, the session, the history and the summary before it."""

from __future__ import annotations

from datetime import datetime

from shared.errors import TurnNotFoundError
from shared.keys import SessionKey
from shared.sessions.sql.bot_facts import with_derived
from shared.sessions.sql.columns import AnyRow
from shared.sessions.sql.lease_rows import is_held
from shared.sessions.sql.sessions import session_of
from shared.sessions.sql.turn_rows import find_turn, read_history
from shared.sessions.sql.tx import Tx
from shared.sessions.turn_port import BegunTurn, Lease
from shared.turn import Turn


def begun_turn(
    tx: Tx,
    turn: Turn,
    row: AnyRow,
    *,
    base_revision: int,
    history_messages: int,
    known_revision: int | None = None,
) -> BegunTurn:
    """The turn under the lease of the session's row; no history when it is known as it was before."""
    key, codec = turn.key, tx.codec
    history: tuple[Turn, ...] | None = None
    if known_revision is None or known_revision != base_revision:
        after, before = row.summary_through, turn.number
        any_between = before - after > 1
        history = (
            read_history(tx, key, after=after, before=before, messages=history_messages)
            if any_between
            else ()
        )
    return BegunTurn(
        turn=turn,
        session=with_derived(tx, session_of(codec, key, row), row),
        lease=Lease(key=key, turn_id=turn.turn_id, turn_number=turn.number, token=row.lease_token),
        history=history,
        summary=None if row.summary is None else codec.decode_summary(row.summary, key.user_id),
        base_revision=base_revision,
    )


def runs_already(row: AnyRow, turn_id: str, now: datetime) -> bool:
    """Whether the turn holds the session's lease and runs: the write that began it is being repeated."""
    return row.running_turn_id == turn_id and is_held(row, now) and not row.paused


def begun_again(
    tx: Tx,
    key: SessionKey,
    row: AnyRow,
    now: datetime,
    *,
    history_messages: int,
    known_revision: int | None = None,
) -> BegunTurn:
    """The turn that holds the session's lease, as the write that began it gave it."""
    turn = find_turn(tx, key.user_id, row.running_turn_id, now)
    if turn is None:
        raise TurnNotFoundError("there is no such turn")
    return begun_turn(
        tx,
        turn,
        row,
        base_revision=row.revision - 1,
        history_messages=history_messages,
        known_revision=known_revision,
    )
