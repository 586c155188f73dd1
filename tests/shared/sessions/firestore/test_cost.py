"""What a turn costs in Firestore: documents read and written, and calls, as the package's docstring says."""

from __future__ import annotations

from collections.abc import Awaitable

from shared.keys import SessionKey
from shared.sessions.firestore.client import Documents
from shared.sessions.firestore.store import FirestoreStore
from shared.turn import Step
from tests.contracts.session_values import (
    COMPLETED,
    DONE,
    LEASE_SECONDS,
    MODEL,
    TOOL,
    SetClock,
    artifact,
    event,
    held,
    new_turn,
    run_turn,
)


async def cost_of(documents: Documents, work: Awaitable[object]) -> tuple[int, int, int]:
    """Documents read, documents written, calls."""
    documents.cost.clear()
    await work
    return documents.cost["reads"], documents.cost["writes"], documents.cost["calls"]


async def test_a_turn(store: FirestoreStore, documents: Documents, clock: SetClock, key: SessionKey) -> None:
    for _ in range(3):
        await run_turn(store, key, clock.now)
    new = new_turn(key, clock.now, idempotency_key="k")
    begin = store.begin_turn(new=new)
    # Session, turn, key; the three turns of the history. Writes session, turn, key.
    assert await cost_of(documents, begin) == (3 + 3, 3, 3)
    lease = held(await store.begin_turn(new=new))
    steps: tuple[Step, ...] = (MODEL, TOOL)
    for number, step in enumerate(steps, 1):
        append = store.append_step(
            lease=lease,
            number=number,
            step=step,
            now=clock.now,
            lease_seconds=LEASE_SECONDS,
            events=(event(f"e-{number}"),),
        )
        assert await cost_of(documents, append) == (0, 1, 1)
    renew = store.renew_lease(lease=lease, now=clock.now, lease_seconds=LEASE_SECONDS)
    assert await cost_of(documents, renew) == (0, 1, 1)
    finish = store.finish_turn(
        lease=lease, number=3, steps=(DONE, COMPLETED), now=clock.now, events=(event("e-3"),)
    )
    # Session, turn, and the three events that go out.
    assert await cost_of(documents, finish) == (0, 2 + 3, 1)


async def test_a_known_history_is_not_read(
    store: FirestoreStore, documents: Documents, clock: SetClock, key: SessionKey
) -> None:
    for _ in range(3):
        await run_turn(store, key, clock.now)
    session = await store.load_session(key=key)
    begin = store.begin_turn(new=new_turn(key, clock.now, known_revision=session.revision))
    assert await cost_of(documents, begin) == (2, 2, 2)


async def test_reads(store: FirestoreStore, documents: Documents, clock: SetClock, key: SessionKey) -> None:
    for _ in range(9):
        begun = await run_turn(store, key, clock.now, (MODEL, TOOL, DONE))
    for name in ("a", "b"):
        await store.add_version(artifact=artifact(key, clock.now, name), max_files=9)
    # The newest page of a long session is its turns, one more to see whether there is one, and the session.
    assert await cost_of(documents, store.list_turns(key=key, limit=4, cursor=None)) == (1 + 5, 0, 2)
    assert await cost_of(documents, store.load_turn(user_id="alice", turn_id=begun.turn.turn_id)) == (2, 0, 2)
    assert await cost_of(documents, store.load_session(key=key)) == (1, 0, 1)
    assert await cost_of(documents, store.list_sessions(user_id="alice", limit=9, cursor=None)) == (1, 0, 1)
    assert await cost_of(documents, store.list_artifacts(session=key)) == (1 + 2, 0, 2)
