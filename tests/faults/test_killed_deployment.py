"""SIGKILL while the platform makes the bot, and a resume: there is one bot, and the turn tells of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import httpx
import pytest

from tests.end_to_end.test_deploy_a_bot import ask, save
from tests.servers.agent import agent_server
from tests.servers.platform import platform_server
from tests.servers.sse import Stream, read_stream

WAIT_SECONDS = 60.0


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.parametrize("takes", [True, False], ids=["taken", "lost"])
@pytest.mark.parametrize("form", ["upload", "code"])
def test_killed_while_the_platform_makes_the_bot(
    form: Literal["upload", "code"], takes: bool, tmp_path: Path
) -> None:
    with platform_server(form=form) as platform:
        settings = {
            "THE0_API_URL": platform.url,
            "THE0_API_KEY": "planted-secret-platform-key",
            "TURN_LEASE_SECONDS": "2",
        }
        kind = "register" if form == "upload" else "create"
        held = platform.fail(kind, takes=takes, holds=True, lost=True)
        with agent_server(tmp_path, **settings) as agent, agent.client() as client:
            save(client, "s")
            turn, call = ask(client, "s")
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
        assert len(platform.bots) == (1 if takes else 0)
        with agent_server(tmp_path, **settings) as agent, agent.client() as client:
            stream = resumed(client, turn)
            assert stream.types[-1] == "complete", stream.chunks
            (bot,) = platform.bots
            (result,) = [each for each in stream.of("tool_result") if each["name"] == "deploy_bot"]
            assert result["result"]["bot_id"] == bot["id"]
            assert bot["id"] in stream.text
            assert platform.times(kind) == (1 if takes else 2)
            late = client.post(f"/chat/turns/{turn}/approvals/{call}", json={"approved": True})
            assert late.status_code == 409
            assert len(platform.bots) == 1


def resumed(client: httpx.Client, turn: str) -> Stream:
    """The stream of a turn that is taken up as soon as its dead owner's lease has run out."""
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        with client.stream("POST", f"/chat/turns/{turn}/resume", timeout=120) as response:
            if response.status_code == 200:
                stream = read_stream(response)
                # While the lease holds the turn counts as running, and its stream tells when it is over.
                if stream.chunks[-1].get("code") != "interrupted":
                    return stream
            else:
                assert response.status_code == 409
        assert time.monotonic() < give_up
        time.sleep(0.2)
