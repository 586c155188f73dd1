"""SIGKILL while the platform makes, changes or deletes an instance, and a repeat: it is done once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from tests.end_to_end.test_deploy_a_bot import save
from tests.faults.test_killed_deployment import WAIT_SECONDS, resumed
from tests.servers.agent import agent_server
from tests.servers.platform import Platform, platform_server
from tests.servers.sse import chat_stream


def settings_of(platform: Platform) -> dict[str, str]:
    return {
        "THE0_API_URL": platform.url,
        "THE0_API_KEY": "planted-secret-platform-key",
        "TURN_LEASE_SECONDS": "2",
    }


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.parametrize("takes", [True, False], ids=["taken", "lost"])
def test_a_turn_that_deploys_and_starts(takes: bool, tmp_path: Path) -> None:
    with platform_server() as platform:
        held = platform.fail("start", takes=takes, holds=True, lost=True)
        with agent_server(tmp_path, **settings_of(platform)) as agent, agent.client() as client:
            save(client, "s")
            stream = chat_stream(client, "deploy it unverified and run it", session_id="s")
            (question,) = stream.of("approval_required")
            turn, call = stream.chunks[0]["turn_id"], question["id"]
            answer = client.build_request(
                "POST", f"/chat/turns/{turn}/approvals/{call}", json={"approved": True, "unverified": True}
            )
            going = client.send(answer, stream=True)
            assert held.reached.wait(WAIT_SECONDS)
            agent.process.kill()
            agent.process.wait()
            held.release.set()
            with pytest.raises(httpx.HTTPError):
                going.read()
        with agent_server(tmp_path, **settings_of(platform)) as agent, agent.client() as client:
            stream = resumed(client, turn)
            assert stream.types[-1] == "complete", stream.chunks
            (result,) = [each for each in stream.of("tool_result") if each["name"] == "deploy_bot"]
            (row,) = platform.instances.rows
            assert result["result"]["instance"]["bot_id"] == row["id"]
            assert len(platform.bots) == 1
            assert platform.times("start") == (1 if takes else 2)


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.parametrize("takes", [True, False], ids=["taken", "lost"])
@pytest.mark.parametrize("kind", ["start", "change", "stop"])
def test_a_request_of_the_users_own(
    kind: Literal["start", "change", "stop"], takes: bool, tmp_path: Path
) -> None:
    with platform_server() as platform:
        with agent_server(tmp_path, **settings_of(platform)) as agent, agent.client() as client:
            save(client, "s")
            client.post("/artifacts/deploy/s").raise_for_status()
            request = prepared(client, kind)
            held = platform.fail(kind, takes=takes, holds=True, lost=True)
            asking = threading.Thread(target=lambda: quietly(client, request))
            asking.start()
            assert held.reached.wait(WAIT_SECONDS)
            agent.process.kill()
            agent.process.wait()
            held.release.set()
            asking.join(WAIT_SECONDS)
        with agent_server(tmp_path, **settings_of(platform)) as agent, agent.client() as client:
            done = insisted(client, request)
            if kind == "stop":
                assert (platform.instances.rows, done["status"]) == ([], "deleted")
            else:
                (row,) = platform.instances.rows
                assert (row["id"], row["name"]) == (done["bot_id"], "then")
            assert len(client.get("/artifacts/deploy/s/instances").json()) == 1


def prepared(client: httpx.Client, kind: str) -> dict[str, Any]:
    """The request that is to be killed under way, with its key."""
    path = "/artifacts/deploy/s/instances"
    headers = {"Idempotency-Key": "k"}
    if kind == "start":
        return {"method": "POST", "url": path, "json": {"name": "then"}, "headers": headers}
    made = client.post(path, json={"name": "first"}).json()["bot_id"]
    if kind == "stop":
        return {"method": "DELETE", "url": f"{path}/{made}", "headers": headers}
    return {"method": "PUT", "url": f"{path}/{made}", "json": {"name": "then"}, "headers": headers}


def quietly(client: httpx.Client, request: dict[str, Any]) -> None:
    with pytest.raises(httpx.HTTPError):
        client.request(**request)


def insisted(client: httpx.Client, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to the repeated request, once the dead process's step is free."""
    held = threading.Event()
    for _ in range(120):
        answer = client.request(**request, timeout=60)
        if answer.status_code != 409:
            break
        assert answer.json()["code"] == "deployment_in_progress"
        held.wait(1)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found
