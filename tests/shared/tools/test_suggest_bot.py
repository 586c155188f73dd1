"""The tool `suggest_bot`: one event a call, in the form the contract gives it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import select

from shared.clock import utc_now
from shared.keys import SessionKey
from shared.messages import ToolCall
from shared.sessions.codec import Codec
from shared.sessions.sql.runner import open_runner
from shared.sessions.sql.schema import outbox
from shared.settings import Settings
from shared.tools.port import ToolServices
from shared.tools.runner import LocalToolRunner
from shared.tools.suggest_bot import suggest_bot
from tests.shared.tools.tool_bench import NoHosts, ToolBench, tool_bench


@pytest.fixture
async def bench(tmp_path: Path, sqlite_url: str) -> AsyncIterator[ToolBench]:
    async with tool_bench(tmp_path, sqlite_url, (suggest_bot,)) as opened:
        yield opened


async def events(sqlite_url: str) -> list[tuple[str, str, Any]]:
    runner = open_runner(sqlite_url)
    rows = await runner.read(lambda conn: conn.execute(select(outbox)).all())
    await runner.close()
    return [(row.event_id, row.type, Codec().decode(row.data, row.user_id)) for row in rows]


async def test_a_suggestion_is_an_event_of_the_contract(bench: ToolBench, sqlite_url: str) -> None:
    result = await bench.run("suggest_bot", suggestion="A grid bot on ETH/USDT", symbol="ETH/USDT")
    assert result.status == "ok", result.error
    jsonschema.validate(result.result, suggest_bot.spec.output_schema)
    data = {
        "session_id": "s1",
        "suggestion": "A grid bot on ETH/USDT",
        "user_id": "alice",
        "symbol": "ETH/USDT",
    }
    assert await events(sqlite_url) == [(result.result["event_id"], "ai.bot.suggestion", data)]
    assert str(uuid.UUID(result.result["event_id"])) == result.result["event_id"]


async def test_a_repeated_call_is_one_event_and_another_call_another(
    bench: ToolBench, sqlite_url: str
) -> None:
    calls = (bench.run("suggest_bot", call_id="c\ud800", suggestion="A DCA bot") for _ in range(4))
    ids = {result.result["event_id"] for result in await asyncio.gather(*calls)}
    assert len(ids) == 1
    await bench.run("suggest_bot", call_id="c2", suggestion="A DCA bot")
    assert len(await events(sqlite_url)) == 2
    other = SessionKey(user_id="alice\u00e9", session_id="s1")
    await bench.store.create_session(key=other, title="", context={}, now=utc_now())
    call = ToolCall(id="c2", name="suggest_bot", arguments={"suggestion": "A DCA bot"})
    assert (await bench.runner.run(call=call, session=other)).status == "ok"
    assert len({event_id for event_id, _, _ in await events(sqlite_url)}) == 3


@pytest.mark.parametrize(
    "arguments",
    [{}, {"suggestion": ""}, {"suggestion": " \n"}, {"suggestion": "x" * 2001}, {"suggestion": 1}],
)
async def test_wrong_arguments_store_nothing(
    bench: ToolBench, sqlite_url: str, arguments: dict[str, Any]
) -> None:
    fault = await bench.fault("suggest_bot", **arguments)
    assert fault.code == "invalid_arguments"
    assert "suggestion" in fault.message
    assert await events(sqlite_url) == []


async def test_without_a_session_or_an_outbox_it_says_so(bench: ToolBench) -> None:
    call = ToolCall(id="c1", name="suggest_bot", arguments={"suggestion": "A bot"})
    nowhere = await bench.runner.run(call=call, session=None)
    assert nowhere.error is not None
    assert "session_id" in nowhere.error.message
    gone = await bench.runner.run(call=call, session=replace(bench.session, session_id="s2"))
    assert gone.error is not None
    assert gone.error.code == "session_not_found"
    services = ToolServices(artifacts=bench.artifacts, settings=Settings(), resolver=NoHosts(), clock=utc_now)
    deaf = LocalToolRunner(tools=(suggest_bot,), services=services)
    refused = await deaf.run(call=call, session=bench.session)
    assert refused.error is not None
    assert refused.error.code == "tool_failed"
