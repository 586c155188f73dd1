"""Calls that run once: repeats, races, crashes, other arguments; over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.clock import utc_now
from shared.errors import SessionNotFoundError, StoreUnavailableError, ToolNotFoundError
from shared.keys import SessionKey
from shared.messages import ToolCall, ToolFault, ToolResult, ToolSpec
from shared.sessions.sql.store import SqlStore
from shared.tools.once import OnceToolRunner
from shared.tools.port import CallOrigin
from tests.contracts.session_values import SetClock

SESSION = SessionKey(user_id="alice", session_id="s1")
CALL = ToolCall(id="c1", name="count", arguments={"a": 1, "b": [2]})


class CountingRunner:
    """`ToolRunner` with one tool that counts its runs and may be held, be told to fail, or to raise."""

    def __init__(self) -> None:
        self.runs = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()
        self.fault: ToolFault | None = None
        self.raises: BaseException | None = None

    async def catalogue(self) -> tuple[ToolSpec, ...]:
        return (ToolSpec(name="count", description="Counts.", input_schema={}, output_schema={}),)

    async def run(
        self, *, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None = None
    ) -> ToolResult:
        if call.name != "count":
            raise ToolNotFoundError("there is no such tool")
        self.runs += 1
        runs = self.runs
        self.started.set()
        await self.gate.wait()
        if self.raises is not None:
            raise self.raises
        return ToolResult(
            id=call.id,
            name=call.name,
            status="error" if self.fault else "ok",
            result=None if self.fault else {"runs": runs},
            error=self.fault,
            artifacts=("a.py",),
            untrusted=True,
        )


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    async with await SqlStore.open(sqlite_url) as opened:
        await opened.create_session(key=SESSION, title="", context={}, now=utc_now())
        yield opened


@pytest.fixture
def counting() -> CountingRunner:
    return CountingRunner()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def once(
    counting: CountingRunner, store: SqlStore, clock: SetClock, *, wait_seconds: float = 30
) -> OnceToolRunner:
    return OnceToolRunner(
        runner=counting, calls=store, deadlines={"count": 5.0}, clock=clock, wait_seconds=wait_seconds
    )


async def run(runner: OnceToolRunner, call: ToolCall = CALL) -> ToolResult:
    async with asyncio.timeout(20):
        return await runner.run(call=call, session=SESSION)


async def test_a_repeat_gets_the_recorded_result(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    first = await run(once(counting, store, clock))
    clock.pass_time(100_000)
    same = ToolCall(id="c1", name="count", arguments={"b": [2], "a": 1})
    assert await run(once(counting, store, clock), same) == first
    assert first.result == {"runs": 1}
    assert (first.artifacts, first.untrusted) == (("a.py",), True)
    assert (
        await run(once(counting, store, clock), ToolCall(id="c2", name="count", arguments={}))
    ).result == {"runs": 2}


async def test_other_arguments_under_the_id_are_a_mismatch(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    runner = once(counting, store, clock)
    await run(runner)
    result = await run(runner, ToolCall(id="c1", name="count", arguments={"a": 2, "b": [2]}))
    assert result.error is not None
    assert (result.error.code, result.error.retryable, counting.runs) == ("call_id_mismatch", False, 1)


async def test_repeats_at_once_wait_for_the_first(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    counting.gate.clear()
    tasks = [asyncio.create_task(run(once(counting, store, clock))) for _ in range(8)]
    await counting.started.wait()
    counting.gate.set()
    results = await asyncio.gather(*tasks)
    assert counting.runs == 1
    assert [result.result for result in results] == [{"runs": 1}] * 8


async def test_who_cannot_wait_is_told_to_come_back(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    counting.gate.clear()
    first = asyncio.create_task(run(once(counting, store, clock)))
    await counting.started.wait()
    result = await run(once(counting, store, clock, wait_seconds=0))
    assert result.error is not None
    assert (result.error.code, result.error.retryable) == ("call_in_progress", True)
    counting.gate.set()
    assert await run(once(counting, store, clock)) == await first


async def test_a_call_whose_process_died_runs_again_after_its_deadline(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    counting.gate.clear()
    dead = asyncio.create_task(run(once(counting, store, clock)))
    await counting.started.wait()
    clock.pass_time(19.9)
    early = await run(once(counting, store, clock, wait_seconds=0))
    assert early.error is not None
    assert early.error.code == "call_in_progress"
    clock.pass_time(0.1)
    counting.started.clear()
    later = asyncio.create_task(run(once(counting, store, clock)))
    await counting.started.wait()
    counting.gate.set()
    assert (await later).result == {"runs": 2}
    # The first was not dead after all: its caller learns what it did, the record stays.
    assert (await dead).result == {"runs": 1}
    assert (await run(once(counting, store, clock))).result == {"runs": 2}


async def test_a_failure_is_kept_unless_it_may_be_retried(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    runner = once(counting, store, clock)
    counting.fault = ToolFault(code="timeout", message="slow", retryable=True)
    assert (await run(runner)).status == "error"
    counting.fault = ToolFault(code="tool_failed", message="no")
    kept = await run(runner)
    counting.fault = None
    assert await run(runner) == kept
    assert counting.runs == 2


@pytest.mark.parametrize("error", [asyncio.CancelledError(), RuntimeError("a defect")])
async def test_what_came_to_no_result_leaves_the_id_free(
    counting: CountingRunner, store: SqlStore, clock: SetClock, error: BaseException
) -> None:
    runner = once(counting, store, clock)
    counting.raises = error
    with pytest.raises(type(error)):
        await run(runner)
    counting.raises = None
    assert (await run(runner)).result == {"runs": 2}


async def test_calls_that_nobody_can_repeat_and_unknown_tools_leave_no_record(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    runner = once(counting, store, clock)
    for runs in (1, 2):
        result = await runner.run(call=CALL, session=None)
        assert result.result == {"runs": runs}
    with pytest.raises(ToolNotFoundError):
        await run(runner, ToolCall(id="c9", name="rm_rf", arguments={}))
    assert await store.load_tool_call(key=SESSION, call_id="c9") is None
    assert [spec.name for spec in await runner.catalogue()] == ["count"]


async def test_nothing_runs_when_the_claim_cannot_be_recorded(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    runner = once(counting, store, clock)
    with pytest.raises(SessionNotFoundError):
        await runner.run(call=CALL, session=SessionKey(user_id="bob", session_id="s1"))
    await store.close()
    with pytest.raises(StoreUnavailableError):
        await run(runner)
    assert counting.runs == 0


async def test_a_result_that_cannot_be_recorded_still_reaches_its_caller(
    counting: CountingRunner, store: SqlStore, clock: SetClock
) -> None:
    counting.gate.clear()
    task: asyncio.Task[Any] = asyncio.create_task(run(once(counting, store, clock)))
    await counting.started.wait()
    await store.close()
    counting.gate.set()
    assert (await task).result == {"runs": 1}
