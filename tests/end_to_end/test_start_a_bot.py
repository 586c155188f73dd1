"""Instances over HTTP and from the chat: what the platform gets, what is told, what is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.test_deploy_a_bot import SENTENCE, deploying, save, say, stream_of
from tests.servers.agent import Agent
from tests.servers.platform import Platform
from tests.servers.sse import Stream, chat_stream
from tests.shared.deployment.bots import template_bot

MARK, KEY = "MARK-zanzibar-88213", "zQ81kd0a9sdKJ3mm20xkMARK"


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Agent, Platform]]:
    """An agent with a platform of the upload form, one a module."""
    with deploying(tmp_path_factory.mktemp("starting")) as both:
        yield both


def rows(platform: Platform, session: str) -> list[dict[str, Any]]:
    """The instances of the session's bot that the platform has."""
    return [row for row in platform.instances.rows if row["config"]["type"].endswith(f"/bot-{session}")]


def deploy(client: httpx.Client, session: str, files: dict[str, bytes] | None = None) -> str:
    """Deploys a session's bot; where its instances are."""
    save(client, session, files)
    client.post(f"/artifacts/deploy/{session}").raise_for_status()
    return f"/artifacts/deploy/{session}/instances"


def approved(client: httpx.Client, session: str, message: str) -> Stream:
    """The stream behind the yes to what a message leads to."""
    stream = chat_stream(client, message, session_id=session)
    (question,) = stream.of("approval_required")
    return stream_of(say(client, stream.chunks[0]["turn_id"], question["id"], True))


def result(stream: Stream) -> dict[str, Any]:
    """What deploy_bot gave in it."""
    (found,) = [each for each in stream.of("tool_result") if each["name"] == "deploy_bot"]
    assert found["status"] == "ok", found
    value: dict[str, Any] = found["result"]
    return value


def test_from_one_sentence_to_a_bot_that_runs_and_is_stopped(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        assert chat_stream(client, SENTENCE, session_id="s").types[-1] == "complete"
        before = len(platform.asked)
        made = result(approved(client, "s", "deploy it and run it every hour"))
        (row,) = [
            each for each in platform.instances.rows if each["config"]["type"] == "scheduled/weekly-eth"
        ]
        assert made["instance"]["bot_id"] == row["id"]
        assert made["instance"]["status"] == "accepted, not started"
        assert row["config"]["schedule"] == "0 * * * *"
        assert row["config"]["symbol"] == "ETH/USDT"
        assert len(platform.asked) > before
        said = chat_stream(client, "is it running?", session_id="s").text
        assert "accepted, not started" in said
        # The same files are not deployed a second time for a second wish.
        changed = result(approved(client, "s", "run it every 2 hours instead"))
        assert changed["instance"]["schedule"] == row["config"]["schedule"] == "0 */2 * * *"
        assert len([bot for bot in platform.bots if bot["name"] == "weekly-eth"]) == 1
        heard = {"bots": {row["id"]: {"status": "running", "evidence": "the0.bot-schedule.created"}}}
        client.patch("/chat/sessions/s/context", json=heard).raise_for_status()
        (told,) = client.get("/artifacts/deploy/s/instances").json()
        assert (told["status"], told["evidence"]) == ("running", "the0.bot-schedule.created")
        stopped = result(approved(client, "s", "stop the bot"))
        assert stopped["instance"]["status"] == "deleted"
        assert row not in platform.instances.rows
        (told,) = client.get("/artifacts/deploy/s/instances").json()
        assert told["status"] == "deleted"


def test_a_no_starts_nothing(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "no")
        stream = chat_stream(client, "deploy it and run it", session_id="no")
        (question,) = stream.of("approval_required")
        assert question["arguments"] == {"instance": {}}
        say(client, stream.chunks[0]["turn_id"], question["id"], False)
        assert rows(platform, "no") == []
        assert client.get("/artifacts/deploy/no/instances").json() == []


def test_an_instance_that_is_refused_deploys_nothing(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "early")
        # A realtime bot takes no schedule: that is known before anything is sent.
        stream = approved(client, "early", "deploy it and run it every hour")
        assert "schedule: is for scheduled bots" in json.dumps(stream.chunks)
        assert [bot for bot in platform.bots if bot["name"] == "bot-early"] == []


def test_the_user_starts_changes_and_stops_by_himself(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        path = deploy(client, "own")
        body = {"name": "mine", "config": {"symbol": "ETH/USDT"}}
        first = client.post(path, json=body, headers={"Idempotency-Key": "k"})
        assert first.status_code == 201, first.text
        (row,) = rows(platform, "own")
        expected = {
            "bot_id": row["id"],
            "name": "mine",
            "type": "realtime/bot-own",
            "version": "1.2.3",
            "created_at": first.json()["created_at"],
            "status": "accepted, not started",
        }
        assert first.json() == expected
        again = client.post(path, json=body, headers={"Idempotency-Key": "k"})
        assert (again.status_code, again.json()) == (201, expected)
        other = client.post(path, json={"name": "other"}, headers={"Idempotency-Key": "k"})
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
        assert len(rows(platform, "own")) == 1
        one = f"{path}/{row['id']}"
        assert client.get(one).json() == client.get(path).json()[0] == expected
        changed = client.put(one, json={"name": "renamed"})
        assert (changed.status_code, changed.json()) == (200, {**expected, "name": "renamed"})
        assert (row["name"], row["config"]["symbol"]) == ("renamed", "ETH/USDT")
        stopped = client.delete(one)
        assert (stopped.status_code, stopped.json()["status"]) == (200, "deleted")
        assert rows(platform, "own") == []
        gone = client.delete(one)
        assert (gone.status_code, gone.json()["code"]) == (404, "instance_not_found")


def test_a_list_has_pages(placed: tuple[Agent, Platform]) -> None:
    agent, _ = placed
    with agent.client() as client:
        path = deploy(client, "pages")
        ids = [client.post(path, json={"name": f"n{n}"}).json()["bot_id"] for n in range(5)]
        found, url = [], f"{path}?limit=2"
        while url:
            page = client.get(url)
            assert len(page.json()) <= 2
            found += [each["bot_id"] for each in page.json()]
            url = page.links.get("next", {}).get("url", "")
        assert found == ids[::-1]
        assert client.get(path, params={"cursor": "nonsense"}).status_code == 400
        assert client.get(path, params={"limit": 201}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/never-was/instances", {}, 404, "session_not_found"),
        ("GET", "/never-was/instances", None, 404, "session_not_found"),
        ("GET", "/empty/instances/b", None, 404, "instance_not_found"),
        ("PUT", "/empty/instances/b", {}, 404, "instance_not_found"),
        ("DELETE", "/empty/instances/b", None, 404, "instance_not_found"),
        ("POST", "/empty/instances", {}, 422, "instance_invalid"),
        ("POST", "/empty/instances", {"config": []}, 422, "invalid_request"),
        ("POST", "/empty/instances", {"schedule": 1}, 422, "invalid_request"),
        ("POST", "/here/instances", {"schedule": "0 * * * *"}, 422, "instance_invalid"),
        ("POST", "/here/instances", {"config": {"symbol": 1}}, 422, "instance_invalid"),
        ("POST", "/here/instances", {"version": "7.0.0"}, 422, "instance_invalid"),
    ],
)
def test_what_cannot_be_done(
    placed: tuple[Agent, Platform], method: str, path: str, body: Any, status: int, code: str
) -> None:
    agent, platform = placed
    with agent.client() as client:
        client.post("/chat/sessions", json={"session_id": "empty"})
        if path.startswith("/here") and not [bot for bot in platform.bots if bot["name"] == "bot-here"]:
            deploy(client, "here")
        starts = platform.times("start")
        answer = client.request(method, f"/artifacts/deploy{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        if code == "instance_invalid":
            assert answer.json()["problems"][0]["field"]
        assert platform.times("start") == starts


def test_the_platforms_words_and_its_failures(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        path = deploy(client, "words")
        platform.fail("start", 400, message="five instances are enough")
        refused = client.post(path, json={})
        assert (refused.status_code, refused.json()["code"]) == (422, "deployment_refused")
        assert "five instances are enough" in refused.json()["detail"]
        assert refused.json()["platform_status"] == 400
        platform.fail("start", takes=True, lost=True)
        for _ in range(3):
            platform.fail("instances", 503, message="maintenance")
        doubt = client.post(path, json={}, headers={"Idempotency-Key": "d"})
        assert (doubt.status_code, doubt.json()["code"]) == (502, "platform_unavailable")
        assert client.get(path).json()[0]["status"] == "unknown"
        found = client.post(path, json={}, headers={"Idempotency-Key": "d"})
        assert (found.status_code, len(rows(platform, "words"))) == (201, 1)


def test_the_users_own_credential_goes_to_the_platform(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    platform.users["ApiKey her-own-key"] = "alice"
    with agent.client() as client:
        path = deploy(client, "hers")
        started = client.post(path, json={}, headers={"Authorization": "ApiKey her-own-key"})
        assert started.status_code == 201
        assert rows(platform, "hers")[0]["userId"] == "alice"
        # The agent's own key does not reach it.
        refused = client.delete(f"{path}/{started.json()['bot_id']}")
        assert (refused.status_code, refused.json()["code"]) == (422, "deployment_refused")
        assert len(rows(platform, "hers")) == 1
    assert "her-own-key" not in agent.logs()


def test_what_a_configuration_holds_is_kept_nowhere(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    config = {"api_key": KEY, "api_secret": MARK}
    with agent.client() as client:
        path = deploy(client, "keys", template_bot())
        body = {"schedule": "0 * * * *", "config": config}
        platform.fail("start", 400, message=f"no such account: {KEY} {MARK}")
        answers = [client.post(path, json=body, headers={"Idempotency-Key": "a"}) for _ in range(2)]
        answers.append(client.post(path, json=body | {"schedule": "never"}))
        answers.append(client.post(path, json=body | {"config": {**config, "exchange": f"{MARK}!"}}))
        made = client.post(path, json=body)
        assert made.status_code == 201, made.text
        (row,) = [each for each in platform.instances.rows if each["id"] == made.json()["bot_id"]]
        assert row["config"]["api_secret"] == MARK
        changed = client.put(f"{path}/{row['id']}", json={"config": {"buy_below": 20}})
        assert (changed.status_code, row["config"]["api_key"]) == (200, KEY)
        answers += [made, changed, client.get(path), client.get("/chat/sessions/keys")]
        for value in (MARK, KEY):
            assert not [answer.text for answer in answers if value in answer.text]
            assert value not in agent.logs()
            for file in agent.folder.rglob("*"):
                assert not file.is_file() or value.encode() not in file.read_bytes(), file


def test_without_a_platform_it_says_so(agent: Agent) -> None:
    with agent.client() as client:
        save(client, "nowhere-to-run")
        answer = client.post("/artifacts/deploy/nowhere-to-run/instances", json={})
        assert (answer.status_code, answer.json()["code"]) == (503, "deployment_not_configured")
        assert "THE0_API_URL" in answer.json()["detail"]


def test_callers_without_a_turn_start_nothing(placed: tuple[Agent, Platform], tmp_path: Path) -> None:
    agent, platform = placed
    with agent.client() as client:
        deploy(client, "tool")
        call = {"session_id": "tool", "call_id": "c", "arguments": {"instance": {}}}
        called = client.post("/tools/deploy_bot", json=call).json()
        assert (called["status"], called["error"]["code"]) == ("error", "approval_required")
        assert rows(platform, "tool") == []
