"""Turns whose leases ran out and that nobody asks about: ended as interrupted, their held events let go."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.ends import end_turn
from shared.sessions.firestore.runner import Runner
from shared.sessions.firestore.sessions import is_live, touch
from shared.sessions.firestore.times import to_micros
from shared.sessions.firestore.transaction import Transaction

HOLDING = ("running", "paused")


async def interrupt_dead(runner: Runner, *, now: datetime, limit: int) -> int:
    """See `TurnStore.interrupt_dead`: a query for each status, then a transaction a turn."""
    ended = 0
    for status in HOLDING:
        query = Query(
            collection="turns",
            equal=(("status", status),),
            order="until",
            range=(("<=", to_micros(now)),),
            limit=limit - ended,
        )
        if ended < limit:
            for turn, session in await runner.read(partial(_found, query=query)):
                ended += await runner.write(partial(_interrupt, turn=turn, now=now), queue=session)
    return ended


async def _found(tx: Transaction, *, query: Query) -> list[tuple[str, str]]:
    return [(turn.ref.id, turn["session"]) for turn in await tx.find(query)]


async def _interrupt(tx: Transaction, *, turn: str, now: datetime) -> bool:
    found = await tx.one(Ref("turns", turn))
    if not found.exists or found["status"] not in HOLDING or found["until"] > to_micros(now):
        return False
    session = await tx.one(Ref("sessions", found["session"]))
    if not is_live(session):
        return False
    await end_turn(tx, session, found, "interrupted", now)
    touch(session, now)
    return True
