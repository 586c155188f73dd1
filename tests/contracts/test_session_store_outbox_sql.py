"""The outbox under transactions that commit in another order than they drew their numbers."""

from __future__ import annotations

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]

from shared.keys import SessionKey
from shared.sessions.codec import Codec
from shared.sessions.sql.store import SqlStore
from tests.contracts.session_values import SetClock, event, session_key

_INSERT = (
    "INSERT INTO outbox (event_id, user_id, session_id, type, data, created_at) "
    "VALUES ('slow', 'alice', 's-1', 't', $1, 0) RETURNING sequence"
)


async def test_one_that_commits_late_is_not_passed_over(
    postgres_url: str, clock: SetClock, key: SessionKey
) -> None:
    other = session_key(session_id="s-2")
    slow = await asyncpg.connect(postgres_url)
    async with await SqlStore.open(postgres_url, clock=clock) as store:
        for each in (key, other):
            await store.create_session(key=each, title="", context={}, now=clock.now)
        transaction = slow.transaction()
        await transaction.start()
        number = await slow.fetchval(_INSERT, Codec().encode({}, "alice"))
        await store.add_events(key=other, events=(event("quick"),), now=clock.now)
        page = await store.unpublished_events(limit=9)
        assert [each.event.event_id for each in page] == ["quick"]
        assert page[0].sequence > number
        await store.mark_published(events=page, now=clock.now)
        await transaction.commit()
        assert [each.event.event_id for each in await store.unpublished_events(limit=9)] == ["slow"]
    await slow.close()
