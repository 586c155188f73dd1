"""The tool `bot_history`: a bot's past, newest first, of its user's own bots alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.bots.facts import BotEvent, FactKind
from shared.clock import utc_now
from shared.keys import SessionKey
from shared.messages import ToolCall
from shared.sessions.inbound_port import AddressedEvent
from shared.tools.bot_history import bot_history
from tests.shared.tools.tool_bench import ToolBench, tool_bench

NIGHT = datetime(2026, 11, 2, 1, tzinfo=UTC)
SECRET = "Zx9fQ2mPq8Lr5TvBw3Nc"


@pytest.fixture
async def bench(tmp_path: Path, sqlite_url: str) -> AsyncIterator[ToolBench]:
    async with tool_bench(tmp_path, sqlite_url, (bot_history,)) as opened:
        yield opened


async def told(bench: ToolBench, kind: str, data: dict[str, Any], *, hour: int = 0, bot: str = "b-1") -> None:
    """Records what came of a bot of the bench's session."""
    await _record(bench, bench.session, kind, data, hour, bot)


async def _record(
    bench: ToolBench, key: SessionKey, kind: str, data: dict[str, Any], hour: int, bot: str
) -> None:
    facts: dict[FactKind, dict[str, Any]] = {}
    event = BotEvent(
        source="urn:t",
        event_id=f"{kind} {hour} {bot} {json.dumps(data)}",
        type=kind,
        time=NIGHT + timedelta(hours=hour),
        bot_id=bot,
        data=data,
        facts=facts,
    )
    outcomes = await bench.store.record_events(
        events=(AddressedEvent(event=event, keys=(key,)),), now=utc_now()
    )
    assert outcomes == ("applied",)


async def history(bench: ToolBench, **arguments: Any) -> dict[str, Any]:
    result = await bench.run("bot_history", **{"bot_id": "b-1", **arguments})
    assert result.untrusted
    assert result.error is None
    found: dict[str, Any] = result.result
    jsonschema.validate(found, bot_history.spec.output_schema)
    return found


async def test_runs_errors_metrics_changes_and_lines_newest_first(bench: ToolBench) -> None:
    await told(bench, "the0.bot-schedule.updated", {"name": "x", "schedule": "0 9 * * *"}, hour=0)
    await told(bench, "bot.execution.completed", {"metrics": {"pnl": 2}, "result": "sold"}, hour=1)
    await told(bench, "the0.bot.log", {"line": "first"}, hour=2)
    await told(bench, "the0.bot.log", {"line": "second\nthird"}, hour=3)
    await told(bench, "bot.execution.failed", {"error": "KeyError: 'x'", "logs": ["a", "b"]}, hour=4)
    found = await history(bench)
    assert [entry["time"][11:13] for entry in found["entries"]] == ["05", "04", "02", "01"]
    failed, log, completed, changed = found["entries"]
    assert (failed["error"], failed["lines"]) == ("KeyError: 'x'", ["a", "b"])
    assert log["lines"] == ["first", "second", "third"]
    assert (completed["metrics"], completed["details"]) == ({"pnl": 2}, {"result": "sold"})
    assert changed["details"]["schedule"] == "0 9 * * *"
    assert found["next_cursor"] is None
    assert found["now"] > "2026"


async def test_pages_follow_each_other_and_end(bench: ToolBench) -> None:
    for hour in range(5):
        await told(bench, "bot.execution.completed", {"n": hour}, hour=hour)
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(3):
        page = await history(bench, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [entry["details"]["n"] for entry in page["entries"]]
        cursor = page["next_cursor"]
    assert seen == [4, 3, 2, 1, 0]
    assert cursor is None


async def test_a_page_fits_a_prompt_and_holds_no_secret(bench: ToolBench) -> None:
    noisy = {
        "error": "x" * 2000,
        "logs": [f"api_key={SECRET} " + "y" * 480] * 20,
        "metrics": {f"m{n}": "z" * 200 for n in range(50)},
        "config": {"api_secret": SECRET, "more": "w" * 4000},
    }
    for hour in range(30):
        await told(bench, "bot.execution.failed", noisy, hour=hour)
    text = json.dumps(await history(bench, limit=30))
    assert len(text) < 80_000
    assert len(json.dumps(await history(bench))) < 40_000
    assert SECRET not in text


async def test_anothers_bot_and_none_are_the_same_clear_error(bench: ToolBench) -> None:
    other = SessionKey(user_id="bob", session_id="s1")
    await bench.store.create_session(key=other, title="", context={}, now=utc_now())
    await _record(bench, other, "bot.execution.completed", {"result": "theirs"}, 0, "b-2")
    faults = [await bench.fault("bot_history", bot_id=bot) for bot in ("b-2", "nobody's")]
    assert faults[0] == faults[1]
    assert "no bot of yours" in faults[0].message


async def test_bad_arguments_are_explained(bench: ToolBench) -> None:
    await told(bench, "bot.execution.completed", {"n": 1})
    assert "cursor" in (await bench.fault("bot_history", bot_id="b-1", cursor="no")).message
    call = ToolCall(id="c", name="bot_history", arguments={"bot_id": "b-1"})
    result = await bench.runner.run(call=call, session=None)
    assert result.error is not None
    assert "session_id" in result.error.message
