"""The contract of `DeploymentStore`, over every backend."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from shared.errors import SessionConflictError, SessionNotFoundError
from shared.keys import SessionKey
from shared.sessions.deployment_port import Deployment, NewDeployment
from shared.sessions.port import Store
from tests.contracts.session_values import ODD, SetClock, event, session_key
from tests.contracts.turn_steps import begin

LEASE = 30.0
TOKENS = count(2**61)


@pytest.fixture
async def session(store: Store, clock: SetClock, key: SessionKey) -> SessionKey:
    """A session that is there."""
    await store.create_session(key=key, title="", context={}, now=clock.now)
    return key


@pytest.fixture
async def other_user(store: Store, clock: SetClock, session: SessionKey) -> SessionKey:
    """Another user's session of the same id."""
    other = SessionKey(user_id="mallory", session_id=session.session_id)
    await store.create_session(key=other, title="", context={}, now=clock.now)
    return other


def new(key: SessionKey, clock: SetClock, **changes: Any) -> NewDeployment:
    made = NewDeployment(
        key=key,
        call_id="turn-1 call-1",
        deployment_id="d-1",
        asked="a bot",
        progress={"name": "rsi-bot", "said": ODD},
        now=clock.now,
        lease_seconds=LEASE,
        token=next(TOKENS),
    )
    return replace(made, **changes)


async def test_a_sessions_deployments_are_told_the_last_written_first(
    store: Store, clock: SetClock, session: SessionKey, other_user: SessionKey
) -> None:
    for call in ("1", "2", "3"):
        await store.claim_deployment(new=new(session, clock, call_id=call, deployment_id=f"d-{call}"))
        clock.pass_time(1)
    first = await store.load_deployment(key=session, call_id="1")
    assert first is not None
    made = replace(first, state="created", bot_id="b-1")
    await store.write_deployment(deployment=made, now=clock.pass_time(1), lease_seconds=0)
    found = await store.session_deployments(key=session, limit=9)
    assert [each.call_id for each in found] == ["1", "3", "2"]
    assert found[0].bot_id == "b-1"
    assert found[0].progress == made.progress
    assert await store.session_deployments(key=session, limit=1) == found[:1]
    assert await store.session_deployments(key=other_user, limit=9) == ()


async def names(store: Store) -> list[str]:
    return [each.event.event_id for each in await store.unpublished_events(limit=99)]


async def test_a_new_one_is_held_by_its_first_claim(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    assert await store.load_deployment(key=session, call_id="turn-1 call-1") is None
    first = new(session, clock)
    held = await store.claim_deployment(new=first)
    assert held == Deployment(
        key=session,
        call_id="turn-1 call-1",
        deployment_id="d-1",
        asked="a bot",
        state="begun",
        token=first.token,
        lease_until=held.lease_until,
        progress={"name": "rsi-bot", "said": ODD},
    )
    assert (held.lease_until - clock.now).total_seconds() == LEASE
    assert await store.claim_deployment(new=first) == held
    assert await store.claim_deployment(new=new(session, clock)) == held
    assert await store.load_deployment(key=session, call_id="turn-1 call-1") == held


async def test_of_many_claims_at_once_one_holds(
    store: Store, other_store: Store, clock: SetClock, session: SessionKey
) -> None:
    claims = [new(session, clock) for _ in range(8)]
    held = await asyncio.gather(
        *((store, other_store)[i % 2].claim_deployment(new=claim) for i, claim in enumerate(claims))
    )
    assert len({each.token for each in held}) == 1
    assert held[0].token in {claim.token for claim in claims}


async def test_a_dead_one_is_taken_over_with_what_its_holder_wrote(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    dead = await store.claim_deployment(new=new(session, clock))
    wrote = replace(dead, state="uploaded", progress={"file_path": "a/b"})
    await store.write_deployment(deployment=wrote, now=clock.pass_time(10), lease_seconds=LEASE)
    clock.pass_time(LEASE - 1)
    assert (await store.claim_deployment(new=new(session, clock))).token == dead.token
    clock.pass_time(1)
    again = new(session, clock, deployment_id="d-2", progress={})
    other = await store.claim_deployment(new=replace(again, asked="another bot"))
    assert other.token == dead.token
    held = await store.claim_deployment(new=again)
    assert held == replace(wrote, token=again.token, lease_until=held.lease_until)
    with pytest.raises(SessionConflictError):
        await store.write_deployment(deployment=wrote, now=clock.now, lease_seconds=LEASE)
    await store.write_deployment(deployment=held, now=clock.now, lease_seconds=0)
    assert (await store.claim_deployment(new=new(session, clock))).token != held.token


async def test_its_end_is_for_good_and_lets_its_events_out(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    held = await store.claim_deployment(new=new(session, clock))
    made = replace(held, state="created", bot_id="bot-" + ODD, progress={"url": "u"})
    clock.pass_time(1)
    for _ in range(2):
        await store.write_deployment(
            deployment=made, now=clock.now, lease_seconds=0, events=(event("deployed"),)
        )
    assert await names(store) == ["deployed"]
    clock.pass_time(LEASE * 2)
    found = await store.claim_deployment(new=new(session, clock))
    assert found == replace(made, lease_until=found.lease_until)
    assert found.has_ended
    failed = replace(held, state="failed")
    with pytest.raises(SessionConflictError):
        await store.write_deployment(deployment=failed, now=clock.now, lease_seconds=0)
    assert await store.load_deployment(key=session, call_id="turn-1 call-1") == found


async def test_its_event_goes_out_while_a_turn_runs(store: Store, clock: SetClock, key: SessionKey) -> None:
    await begin(store, key, clock)
    held = await store.claim_deployment(new=new(key, clock))
    made = replace(held, state="created", bot_id="b")
    await store.write_deployment(deployment=made, now=clock.now, lease_seconds=0, events=(event("deployed"),))
    assert await names(store) == ["deployed"]


async def test_the_sessions_of_a_bot_newest_first_whoever_they_belong_to(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    bob = session_key("bob")
    await store.create_session(key=bob, title="", context={}, now=clock.now)
    for key, call in ((session, "1"), (bob, "2"), (session, "3")):
        held = await store.claim_deployment(new=new(key, clock, call_id=call))
        made = replace(held, state="created", bot_id="bot-1")
        await store.write_deployment(deployment=made, now=clock.pass_time(1), lease_seconds=0)
    await store.claim_deployment(new=new(session, clock, call_id="4"))
    assert await store.sessions_of_bot(bot_id="bot-1") == (session, bob)
    assert await store.sessions_of_bot(bot_id="bot-2") == ()
    of_both = await store.sessions_of_bots(bot_ids=frozenset({"bot-1", "bot-2"}))
    assert of_both == {"bot-1": (session, bob), "bot-2": ()}
    assert await store.sessions_of_bots(bot_ids=frozenset()) == {}


async def test_a_session_that_is_not_there_deploys_nothing_new(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    with pytest.raises(SessionNotFoundError):
        await store.claim_deployment(new=new(session_key("bob"), clock))
    held = await store.claim_deployment(new=new(session, clock))
    await store.delete_session(key=session, now=clock.pass_time(1))
    with pytest.raises(SessionNotFoundError):
        await store.claim_deployment(new=new(session, clock, call_id="other"))
    # What was made outside is there all the same.
    made = replace(held, state="created", bot_id="b")
    await store.write_deployment(deployment=made, now=clock.now, lease_seconds=0, events=(event("deployed"),))
    assert await names(store) == ["deployed"]
    assert await store.load_deployment(key=session_key("bob"), call_id="turn-1 call-1") is None
