"""A session that is left alone reads as closed, is not deleted, and a message opens it again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import httpx
import pytest

from functions.chat.activity import ActivityRule
from shared.errors import SessionNotFoundError
from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.page import Page
from shared.sessions.turn_port import TurnStore
from shared.settings import Settings
from shared.turn import Turn, TurnRequest, TurnStatus
from tests.servers.agent import Agent

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULE = ActivityRule.of(Settings(session_timeout_minutes=120, turn_timeout=600, approval_hours=24))


def session(name: str, idle: timedelta) -> Session:
    key = SessionKey(user_id="u", session_id=name)
    return Session(key=key, title="", context={}, created_at=NOW - idle, updated_at=NOW - idle, revision=1)


class Newest:
    """A store that knows the newest turn of each session by its status, and counts its reads."""

    def __init__(self, **statuses: TurnStatus) -> None:
        self.statuses = statuses
        self.reads = 0

    async def list_turns(self, *, key: SessionKey, limit: int, cursor: str | None) -> Page[Turn]:
        self.reads += 1
        if key.session_id not in self.statuses:
            raise SessionNotFoundError("there is no such session")
        turn = Turn(
            key=key,
            turn_id="t",
            number=1,
            request=TurnRequest(message="Hi"),
            prompt_version="1",
            status=self.statuses[key.session_id],
            created_at=NOW,
        )
        return Page(items=(turn,))


async def active(store: Newest, sessions: Sequence[Session]) -> set[str]:
    found = await RULE.active(cast(TurnStore, store), sessions, NOW)
    return {key.session_id for key in found}


async def test_a_session_is_active_for_the_time_that_is_set() -> None:
    store = Newest(late="completed")
    just = timedelta(minutes=119, seconds=59)
    assert await active(store, [session("now", timedelta()), session("just", just)]) == {"now", "just"}
    assert store.reads == 0
    assert await active(store, [session("late", timedelta(minutes=120))]) == set()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("running", True),
        ("waiting", True),
        ("paused", True),
        ("completed", False),
        ("failed", False),
        ("cancelled", False),
        ("interrupted", False),
    ],
)
async def test_a_turn_that_is_under_way_keeps_it_active(status: TurnStatus, expected: bool) -> None:
    found = await active(Newest(s=status), [session("s", timedelta(hours=3))])
    assert found == ({"s"} if expected else set())


async def test_a_session_deleted_meanwhile_is_not_active_and_an_old_one_costs_no_read() -> None:
    store = Newest(old="running")
    sessions = [session("gone", timedelta(hours=3)), session("old", timedelta(days=9))]
    assert await active(store, sessions) == set()
    assert store.reads == 1


def test_over_the_wire_it_closes_and_opens(agent: Agent) -> None:
    user = {"user_id": "idle"}
    with agent.client() as client:
        for name in ("left", "used"):
            client.post("/chat", json={"message": "Hello", "session_id": name, **user}).raise_for_status()
        assert states(client) == {"left": True, "used": True}
        grow_old(agent, "left", timedelta(minutes=121))
        assert states(client) == {"left": False, "used": True}
        one = client.get("/chat/sessions/left", params=user).json()
        assert one["session"]["is_active"] is False
        # Closed is not deleted: all is still there, and a message opens it.
        assert len(one["messages"]) == 2
        client.post("/chat", json={"message": "Hello", "session_id": "left", **user}).raise_for_status()
        assert states(client) == {"left": True, "used": True}


def states(client: httpx.Client) -> dict[str, bool]:
    listed = client.get("/chat/sessions", params={"user_id": "idle"}).json()
    return {entry["id"]: entry["is_active"] for entry in listed}


def grow_old(agent: Agent, session_id: str, by: timedelta) -> None:
    """Sets back the time of the session's last change, as if so long had passed."""
    with closing(sqlite3.connect(agent.folder / "data" / "agent.db", timeout=10)) as database, database:
        changed = database.execute(
            "update sessions set updated_at = updated_at - ? where session_id = ?",
            (int(by.total_seconds() * 1_000_000), session_id),
        )
        assert changed.rowcount == 1


def test_the_rule_follows_the_settings() -> None:
    rule = ActivityRule.of(Settings(session_timeout_minutes=5))
    assert rule.idle == timedelta(minutes=5)
    assert replace(rule, idle=timedelta()).longest == rule.longest >= timedelta(hours=24)
