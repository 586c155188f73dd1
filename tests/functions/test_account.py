"""Export and erasure on the wire and by the commands: what they hold, who may ask, what is left."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.agent_process import run_command, run_fresh_command
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import hang

USER = "alice-the-user"


@pytest.fixture(scope="module")
def own_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent of its own: erasure rewrites the database's file."""
    with agent_server(tmp_path_factory.mktemp("account")) as agent:
        yield agent


@pytest.fixture
def client(own_agent: Agent) -> Iterator[httpx.Client]:
    with own_agent.client() as client:
        client.params = httpx.QueryParams({"user_id": USER})
        yield client


def made_session(client: httpx.Client, user_id: str = USER) -> str:
    """A session with a turn, three versions of a file, a deleted file and a binary one."""
    made = client.post(
        "/chat/sessions", json={"user_id": user_id, "title": "Mine", "context": {"planted": "context"}}
    )
    session: str = made.json()["id"]
    said = {"message": "What is a stop loss? planted", "session_id": session, "user_id": user_id}
    client.post("/chat", json=said).raise_for_status()
    files = [("bot.py", b"x = 1\n"), ("bot.py", b"x = 2\n"), ("a/b.bin", bytes(range(256)))]
    for name, data in (*files, ("gone.md", b"# planted\n")):
        put = client.put(f"/artifacts/session/{session}/{name}", content=data, params={"user_id": user_id})
        put.raise_for_status()
    gone = f"/artifacts/session/{session}/gone.md"
    client.delete(gone, params={"user_id": user_id}).raise_for_status()
    return session


def opened(data: bytes) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    """The archive with its manifest, each member checked against it."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    assert archive.namelist() == [*(each["name"] for each in manifest["members"]), "manifest.json"]
    for each in manifest["members"]:
        content = archive.read(each["name"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each["size"], each["sha256"])
    return archive, manifest


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).splitlines()]


def test_a_session_is_exported_whole_and_the_same_twice(client: httpx.Client) -> None:
    session = made_session(client)
    answer = client.get(f"/chat/sessions/{session}/export")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="session-{session}.zip"'
    archive, manifest = opened(answer.content)
    assert (manifest["format"], manifest["format_version"]) == ("the0-agent-export", 1)
    assert (manifest["user_id"], manifest["session_id"]) == (USER, session)
    assert manifest["counts"] == {"files": 3, "messages": 2, "sessions": 1, "turns": 1, "versions": 4}
    about = json.loads(archive.read("session.json"))
    assert (about["id"], about["title"], about["context"]) == (session, "Mine", {"planted": "context"})
    messages = client.get(f"/chat/sessions/{session}/messages").json()
    [turn] = lines(archive, "turns.jsonl")
    assert lines(archive, "messages.jsonl") == [{**each, "turn_id": turn["turn_id"]} for each in messages]
    assert (turn["status"], turn["request"]["message"]) == ("completed", "What is a stop loss? planted")
    assert (turn["steps"][0]["kind"], turn["steps"][-1]["kind"]) == ("user", "final")
    versions = {(each["filename"], each["version"]): each for each in lines(archive, "artifacts.jsonl")}
    assert set(versions) == {("bot.py", 1), ("bot.py", 2), ("a/b.bin", 1), ("gone.md", 1)}
    assert archive.read(versions["bot.py", 1]["member"]) == b"x = 1\n"
    assert archive.read("artifacts/v2/bot.py") == b"x = 2\n"
    assert archive.read("artifacts/v1/a/b.bin") == bytes(range(256))
    assert versions["gone.md", 1]["file_deleted_at"] is not None
    assert versions["bot.py", 2]["file_deleted_at"] is None
    assert client.get(f"/chat/sessions/{session}/export").content == answer.content


def test_all_sessions_are_exported_and_nothing_of_others(client: httpx.Client) -> None:
    mine = {made_session(client), made_session(client)}
    others = made_session(client, "bob")
    saved = client.post(
        "/settings/api-key", json={"api_key": "planted-secret-own-model-key", "user_id": USER}
    )
    saved.raise_for_status()
    data = client.get("/chat/user/export").content
    # A turn of the next test would run on it.
    client.delete("/settings/api-key").raise_for_status()
    archive, manifest = opened(data)
    folders = {name.split("/")[1] for name in archive.namelist() if name.startswith("sessions/")}
    assert mine <= folders
    assert others not in folders
    assert manifest["counts"]["sessions"] == len(folders)
    assert "usage.jsonl" in archive.namelist()
    whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"planted-secret-own-model-key" not in whole
    assert others.encode() not in whole


def test_sessions_of_others_and_wrong_ids_are_not_found(client: httpx.Client) -> None:
    others = made_session(client, "bob")
    for session in (others, "none", "..%2f", "%ff"):
        answer = client.get(f"/chat/sessions/{session}/export")
        assert (answer.status_code, answer.json()["code"]) in ((404, "session_not_found"), (404, "not_found"))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"confirm": ""}, 422),
        ({"confirm": "bob"}, 422),
        ({"confirm": True}, 422),
        ({"confirm": "default-user", "user_id": "bob"}, 422),
        ([], 422),
    ],
)
def test_erasure_wants_the_users_own_id(client: httpx.Client, body: object, status: int) -> None:
    session = made_session(client, "bob")
    answer = client.request("DELETE", "/chat/user", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert client.get(f"/chat/sessions/{session}", params={"user_id": "bob"}).status_code == 200


@pytest.mark.parametrize("query", [{"seconds": "0"}, {"seconds": "301"}, {"dry_run": "maybe"}])
def test_wrong_parameters_are_refused(client: httpx.Client, query: dict[str, str]) -> None:
    answer = client.request("DELETE", "/chat/user", json={"confirm": USER}, params=query)
    assert answer.status_code == 400


def test_all_of_a_user_goes_and_the_user_begins_anew(client: httpx.Client, own_agent: Agent) -> None:
    session, others = made_session(client), made_session(client, "bob")
    held = made_session(client)
    own_key = {"api_key": "planted-secret-own-model-key", "user_id": USER}
    client.post("/settings/api-key", json=own_key).raise_for_status()
    hold = {"user_id": USER, "session_id": held, "held": True}
    client.put("/artifacts/retention/holds", json=hold).raise_for_status()

    def erase(**query: str) -> dict[str, Any]:
        answer = client.request("DELETE", "/chat/user", json={"confirm": USER}, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    dry = erase(dry_run="true")
    assert client.get(f"/chat/sessions/{session}").status_code == 200
    done = erase()
    assert (done["complete"], done["held_sessions"]) == (True, [held])
    assert {name: done["erased"][name] for name in ("sessions", "turns", "versions", "files")} == {
        name: dry["erased"][name] for name in ("sessions", "turns", "versions", "files")
    }
    assert done["files"] == dry["files"] == done["erased"]["versions"]
    assert done["erased"]["secrets"] == dry["erased"]["secrets"] == 1
    assert client.get("/settings/api-key/status").json() == {"has_api_key": False}
    assert client.get("/chat/sessions").json() == []
    assert client.get(f"/chat/sessions/{session}/export").status_code == 404
    client.put("/artifacts/retention/holds", json=hold | {"held": False}).raise_for_status()
    assert erase()["held_sessions"] == []
    again = erase()
    assert (again["erased"], again["files"], again["complete"]) == ({}, 0, True)
    assert traces_of(own_agent, USER.encode()) == []
    assert client.get(f"/chat/sessions/{others}", params={"user_id": "bob"}).status_code == 200
    begun = client.post("/chat", json={"message": "Hello", "session_id": session, "user_id": USER})
    assert (begun.status_code, begun.json()["session_id"]) == (200, session)
    assert client.get(f"/artifacts/session/{session}").json() == []


def test_a_running_turn_is_stopped_first_and_leaves_nothing(gemini: GeminiServer, tmp_path: Path) -> None:
    settings = {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url}
    gemini.script(hang("So far so"))
    with agent_server(tmp_path, DAILY_TOKEN_LIMIT="1000000", **settings) as agent, agent.client() as client:
        body = {"message": "Go, planted", "session_id": "s", "user_id": USER}
        with client.stream("POST", "/chat/stream", json=body) as response:
            lines = response.iter_lines()
            next(line for line in lines if "So far so" in line)
            with agent.client() as other:
                answer = other.request("DELETE", "/chat/user", json={"confirm": USER, "user_id": USER})
            # The stream ends by itself: the turn lost its lease.
            rest = list(lines)
        assert answer.json()["complete"] is True
        assert answer.json()["erased"]["turns"] == 1
        assert not any('"complete"' in line for line in rest)
        again = client.request(
            "DELETE", "/chat/user", json={"confirm": USER, "user_id": USER}, params={"dry_run": "true"}
        )
        assert again.json()["erased"] == {}
        assert traces_of(agent, USER.encode(), b"planted") == []


def traces_of(agent: Agent, *words: bytes) -> list[Path]:
    """The files of the agent's data that hold one of the words."""
    files = [path for path in sorted((agent.folder / "data").rglob("*")) if path.is_file()]
    return [path for path in files if any(word in path.read_bytes() for word in words)]


def test_nobody_asks_without_credentials(tmp_path: Path) -> None:
    variables = {"AUTH_MODE": "jwt", "JWT_SECRET": "planted-secret of thirty-two bytes or more"}
    with agent_server(tmp_path, **variables) as agent, agent.client() as client:
        assert client.get("/chat/user/export").status_code == 401
        assert client.get("/chat/sessions/s/export").status_code == 401
        assert client.request("DELETE", "/chat/user", json={"confirm": "default-user"}).status_code == 401


def test_the_commands_do_the_same(tmp_path: Path) -> None:
    with agent_server(tmp_path) as agent, agent.client() as client:
        session = made_session(client)
        wired = client.get(f"/chat/sessions/{session}/export", params={"user_id": USER}).content

    environment = {**os.environ, "DATA_DIR": str(tmp_path / "data")}
    run = partial(run_command, "functions.chat", environment=environment, folder=tmp_path)
    run_fresh = partial(run_fresh_command, "functions.chat", environment=environment, folder=tmp_path)
    out = tmp_path / "session.zip"
    done = run_fresh("export", "--user", USER, "--session", session, "--out", str(out))
    assert (done.returncode, out.read_bytes()) == (0, wired)
    assert out.stat().st_mode & 0o777 == 0o600
    missing = run("export", "--user", USER, "--session", "none", "--out", str(tmp_path / "none.zip"))
    assert (missing.returncode, missing.stderr.splitlines()[-1]) == (1, b"there is no such session")
    assert sorted(path.name for path in tmp_path.glob("*.zip*")) == ["session.zip"]
    _, manifest = opened(run("export", "--user", USER).stdout)
    assert manifest["counts"]["sessions"] == 1
    assert run("erase", "--user", USER, "--confirm", "bob").returncode == 2
    done = run_fresh("erase", "--user", USER, "--confirm", USER)
    told = json.loads(done.stdout)
    assert (done.returncode, told["complete"], told["erased"]["sessions"]) == (0, True, 1)
    assert json.loads(run("erase", "--user", USER, "--dry-run").stdout)["erased"] == {}
