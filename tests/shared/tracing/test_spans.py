"""Spans around what is done: their places, their failures, and nothing where nobody collects."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from shared.errors import SessionNotFoundError, StoreUnavailableError
from shared.tracing.calls import traced_calls
from shared.tracing.context import current, outside
from shared.tracing.spans import NO_SPAN, Within, begin_span, flush, is_tracing, span
from tests.shared.tracing.collecting import ELSEWHERE, PLACE, Collecting, collecting


def test_where_nobody_collects_a_trace_is_passed_on_all_the_same() -> None:
    assert not is_tracing()
    with Within(PLACE), span("work") as work:
        assert work is NO_SPAN
        assert current() == PLACE
        with span("heard", "consumer", parent=ELSEWHERE) as heard:
            heard.set("a", 1)
            heard.name("b")
            heard.fail("c")
            assert current() == ELSEWHERE
        assert current() == PLACE
        begun = begin_span("sent", "producer", parent=ELSEWHERE)
        begun.end()
        assert begun.context is None


def test_spans_are_beneath_each_other() -> None:
    with collecting() as found:
        with span("outer", "server", {"a": 1}, parent=PLACE, links=(ELSEWHERE,)):
            with span("inner"):
                begin_span("aside", "producer").end()
            assert current() == found.one("outer").context
        assert current() is None
        outer, inner, aside = found.spans
        assert (outer.parent, outer.kind, outer.attributes, outer.links) == (
            PLACE,
            "server",
            {"a": 1},
            (ELSEWHERE,),
        )
        assert (inner.parent, aside.parent) == (outer.context, inner.context)
        assert all(each.ended for each in found.spans)


@pytest.mark.parametrize(
    ("error", "failed", "kind"),
    [
        (StoreUnavailableError("at postgresql://user:pw@db"), "store_unavailable", None),
        (SessionNotFoundError("no session of alice"), None, "session_not_found"),
        (TimeoutError("secret"), "timeout", None),
        (KeyError("secret"), "KeyError", None),
        (asyncio.CancelledError("secret"), None, "cancelled"),
    ],
)
def test_a_failure_is_told_by_its_code_and_never_its_words(
    error: BaseException, failed: str | None, kind: str | None
) -> None:
    with collecting() as found:
        with pytest.raises(type(error)), span("work"):
            raise error
        work = found.one("work")
        assert (work.failed, work.attributes.get("error.type"), work.ended) == (failed, kind, True)


async def test_what_goes_on_in_the_background_belongs_to_nobodys_request() -> None:
    async def look() -> object:
        return current()

    with Within(PLACE):
        assert await asyncio.create_task(look()) == PLACE
        assert await asyncio.create_task(look(), context=outside()) is None


class Port:
    """A port of two coroutines, a word and a stream."""

    word = "w"

    async def load(self, *, key: str) -> str:
        return f"loaded {key}"

    async def check(self) -> str:
        return "healthy"

    async def stream(self) -> AsyncIterator[int]:
        yield 1


async def test_a_ports_calls_are_spans_within_a_trace_alone() -> None:
    port = Port()
    assert traced_calls(port, "sessions", {}) is port
    with collecting() as found:
        traced = traced_calls(port, "sessions", {"db.system.name": "sqlite"})
        assert await traced.load(key="a") == "loaded a"
        assert found.titles == []
        with Within(PLACE):
            assert await traced.load(key="b") == "loaded b"
            assert await traced.check() == "healthy"
            assert [each async for each in traced.stream()] == [1]
        assert traced.word == "w"
        load = found.one("load sessions")
        assert found.titles == ["load sessions"]
        assert (load.kind, load.parent) == ("client", PLACE)
        assert load.attributes == {"db.system.name": "sqlite", "db.operation.name": "load"}


async def test_what_has_ended_is_sent_on_demand_and_a_collector_that_hangs_is_not_waited_for() -> None:
    await flush(seconds=1)
    with collecting() as found:
        await flush(seconds=30)
        assert found.flushes == 1
        found.hang = threading.Event()
        await flush(seconds=0.01)
        found.hang.set()


def test_a_tracer_of_a_test_is_gone_after_it() -> None:
    with collecting() as found:
        assert isinstance(found, Collecting)
        assert is_tracing()
    assert not is_tracing()
