"""The border of the tools: deadlines, arguments, and failures that nobody foresaw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.browsing.resolver import SystemResolver
from shared.clock import utc_now
from shared.errors import StoreUnavailableError, ToolFailedError, ToolNotFoundError
from shared.ids import new_id
from shared.messages import ToolCall, ToolResult
from shared.sessions.sql.store import SqlStore
from shared.settings import read_settings
from shared.tools.port import Tool, ToolContext, ToolServices, tool
from shared.tools.runner import LocalToolRunner

SECRET = "postgres://user:password@internal"


@tool(timeout=0.05)
async def slow(context: ToolContext) -> str:
    """Never ends."""
    await asyncio.Event().wait()
    return ""


@tool(timeout=1)
async def broken(context: ToolContext) -> str:
    """Fails in a way nobody foresaw."""
    raise RuntimeError(SECRET)


@tool(timeout=1)
async def picky(
    context: ToolContext, number: Annotated[int, Field(ge=1, le=3)], word: str = "a"
) -> list[Any]:
    """Takes a small number."""
    return [number, word]


@tool(timeout=1)
async def failing(context: ToolContext, how: str) -> str:
    """Fails as tools may."""
    if how == "store":
        raise StoreUnavailableError("the store is down")
    raise ToolFailedError("the page is gone", code="fetch_failed", retryable=True)


TOOLS: tuple[Tool, ...] = (slow, broken, picky, failing)


@pytest.fixture
async def runner(sqlite_url: str, tmp_path: Path) -> AsyncIterator[LocalToolRunner]:
    async with await SqlStore.open(sqlite_url) as store:
        library = ArtifactLibrary(
            objects=LocalObjectStore(tmp_path / "objects"), index=store, clock=utc_now, new_id=new_id
        )
        services = ToolServices(
            artifacts=library, settings=read_settings({}), resolver=SystemResolver(), clock=utc_now
        )
        yield LocalToolRunner(tools=TOOLS, services=services)


async def run(runner: LocalToolRunner, name: str, **arguments: Any) -> ToolResult:
    return await runner.run(call=ToolCall(id="call-1", name=name, arguments=arguments), session=None)


async def test_a_tool_past_its_deadline_is_stopped(runner: LocalToolRunner) -> None:
    result = await run(runner, "slow")
    assert result.error is not None
    assert (result.status, result.error.code, result.error.retryable) == ("error", "timeout", True)
    assert result.duration_ms >= 50


async def test_what_nobody_foresaw_is_told_without_its_words(
    runner: LocalToolRunner, caplog: pytest.LogCaptureFixture
) -> None:
    result = await run(runner, "broken")
    assert result.error is not None
    assert result.error.code == "internal_error"
    assert SECRET not in result.error.message
    assert "call-1" in result.error.message
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({}, "number"), ({"number": 4}, "number"), ({"number": "x"}, "number"), ({"number": 1, "z": 0}, "z")],
)
async def test_arguments_are_checked_and_the_wrong_one_named(
    runner: LocalToolRunner, arguments: dict[str, Any], named: str
) -> None:
    result = await run(runner, "picky", **arguments)
    assert result.error is not None
    assert result.error.code == "invalid_arguments"
    assert named in result.error.message


async def test_defaults_fill_what_was_left_out(runner: LocalToolRunner) -> None:
    assert (await run(runner, "picky", number=2)).result == [2, "a"]


async def test_our_own_errors_keep_their_code(runner: LocalToolRunner) -> None:
    store = await run(runner, "failing", how="store")
    assert store.error is not None
    assert (store.error.code, store.error.retryable) == ("store_unavailable", True)
    page = await run(runner, "failing", how="page")
    assert page.error is not None
    assert (page.error.code, page.error.message, page.error.retryable) == (
        "fetch_failed",
        "the page is gone",
        True,
    )


async def test_an_unknown_tool_is_an_error_that_names_the_known(runner: LocalToolRunner) -> None:
    with pytest.raises(ToolNotFoundError, match="picky"):
        await run(runner, "rm")
