"""Turns over a WebSocket that are slow, many, left by their reader, or cut by the end of the server."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions.socket_session import SERVERS, new_session, with_gemini
from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, reply
from tests.servers.sockets import socket_to


@pytest.fixture
def user() -> str:
    """A user no other test has."""
    return f"user-{uuid.uuid4().hex}"


@pytest.fixture
def gated(gemini: GeminiServer, tmp_path: Path) -> Iterator[Agent]:
    with agent_server(tmp_path, **with_gemini(gemini)) as agent:
        yield agent


def resident(agent: Agent) -> int:
    """Bytes of memory that the process holds."""
    status = Path(f"/proc/{agent.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) * 1024


async def test_a_second_message_is_refused_while_a_turn_runs(
    gemini: GeminiServer, gated: Agent, user: str
) -> None:
    gate = Gate()
    gemini.script(reply("One", gate, " done."))
    new_session(gated, user)
    async with socket_to(gated, "s", user=user) as socket:
        await socket.say("First")
        await socket.until(type="content")
        await socket.say("Second", idempotency_key="second")
        refused = await socket.next()
        assert (refused["type"], refused["code"]) == ("error", "turn_in_progress")
        assert refused["retryable"] is True
        assert refused["idempotency_key"] == "second"
        gate.open()
        assert (await socket.reply()).last["message"] == "One done."


async def test_an_interrupting_message_stops_the_turn_before(
    gemini: GeminiServer, gated: Agent, user: str
) -> None:
    gemini.script(reply("One", Gate(), " done."), reply("Two."))
    new_session(gated, user)
    async with socket_to(gated, "s", user=user) as socket:
        await socket.say("First")
        await socket.until(type="content")
        await socket.say("Second", if_busy="interrupt")
        stopped = (await socket.until(type="error"))[-1]
        assert stopped["code"] in ("interrupted", "cancelled")
        answer = await socket.until(type="response")
        assert answer[-1]["message"] == "Two."
        assert answer[-1]["turn_id"] != stopped["turn_id"]


async def test_waiting_messages_are_answered_in_order(gemini: GeminiServer, gated: Agent, user: str) -> None:
    gate = Gate()
    gemini.script(reply("One", gate), reply("Two"), reply("Three"))
    new_session(gated, user)
    async with socket_to(gated, "s", user=user) as socket:
        for message in ("First", "Second", "Third"):
            await socket.say(message, if_busy="wait")
        await socket.until(type="content")
        gate.open()
        answers = [(await socket.until(type="response"))[-1]["message"] for _ in range(3)]
    assert answers == ["One", "Two", "Three"]


async def test_more_messages_than_a_socket_may_have_are_refused(
    gemini: GeminiServer, gated: Agent, user: str
) -> None:
    gate = Gate()
    gemini.script(reply("First", gate))
    gemini.always(reply("Next"))
    new_session(gated, user)
    async with socket_to(gated, "s", user=user) as socket:
        await socket.say("0", if_busy="wait")
        await socket.until(type="content")
        for number in range(1, 17):
            await socket.say(str(number), if_busy="wait")
        refused = (await socket.until(type="error"))[-1]
        assert (refused["code"], refused["retryable"], refused["retry_after"]) == ("rate_limited", True, 1)
        gate.open()
        for _ in range(16):
            await socket.until(type="response")


async def test_a_client_that_goes_away_does_not_stop_its_turn(
    gemini: GeminiServer, gated: Agent, user: str
) -> None:
    gate = Gate()
    gemini.script(reply("Half", gate, " and half."))
    new_session(gated, user)
    async with socket_to(gated, "s", user=user) as socket:
        await socket.say("Go", idempotency_key="k")
        await socket.until(type="content")
        socket.connection.transport.abort()
    async with socket_to(gated, "s", user=user) as socket:
        await socket.say("Go", idempotency_key="k")
        await socket.until(type="content", content="Half")
        gate.open()
        assert (await socket.reply()).last["message"] == "Half and half."


async def test_a_reader_that_reads_nothing_costs_others_nothing(
    gemini: GeminiServer, gated: Agent, user: str
) -> None:
    words = "w" * 50_000
    gemini.on("much", reply(*[words] * 400))
    gemini.on("little", reply("Here."), reply("Here."))
    new_session(gated, user, "slow")
    new_session(gated, user, "quick")
    async with socket_to(gated, "slow", user=user) as slow, socket_to(gated, "quick", user=user) as quick:
        slow.connection.transport.pause_reading()
        await slow.say("much", idempotency_key="k")
        for _ in range(2):
            assert (await quick.ask("little")).last["message"] == "Here."
        before = resident(gated)
        slow.connection.transport.resume_reading()
        whole = await slow.reply()
        assert len(whole.text) == 400 * len(words)
        assert resident(gated) - before < 200 * 1024 * 1024


@pytest.mark.parametrize("module", SERVERS.values())
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_the_end_of_the_server_is_told_and_closes_with_1012(
    gemini: GeminiServer, tmp_path: Path, user: str, module: str, how: signal.Signals
) -> None:
    gemini.script(reply("So far", Gate(), " so good."))
    with agent_server(tmp_path, module=module, **with_gemini(gemini)) as agent:
        new_session(agent, user)
        async with socket_to(agent, "s", user=user) as busy, socket_to(agent, "s", user=user) as idle:
            await busy.say("Go")
            await busy.until(type="content")
            agent.process.send_signal(how)
            assert (await busy.reply()).last["code"] == "interrupted"
            assert await busy.closed() == 1012
            assert await idle.closed() == 1012
        assert await asyncio.to_thread(agent.process.wait, 10) == 0
        assert "Traceback" not in agent.logs()
