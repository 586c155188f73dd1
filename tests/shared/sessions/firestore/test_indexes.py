"""Every query of the store has its index in infra/firestore.indexes.json: real Firestore refuses others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.keys import SessionKey
from shared.sessions.firestore import reseal, tidy
from shared.sessions.firestore.client import Documents, Query
from shared.sessions.firestore.store import FirestoreStore
from tests.contracts.bot_values import crash, to
from tests.contracts.session_values import SetClock, artifact, event, new_turn, run_turn


@pytest.fixture
def queries(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    """The queries that the store makes during the test."""
    made: list[Query] = []
    find, count = documents.find, documents.count

    async def finding(query: Query) -> Any:
        made.append(query)
        return await find(query)

    async def counting(query: Query) -> int:
        made.append(query)
        return await count(query)

    monkeypatch.setattr(documents, "find", finding)
    monkeypatch.setattr(documents, "count", counting)
    return made


@pytest.fixture
def declared(repository: Path) -> dict[str, Any]:
    """The file that is deployed."""
    loaded: dict[str, Any] = json.loads((repository / "infra" / "firestore.indexes.json").read_text())
    return loaded


def is_served(query: Query, declared: dict[str, Any]) -> bool:
    """Whether Firestore has the index for a query by the rules of its planner."""
    direction = "DESCENDING" if query.descending else "ASCENDING"
    if not query.equal:
        # A single field's index is read in both directions.
        return any(
            each["collectionGroup"] == query.collection
            and each["fieldPath"] == query.order
            and each["indexes"]
            for each in declared["fieldOverrides"]
        )
    wanted = [{"fieldPath": field, "order": "ASCENDING"} for field, _ in query.equal]
    wanted.append({"fieldPath": query.order, "order": direction})
    return any(
        each["collectionGroup"] == query.collection and each["fields"] == wanted
        for each in declared["indexes"]
    )


async def test_every_query_has_its_index(
    store: FirestoreStore,
    clock: SetClock,
    key: SessionKey,
    queries: list[Query],
    declared: dict[str, Any],
) -> None:
    await run_turn(store, key, clock.now)
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    await store.add_version(artifact=artifact(key, clock.now, "kept"), max_files=9)
    saved = artifact(key, clock.now)
    await store.add_version(artifact=replace(saved, turn_id=begun.turn.turn_id), max_files=9)
    await store.begin_turn(new=new_turn(key, clock.now, if_busy="rollback"))
    await store.add_events(key=key, events=(event(),), now=clock.now)
    await store.list_sessions(user_id="alice", limit=9, cursor=None)
    await store.list_turns(key=key, limit=9, cursor=None)
    await store.list_artifacts(session=key)
    await store.list_versions(key=artifact(key, clock.now, "kept").key)
    await store.mark_published(events=await store.unpublished_events(limit=9), now=clock.now)
    await store.add_events(key=key, events=(event("e-2"),), now=clock.now)
    await store.outbox_lag()
    await store.record_events(events=(to(crash("c", clock.now), key),), now=clock.now)
    assert (await store.load_session(key=key)).derived
    await store.bot_history(user_id=key.user_id, bot_id="bot-1", limit=9, cursor=None)
    await store.sessions_of_id(session_id=key.session_id)
    await store.list_dead_letters(limit=9, cursor=None)
    await store.dead_letters_of_bot(bot_id="bot-1", limit=9)
    await store.count_dead_letters()
    after = None
    for _ in reseal.FIELDS:
        after = (await store.reseal(after=after, limit=99)).after
    assert after is None
    await store.tidy(now=clock.now + timedelta(days=200), limit=999)
    assert [query for query in queries if not is_served(query, declared)] == []
    asked = {query.collection for query in queries}
    assert asked == {*reseal.FIELDS, *tidy.COLLECTIONS}


def test_what_is_never_looked_for_is_not_indexed(declared: dict[str, Any]) -> None:
    collections = {each["collectionGroup"] for each in declared["fieldOverrides"]}
    wildcards = [each for each in declared["fieldOverrides"] if each["fieldPath"] == "*"]
    assert {each["collectionGroup"] for each in wildcards} == collections
    assert all(each["indexes"] == [] for each in wildcards)
    assert {*reseal.FIELDS, *tidy.COLLECTIONS, "parts"} == collections


def test_what_expires_is_removed_by_firestore_too_but_for_the_marks_of_rollbacks(
    declared: dict[str, Any],
) -> None:
    expiring = {each["collectionGroup"] for each in declared["fieldOverrides"] if each.get("ttl")}
    # A mark goes with the parts of its turn, which only `tidy` finds.
    assert expiring == {*tidy.COLLECTIONS, "parts"} - {"turns"}
