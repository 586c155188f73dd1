"""Events that were not applied: kept with their reason, listed, shown, and read again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.functions.bot_posts import FORMS, cloud_event, context_of, post, sent
from tests.servers.agent import Agent, agent_server
from tests.servers.agent_process import run_command, run_fresh_command
from tests.servers.postgres import postgres_server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Agent, httpx.Client]]:
    """An agent whose record is empty."""
    with agent_server(tmp_path) as agent, agent.client() as client:
        yield agent, client


def run_of(session: str, number: int = 1) -> dict[str, Any]:
    data = {"bot_id": "b-1", "session_id": session, "metrics": {"n": number}}
    return cloud_event(
        "bot.execution.completed", data, event_id=f"{session}-{number}", time="2026-11-02T08:00:00Z"
    )


def letters(client: httpx.Client) -> list[dict[str, Any]]:
    answer = client.get("/events/dead-letters")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


def replay(client: httpx.Client, letter_id: str) -> dict[str, Any]:
    answer = client.post(f"/events/dead-letters/{letter_id}/replay")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_event_for_no_session_waits_until_there_is_one(own: tuple[Agent, httpx.Client]) -> None:
    _, client = own
    answer = post(client, run_of("late"))
    assert answer["status"] == "unknown_session"
    # The same again is the same letter.
    assert post(client, run_of("late")) == answer
    [letter] = letters(client)
    assert letter == {
        "id": letter["id"],
        "reason": "unknown_session",
        "detail": answer["reason"],
        "received_at": letter["received_at"],
        "source": "urn:the0:runtime",
        "event_id": "late-1",
        "type": "bot.execution.completed",
        "time": "2026-11-02T08:00:00Z",
        "bot_id": "b-1",
        "payload": run_of("late"),
        "payload_bytes": len(orjson.dumps(run_of("late"))),
    }
    assert _waiting(client) == 1
    assert replay(client, letter["id"])["status"] == "unknown_session"
    assert [each["id"] for each in letters(client)] == [letter["id"]]
    client.post("/chat/sessions", json={"session_id": "late"})
    assert replay(client, letter["id"]) == {"status": "applied"}
    assert context_of(client, "late")["performance_metrics"] == {"n": 1}
    assert letters(client) == []
    assert _waiting(client) == 0
    for method, path in (("POST", f"{letter['id']}/replay"), ("GET", letter["id"])):
        gone = client.request(method, f"/events/dead-letters/{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, "dead_letter_not_found")


def test_what_is_no_event_is_kept_as_it_came(own: tuple[Agent, httpx.Client]) -> None:
    _, client = own
    broken = (
        ({"content-type": "application/json"}, b'{"hello": 1}'),
        ({"ce-id": "1", "ce-type": "the0.bot.log", "ce-source": "s"}, b"\xff\xfe"),
        ({"content-type": "application/cloudevents+json"}, b'{"id": "1"}'),
    )
    for headers, content in broken:
        assert sent(client, (headers, content))["status"] == "malformed"
    found = {each["id"]: each for each in letters(client)}
    assert len(found) == 3
    for each in found.values():
        assert each["reason"] == "malformed"
        assert client.get(f"/events/dead-letters/{each['id']}").json() == each
        assert replay(client, each["id"])["status"] == "malformed"
    assert {each["id"] for each in letters(client)} == found.keys()
    assert {each["payload"].get("text") for each in found.values()} == {'{"hello": 1}', None, '{"id": "1"}'}
    assert {each["payload"].get("base64") for each in found.values()} == {"//4=", None}


def test_data_that_fits_no_type_says_which_field(own: tuple[Agent, httpx.Client]) -> None:
    _, client = own
    wrong: list[tuple[str, Any, str]] = [
        ("bot.execution.completed", {"bot_id": "a b"}, "bot_id"),
        ("bot.execution.completed", {"bot_id": "b", "metrics": 5}, "metrics"),
        ("bot.execution.completed", {"session_id": "../x"}, "session_id"),
        ("bot.execution.completed", {"session_id": "s", "user_id": "u" * 600}, "user_id"),
        ("the0.bot.created", {"config": {}}, "bot_id"),
        ("the0.bot.deleted", [], "body"),
        ("backtest.completed", None, "body"),
    ]
    for number, (kind, data, field) in enumerate(wrong):
        for form in FORMS:
            event = cloud_event(kind, data, event_id=f"wrong-{number}-{form.__name__}")
            answer = sent(client, form(event))
            assert (answer["status"], answer["reason"].partition(":")[0]) == ("malformed", field), answer
    old = cloud_event("backtest.completed", {"session_id": "s"}, time="1969-12-31T23:59:59Z")
    assert post(client, old)["status"] == "malformed"
    deep: dict[str, Any] = {}
    for _ in range(250):
        deep = {"a": deep}
    assert post(client, cloud_event("backtest.completed", {"session_id": "s", "x": deep}, event_id="deep"))
    assert post(client, cloud_event("no.such.type", deep, event_id="deep-2")) == {"status": "unknown_type"}


def test_the_list_goes_on_by_its_link(own: tuple[Agent, httpx.Client]) -> None:
    _, client = own
    for number in range(5):
        post(client, run_of("nowhere", number))
    found: list[str] = []
    url: str | None = "/events/dead-letters?limit=2"
    while url is not None:
        answer = client.get(url)
        found += [each["event_id"] for each in answer.json()]
        url = answer.links.get("next", {}).get("url")
        assert len(found) <= 5
    assert found == [f"nowhere-{number}" for number in range(4, -1, -1)]
    for query in ("limit=0", "limit=201", "cursor=x"):
        assert client.get(f"/events/dead-letters?{query}").status_code == 400


def test_a_large_one_is_listed_without_its_payload_and_too_large_a_one_is_cut(
    own: tuple[Agent, httpx.Client],
) -> None:
    _, client = own
    for size in (20_000, 300_000):
        event = cloud_event("no.such.type", {"text": "x" * size}, event_id=f"large-{size}")
        assert post(client, event)["status"] == "unknown_type"
    cut, whole = letters(client)
    assert (cut["payload"], whole["payload"]) == (None, None)
    assert client.get(f"/events/dead-letters/{whole['id']}").json()["payload"]["data"] == {
        "text": "x" * 20_000
    }
    assert "truncated" in client.get(f"/events/dead-letters/{cut['id']}").json()["payload"]
    refused = client.post(f"/events/dead-letters/{cut['id']}/replay")
    assert refused.status_code == 422
    assert len(letters(client)) == 2


def test_only_services_see_and_replay(own: tuple[Agent, httpx.Client]) -> None:
    _, client = own
    for method, path in (("GET", ""), ("GET", "/a"), ("POST", "/a/replay")):
        url = f"/events/dead-letters{path}"
        answer = client.request(method, url, headers={"x-forwarded-for": "203.0.113.9"})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_store_that_is_down_makes_all_of_a_batch_come_again(tmp_path: Path) -> None:
    with postgres_server() as postgres:
        url = postgres.create_database()
        with agent_server(tmp_path, DATABASE_URL=url) as agent, agent.client() as client:
            client.post("/chat/sessions", json={"session_id": "s"}).raise_for_status()
            headers = {"content-type": "application/cloudevents-batch+json"}
            batch = orjson.dumps([run_of("s", 1), run_of("nowhere", 2)])
            postgres.stop()
            for path in ("/events", "/events/dead-letters"):
                method = "POST" if path == "/events" else "GET"
                answer = client.request(method, path, headers=headers, content=batch)
                assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
                assert int(answer.headers["retry-after"]) >= 1
            postgres.start()
            results = client.post("/events", headers=headers, content=batch).json()["results"]
            assert [each["status"] for each in results] == ["applied", "unknown_session"]
            assert context_of(client, "s")["performance_metrics"] == {"n": 1}


def command(
    agent: Agent,
    *arguments: str,
    run: Callable[..., subprocess.CompletedProcess[bytes]] = run_command,
) -> tuple[int, list[dict[str, Any]], str]:
    environment = {"DATA_DIR": str(agent.folder / "data"), "PATH": ""}
    done = run("functions.events", "dead-letters", *arguments, environment=environment)
    return done.returncode, [orjson.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_the_command_lists_shows_and_replays(own: tuple[Agent, httpx.Client]) -> None:
    agent, client = own
    for number in range(2):
        post(client, run_of("late", number))
    post(client, cloud_event("no.such.type", {}, event_id="never"))
    status, lines, _ = command(agent, "list")
    assert (status, [line["reason"] for line in lines]) == (0, ["unknown_type"] + ["unknown_session"] * 2)
    status, [shown], _ = command(agent, "show", lines[1]["id"])
    assert (status, shown["payload"]) == (0, run_of("late", 1))
    client.post("/chat/sessions", json={"session_id": "late"})
    status, [done], _ = command(agent, "replay", lines[2]["id"], run=run_fresh_command)
    assert (status, done) == (0, {"id": lines[2]["id"], "status": "applied"})
    status, done_all, _ = command(agent, "replay")
    assert (status, [each["status"] for each in done_all]) == (1, ["applied", "unknown_type"])
    assert context_of(client, "late")["recent_execution"]["status"] == "completed"
    status, _, said = command(agent, "show", "none")
    assert status == 1
    assert "no such event" in said


def _waiting(client: httpx.Client) -> float:
    lines = client.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("dead_letters_waiting ")))
