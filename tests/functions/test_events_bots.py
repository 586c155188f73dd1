"""Events about bots on the wire, into the session's context: every type, every form, any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx
import orjson
import pytest

from tests.functions.bot_posts import BATCH, FORMS, Post, cloud_event, context_of, post, sent
from tests.servers.agent import Agent

NUMBERS = count(1)
T = "2026-11-02T08:00:{:02}Z"

METRICS = {"pnl": 12.5, "trades": 3}
MARKET = {"symbol": "BTC/USDT", "trend": "up"}
CONFIG = {
    "name": "my rsi",
    "type": "realtime/rsi-bot",
    "version": "1.2.0",
    "api_secret": "MARK",
    "customBotId": "c-1",
}
CUSTOM = {"config": {"name": "rsi-bot"}, "version": "1.2.0", "createdAt": "2026-11-01T00:00:00Z"}
ABOUT = {"name": "my rsi", "custom_bot": "rsi-bot", "version": "1.2.0"}
SCHEDULED = CONFIG | {"type": "scheduled/rsi-bot", "schedule": "0 9 * * *"}


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client() as client:
        yield client


@pytest.fixture
def session(client: httpx.Client) -> str:
    """A session of this test's own."""
    session_id = f"s-{next(NUMBERS)}"
    client.post("/chat/sessions", json={"session_id": session_id, "context": {"own": 1}}).raise_for_status()
    return session_id


def bot(status: str, **more: Any) -> Callable[[dict[str, Any]], None]:
    """The check that the context has the bot like that."""

    def check(context: dict[str, Any]) -> None:
        shown = context["bots"]["b-1"]
        assert shown["status"] == status, shown
        assert {name: shown.get(name) for name in more} == more
        assert shown["status_since"] == T.format(1)
        assert ("evidence" in shown) is (status == "running")

    return check


def members(**wanted: Any) -> Callable[[dict[str, Any]], None]:
    """The check that the context has these members."""

    def check(context: dict[str, Any]) -> None:
        for name, value in wanted.items():
            assert context[name] == value

    return check


BOT = {"bot_id": "b-1"}
WHEN = {"bot_id": "b-1", "time": T.format(1)}
CASES: dict[str, tuple[str, dict[str, Any], Callable[[dict[str, Any]], None]]] = {
    "completed": (
        "bot.execution.completed",
        {**BOT, "result": "sold", "metrics": METRICS, "market_data": MARKET},
        members(
            recent_execution={**WHEN, "status": "completed", "result": "sold"},
            performance_metrics=METRICS,
            market_conditions=MARKET,
            own=1,
        ),
    ),
    "completed, camel case": (
        "bot.execution.completed",
        {"botId": "b-1", "marketData": MARKET},
        members(recent_execution={**WHEN, "status": "completed"}, market_conditions=MARKET),
    ),
    "completed, nested": (
        "bot.execution.completed",
        {"type": "bot.execution.completed", "timestamp": T.format(1), "data": {**BOT, "metrics": METRICS}},
        members(performance_metrics=METRICS),
    ),
    "failed": (
        "bot.execution.failed",
        {**BOT, "error": {"message": "KeyError: 'close'"}, "logs": "a\nb\n", "exit_code": 1},
        members(
            recent_execution={
                **WHEN,
                "status": "failed",
                "exit_code": 1,
                "error": "KeyError: 'close'",
                "logs": ["a", "b"],
            }
        ),
    ),
    "failed, the bot": ("bot.execution.failed", {**BOT, "error": "boom"}, bot("failed")),
    "backtest": (
        "backtest.completed",
        {**BOT, "metrics": METRICS, "period": "90d"},
        members(recent_backtest={**WHEN, "metrics": METRICS, "period": "90d"}),
    ),
    "deployed": (
        "ai.bot.deployed",
        {**BOT, "name": "x", "version": "1.0.0"},
        bot("accepted, not started", name="x"),
    ),
    "created": (
        "the0.bot.created",
        {"id": "b-1", "config": CONFIG, "custom": CUSTOM},
        bot("running", **ABOUT),
    ),
    "created, wrapped": (
        "the0.bot.created",
        {"type": "the0.bot.created", "entity_id": "b-1", "data": {"id": "b-1", "config": CONFIG}},
        bot("running", **ABOUT),
    ),
    "updated": ("the0.bot.updated", {"id": "b-1", "config": CONFIG}, bot("accepted, not started", **ABOUT)),
    "switched off": (
        "the0.bot.updated",
        {"id": "b-1", "config": {**CONFIG, "enabled": False}},
        bot("stopped"),
    ),
    "deleted": ("the0.bot.deleted", {"id": "b-1", "config": CONFIG}, bot("deleted")),
    "schedule created": (
        "the0.bot-schedule.created",
        {"id": "b-1", "config": SCHEDULED},
        bot("accepted, not started", schedule="0 9 * * *", **ABOUT),
    ),
    "schedule updated": (
        "the0.bot-schedule.updated",
        {"id": "b-1", "config": SCHEDULED},
        bot("accepted, not started", schedule="0 9 * * *"),
    ),
    "schedule deleted": ("the0.bot-schedule.deleted", {"id": "b-1", "config": SCHEDULED}, bot("deleted")),
    "log": (
        "the0.bot.log",
        {**BOT, "line": "ERROR no candles"},
        bot("running", last_error={"time": T.format(1), "text": "ERROR no candles"}),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_type_in_every_form(client: httpx.Client, session: str, name: str) -> None:
    kind, data, check = CASES[name]
    for number, form in enumerate(FORMS):
        own = f"{session}-{number}"
        client.post("/chat/sessions", json={"session_id": own, "context": {"own": 1}}).raise_for_status()
        event = cloud_event(kind, {**data, "session_id": own}, event_id=f"e-{own}", time=T.format(1))
        assert sent(client, form(event)) == {"status": "applied"}, form.__name__
        assert sent(client, form(event)) == {"status": "duplicate"}, form.__name__
        context = context_of(client, own)
        check(context)
        assert "MARK" not in str(context)


def test_the_newest_by_time_wins_and_a_repeat_changes_nothing(client: httpx.Client, session: str) -> None:
    events = [
        cloud_event(
            "bot.execution.completed",
            {**BOT, "session_id": session, "metrics": {"n": number}},
            event_id=f"{session}-{number}",
            time=T.format(number),
        )
        for number in (3, 1, 4, 2)
    ]
    for event in (*events, *events):
        post(client, event)
    context = context_of(client, session)
    assert context["performance_metrics"] == {"n": 4}
    assert context["told_by"]["performance_metrics"] == {
        "bot_id": "b-1",
        "time": T.format(4),
        "type": "bot.execution.completed",
    }


def test_how_a_bot_is_follows_what_shows_it(client: httpx.Client, session: str) -> None:
    story: list[tuple[str, dict[str, Any], str]] = [
        ("ai.bot.deployed", {**BOT, "name": "rsi"}, "accepted, not started"),
        ("the0.bot.created", {"id": "b-1", "config": CONFIG}, "running"),
        ("bot.execution.failed", {**BOT, "error": "boom"}, "failed"),
        # What a crash leaves in the log shows no life.
        ("the0.bot.log", {**BOT, "line": "Traceback"}, "failed"),
        ("the0.bot.updated", {"id": "b-1", "config": CONFIG}, "accepted, not started"),
        ("the0.bot.log", {**BOT, "line": "WARN slow"}, "running"),
        ("bot.execution.completed", BOT, "stopped"),
        ("the0.bot.deleted", {"id": "b-1"}, "deleted"),
        ("the0.bot.log", {**BOT, "line": "late"}, "deleted"),
    ]
    posted = []
    for number, (kind, data, status) in enumerate(story, start=1):
        event = cloud_event(
            kind, {**data, "session_id": session}, event_id=f"{session}-{number}", time=T.format(number)
        )
        post(client, event)
        posted.append(event)
        assert context_of(client, session)["bots"]["b-1"]["status"] == status, kind
    # The other way round it comes to the same.
    other = f"{session}-back"
    client.post("/chat/sessions", json={"session_id": other, "context": {"own": 1}})
    for event in reversed(posted):
        post(client, {**event, "id": f"back-{event['id']}", "data": {**event["data"], "session_id": other}})
    assert context_of(client, other) == context_of(client, session)


def test_a_failed_run_keeps_the_lines_that_came_before_it(client: httpx.Client, session: str) -> None:
    for number in range(3):
        line = {**BOT, "session_id": session, "message": f"line {number}"}
        post(client, cloud_event("the0.bot.log", line, event_id=f"{session}-{number}", time=T.format(number)))
    failed = {**BOT, "session_id": session}
    post(client, cloud_event("bot.execution.failed", failed, event_id=f"{session}-f", time=T.format(5)))
    run = context_of(client, session)["recent_execution"]
    assert run["logs"] == [f"{T.format(number)} line {number}" for number in range(3)]


def test_what_an_event_says_is_bounded(client: httpx.Client, session: str) -> None:
    long = "x" * 5_000
    deep: dict[str, Any] = {"a": {}}
    for _ in range(30):
        deep = {"a": deep}
    data = {
        **BOT,
        "session_id": session,
        "metrics": {f"m-{number}": long for number in range(100)},
        "market_data": deep,
        "lines": [long] * 1000,
    }
    assert post(client, cloud_event("bot.execution.completed", data, event_id=session))["status"] == "applied"
    failed = {**BOT, "session_id": session, "error": long, "logs": [long] * 1000}
    assert post(client, cloud_event("bot.execution.failed", failed, event_id=f"{session}-f"))["status"] == (
        "applied"
    )
    context = context_of(client, session)
    assert len(orjson.dumps(context)) < 50_000
    assert len(context["recent_execution"]["logs"]) == 20


def test_a_batch_is_answered_in_its_order(client: httpx.Client, session: str) -> None:
    named = {**BOT, "session_id": session}
    first = cloud_event("bot.execution.completed", {**named, "metrics": {"n": 1}}, event_id=f"{session}-1")
    events: list[Any] = [
        first,
        cloud_event("the0.bot.renamed", named, event_id=f"{session}-2"),
        {"id": "no-type", "source": SOURCE_OF_NOTHING},
        "nothing",
        first,
        cloud_event("bot.execution.completed", {**BOT, "session_id": "nowhere"}, event_id=f"{session}-3"),
        cloud_event("the0.bot.log", {**named, "bot_id": 5}, event_id=f"{session}-4"),
    ]
    answer = sent(client, (BATCH, orjson.dumps(events)))
    statuses = [(each["id"], each["status"]) for each in answer["results"]]
    assert statuses == [
        (f"{session}-1", "applied"),
        (f"{session}-2", "unknown_type"),
        ("no-type", "malformed"),
        (None, "malformed"),
        (f"{session}-1", "duplicate"),
        (f"{session}-3", "unknown_session"),
        (f"{session}-4", "malformed"),
    ]
    assert [each["source"] for each in answer["results"][:3]] == [first["source"], first["source"], "s"]
    assert answer["results"][6]["reason"].startswith("bot_id")
    assert context_of(client, session)["performance_metrics"] == {"n": 1}
    again = sent(client, (BATCH, orjson.dumps(events)))
    assert again["results"][0]["status"] == "duplicate"


SOURCE_OF_NOTHING = "s"


def test_a_batch_of_a_thousand_is_taken_and_one_more_is_not(client: httpx.Client, session: str) -> None:
    events = [
        cloud_event(
            "bot.execution.completed",
            {"bot_id": f"b-{number % 50}", "session_id": session, "metrics": {"n": number}},
            event_id=f"{session}-{number}",
            time=f"2026-11-02T08:{number // 60:02}:{number % 60:02}Z",
        )
        for number in range(1000)
    ]
    answer = sent(client, (BATCH, orjson.dumps(events)))
    assert {each["status"] for each in answer["results"]} == {"applied"}
    context = context_of(client, session)
    assert context["performance_metrics"] == {"n": 999}
    assert len(context["bots"]) == 20
    refused = client.post("/events", headers=BATCH, content=orjson.dumps([*events, events[0]]))
    assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("content", [b"{}", b"not json", b"\xff\xfe"])
def test_what_is_no_batch_is_one_letter(client: httpx.Client, content: bytes) -> None:
    answer = sent(client, (BATCH, content))
    assert [(each["id"], each["status"]) for each in answer["results"]] == [(None, "malformed")]
    assert sent(client, (BATCH, b"[]")) == {"results": []}


def test_a_turn_that_was_left_may_come_in_a_batch(client: httpx.Client) -> None:
    data = {"user_id": "default-user", "session_id": "s", "turn_id": "none"}
    posted: Post = (BATCH, orjson.dumps([cloud_event("turn.resume", data)]))
    assert [each["status"] for each in sent(client, posted)["results"]] == ["gone"]


def test_events_are_counted_by_type_and_outcome(client: httpx.Client, session: str) -> None:
    event = cloud_event("backtest.completed", {"session_id": session}, event_id=session)
    name = 'events_received_total{outcome="applied",type="backtest.completed"}'
    before = _metric(client, name)
    post(client, event)
    assert _metric(client, name) == before + 1


def _metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)
