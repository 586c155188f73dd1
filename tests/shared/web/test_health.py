"""Health asks the parts together, for a bounded time, and not more often than every few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from shared.clock import utc_now
from shared.errors import ModelUnavailableError, StoreUnavailableError
from shared.messages import TextPart
from shared.model.port import ChatModel, ModelChunk, ModelRequest
from shared.model.watched import WatchedModel
from shared.web import health as module
from shared.web.health import Check, Health


def health(**checks: Check) -> Health:
    return Health(checks=checks, version="1", clock=utc_now, active_sessions=lambda: 3)


def says(word: str) -> Check:
    async def check() -> str:
        return word

    return check


def raises(error: Exception) -> Check:
    async def check() -> str:
        raise error

    return check


ALL: dict[str, Check] = {
    "gemini": says("healthy"),
    "database": says("healthy"),
    "minio": says("healthy"),
    "redis": says("not_configured"),
    "nats": says("not_configured"),
}


@pytest.mark.parametrize(
    ("name", "check", "status", "verdict"),
    [
        ("gemini", says("offline"), 200, "healthy"),
        ("gemini", says("model_unavailable"), 200, "degraded"),
        ("redis", says("degraded"), 200, "degraded"),
        ("nats", says("degraded"), 200, "degraded"),
        ("database", raises(StoreUnavailableError("away")), 503, "unhealthy"),
        ("minio", raises(StoreUnavailableError("away")), 503, "unhealthy"),
        ("redis", raises(KeyError("a mistake of ours")), 200, "degraded"),
        ("database", raises(KeyError("a mistake of ours")), 503, "unhealthy"),
    ],
)
async def test_what_is_down_decides(name: str, check: Check, status: int, verdict: str) -> None:
    found, report = await health(**{**ALL, name: check}).report()
    assert (found, report["status"]) == (status, verdict)
    assert report["checks"].keys() == {*ALL, "active_sessions"}
    assert report["checks"]["active_sessions"] == 3
    # The answer is public: it says no more than a word.
    assert "mistake" not in str(report)
    assert "away" not in str(report)
    assert (name in report["message"]) is (verdict != "healthy")


async def test_parts_are_asked_together_and_one_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)
    met = asyncio.Barrier(2)

    async def meets() -> str:
        await met.wait()
        return "healthy"

    async def hangs() -> str:
        await asyncio.Event().wait()
        return "healthy"

    _, report = await health(database=meets, minio=meets, redis=hangs).report()
    assert report["checks"] == {
        "database": "healthy",
        "minio": "healthy",
        "redis": "timeout",
        "active_sessions": 3,
    }


async def test_who_asks_at_once_or_soon_after_has_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def counts() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return "healthy"

    found = health(database=counts)
    await asyncio.gather(*(found.report() for _ in range(5)))
    assert asked == 1
    await found.report()
    assert asked == 1
    monkeypatch.setattr(module, "CACHE_SECONDS", 0.0)
    await found.report()
    assert asked == 2


class Scripted:
    """A model that does what it is told."""

    name = "m"

    def __init__(self, does: Callable[[], ModelChunk]) -> None:
        self.does = does

    async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def]
        yield self.does()

    async def close(self) -> None:
        """Holds nothing."""


async def ask(model: ChatModel) -> None:
    async for _ in model.stream(ModelRequest(model="m", system="", messages=())):
        continue


def fails(error: Exception) -> Callable[[], ModelChunk]:
    def fail() -> ModelChunk:
        raise error

    return fail


async def test_a_model_that_failed_is_in_trouble_until_it_answers_or_a_minute_is_over() -> None:
    now = 0.0
    scripted = Scripted(fails(ModelUnavailableError("away")))
    model = WatchedModel(scripted, monotonic=lambda: now)
    assert model.trouble is None
    with pytest.raises(ModelUnavailableError):
        await ask(model)
    assert model.trouble == "model_unavailable"
    now = 61.0
    assert model.trouble is None
    now = 30.0
    assert model.trouble == "model_unavailable"
    scripted.does = lambda: TextPart(text="Yes")
    await ask(model)
    assert model.trouble is None
