"""Events about bots as their senders post them, for tests on the wire."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson

from shared.clock import utc_now
from shared.keys import SessionKey
from shared.sessions.codec import Codec
from shared.sessions.deployment_port import NewDeployment
from shared.sessions.sql.store import SqlStore
from tests.servers.agent import Agent

SOURCE = "urn:the0:runtime"
EVENTARC = "google.cloud.pubsub.topic.v1.messagePublished"
BATCH = {"content-type": "application/cloudevents-batch+json"}

Post = tuple[dict[str, str], bytes]


def cloud_event(kind: str, data: Any, *, event_id: str = "e-1", time: str | None = None) -> dict[str, Any]:
    """A structured CloudEvent."""
    value = {"specversion": "1.0", "id": event_id, "source": SOURCE, "type": kind, "data": data}
    return value | ({"time": time} if time else {})


def _attributes(event: dict[str, Any]) -> dict[str, str]:
    return {f"ce-{name}": text for name, text in event.items() if name != "data"}


def binary(event: dict[str, Any]) -> Post:
    return {**_attributes(event), "content-type": "application/json"}, orjson.dumps(event["data"])


def structured(event: dict[str, Any]) -> Post:
    return {"content-type": "application/cloudevents+json"}, orjson.dumps(event)


def _pushed(message: dict[str, Any], data: Any) -> Post:
    whole = message | {
        "data": base64.b64encode(orjson.dumps(data)).decode(),
        "publishTime": "2026-11-01T10:00:00Z",
    }
    return {"content-type": "application/json"}, orjson.dumps({"message": whole, "subscription": "s"})


def pushed(event: dict[str, Any]) -> Post:
    """As Pub/Sub pushes it, its attributes beside it."""
    return _pushed({"attributes": _attributes(event), "messageId": "1"}, event["data"])


def pushed_whole(event: dict[str, Any]) -> Post:
    """As Pub/Sub pushes a structured event."""
    return _pushed({"messageId": "1"}, event)


def pushed_bare(event: dict[str, Any]) -> Post:
    """As Pub/Sub pushes the contract's body, whose id is Pub/Sub's own."""
    body = {"type": event["type"], "data": event["data"], "timestamp": event.get("time")}
    return _pushed({"messageId": event["id"]}, body)


def eventarc(event: dict[str, Any]) -> Post:
    """As an Eventarc trigger wraps what Pub/Sub pushes."""
    headers, body = pushed(event)
    named = {"ce-id": "9", "ce-source": "//pubsub", "ce-specversion": "1.0", "ce-type": EVENTARC}
    return {**headers, **named}, body


FORMS: tuple[Callable[[dict[str, Any]], Post], ...] = (
    binary,
    structured,
    pushed,
    pushed_whole,
    pushed_bare,
    eventarc,
)


def post(client: httpx.Client, event: dict[str, Any]) -> dict[str, Any]:
    """Posts it; the answer."""
    headers, body = structured(event)
    return sent(client, (headers, body))


def sent(client: httpx.Client, posted: Post) -> dict[str, Any]:
    """Posts what a form made; the answer."""
    headers, body = posted
    answer = client.post("/events", headers=headers, content=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def context_of(client: httpx.Client, session_id: str, **query: str) -> dict[str, Any]:
    """A session's context as its user sees it."""
    answer = client.get(f"/chat/sessions/{session_id}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["session"]["context"]
    return found


async def deploy(database_url: str, key: SessionKey, bot_id: str, *, codec: Codec | None = None) -> None:
    """Records in the store that the session deployed the bot."""
    async with await SqlStore.open(database_url, codec=codec) as store:
        now = utc_now()
        held = await store.claim_deployment(
            new=NewDeployment(
                key=key,
                call_id=f"call {bot_id}",
                deployment_id=f"d {bot_id}",
                asked="a bot",
                progress={},
                now=now,
                lease_seconds=30,
                token=time.monotonic_ns(),
            )
        )
        made = replace(held, state="created", bot_id=bot_id)
        await store.write_deployment(deployment=made, now=now, lease_seconds=30)


def database_of(agent: Agent) -> str:
    """The database of an agent on embedded defaults."""
    return f"sqlite+aiosqlite:///{Path(agent.folder) / 'data' / 'agent.db'}"
