"""The contract of `UserSecrets`, over every backend."""

from __future__ import annotations

import asyncio

import pytest

from shared.sessions.port import Store
from tests.contracts.session_values import ODD, SetClock


async def test_a_secret_is_kept_replaced_and_removed(store: Store, clock: SetClock) -> None:
    assert await store.load_user_secret(user_id="alice", name="gemini") is None
    await store.delete_user_secret(user_id="alice", name="gemini")
    for value in ("first", "second", "second", ""):
        await store.save_user_secret(user_id="alice", name="gemini", value=value, now=clock.now)
        assert await store.load_user_secret(user_id="alice", name="gemini") == value
    for _ in range(2):
        await store.delete_user_secret(user_id="alice", name="gemini")
        assert await store.load_user_secret(user_id="alice", name="gemini") is None


@pytest.mark.parametrize("value", [ODD, "k" * 10_000, '\u2028 \\ "'])
async def test_any_text_comes_back(store: Store, clock: SetClock, value: str) -> None:
    await store.save_user_secret(user_id=ODD, name=ODD, value=value, now=clock.now)
    assert await store.load_user_secret(user_id=ODD, name=ODD) == value


async def test_secrets_belong_to_one_user_and_name(store: Store, clock: SetClock) -> None:
    await store.save_user_secret(user_id="alice", name="gemini", value="hers", now=clock.now)
    assert await store.load_user_secret(user_id="bob", name="gemini") is None
    assert await store.load_user_secret(user_id="alice", name="other") is None
    await store.save_user_secret(user_id="bob", name="gemini", value="his", now=clock.now)
    await store.save_user_secret(user_id="alice", name="other", value="too", now=clock.now)
    await store.delete_user_secret(user_id="bob", name="gemini")
    assert await store.load_user_secret(user_id="alice", name="gemini") == "hers"
    assert await store.load_user_secret(user_id="alice", name="other") == "too"


async def test_of_many_saved_at_once_one_stays_whole(store: Store, clock: SetClock) -> None:
    values = [f"{number}" * 50 for number in range(8)]
    await asyncio.gather(
        *(
            store.save_user_secret(user_id="alice", name="gemini", value=value, now=clock.now)
            for value in values
        )
    )
    assert await store.load_user_secret(user_id="alice", name="gemini") in values
