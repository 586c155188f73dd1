"""The artifact routes on the wire."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator

import httpx
import pytest

from tests.servers.agent import Agent


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client() as client:
        yield client


@pytest.fixture
def session(client: httpx.Client) -> str:
    """A session of the default user."""
    made: str = client.post("/chat/sessions", json={}).json()["id"]
    return made


def test_versions_are_numbered_and_the_same_bytes_make_none(client: httpx.Client, session: str) -> None:
    path = f"/artifacts/session/{session}/main.py"
    first = client.put(path, content=b"print(1)\n")
    assert first.status_code == 201
    assert first.headers["etag"] == '"1"'
    assert first.json()["type"] == "bot_code"
    again = client.put(path, content=b"print(1)\n")
    assert (again.status_code, again.json()["version"]) == (200, 1)
    second = client.put(path, json={"content": "print(2)\n"})
    assert (second.status_code, second.json()["version"]) == (200, 2)
    newest = client.get(path).json()
    assert (newest["version"], newest["content"], newest["encoding"]) == (2, "print(2)\n", "utf-8")
    assert client.get(path, params={"version": 1}).json()["content"] == "print(1)\n"
    assert client.get(path, headers={"If-None-Match": '"2"'}).status_code == 304
    by_name = client.get("/artifacts/main.py", params={"session_id": session}).json()
    assert by_name == newest
    versions = client.get(f"/artifacts/versions/{session}/main.py").json()
    assert [v["version"] for v in versions] == [2, 1]
    diff = client.get(f"/artifacts/diff/{session}/main.py", params={"from": 1, "to": 2}).json()["diff"]
    assert "-print(1)\n+print(2)\n" in diff


def test_if_match_guards_a_save(client: httpx.Client, session: str) -> None:
    path = f"/artifacts/session/{session}/a.txt"
    client.put(path, content=b"1")
    stale = client.put(path, content=b"2", headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    assert stale.json()["current_version"] == 1
    assert client.put(path, content=b"2", headers={"If-Match": '"1"'}).json()["version"] == 2
    assert client.put(path, content=b"2", headers={"If-Match": "newest"}).status_code == 400


def test_bytes_come_back_as_they_went(client: httpx.Client, session: str) -> None:
    data = bytes(range(256)) * 999
    path = f"/artifacts/session/{session}/data/all bytes é.bin"
    client.put(path, content=data)
    assert client.get(path, headers={"Accept": "application/octet-stream"}).content == data
    assert client.get(path).json()["encoding"] == "base64"
    listed = client.get(f"/artifacts/session/{session}").json()
    assert listed == ["data/all bytes é.bin"]
    assert client.get(f"/artifacts/session/{session}", params={"details": "true"}).json()[0]["size"] == len(
        data
    )


def test_a_deleted_file_leaves_the_list_and_comes_back_as_its_next_version(
    client: httpx.Client, session: str
) -> None:
    path = f"/artifacts/session/{session}/a.txt"
    client.put(path, content=b"1")
    assert client.delete(path).status_code == 204
    assert client.get(f"/artifacts/session/{session}").json() == []
    assert client.get(path).json()["code"] == "artifact_not_found"
    assert client.delete(path).status_code == 404
    assert client.put(path, content=b"1").json()["version"] == 2


def test_the_zip_holds_every_file_and_is_the_same_each_time(client: httpx.Client, session: str) -> None:
    files = {"main.py": b"print(1)\n", "tests/test_a.py": b"", "data.bin": b"\0" * 100_000}
    for name, data in files.items():
        client.put(f"/artifacts/session/{session}/{name}", content=data)
    client.put(f"/artifacts/session/{session}/main.py", content=b"print(2)\n")
    first = client.get("/artifacts/download", params={"session_id": session})
    assert first.headers["content-type"] == "application/zip"
    assert 'filename="trading-bot.zip"' in first.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(first.content))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {**files, "main.py": b"print(2)\n"}
    assert client.get("/artifacts/download", params={"session_id": session}).content == first.content
    old = client.get("/artifacts/download", params={"session_id": session, "version": 1})
    assert zipfile.ZipFile(io.BytesIO(old.content)).read("main.py") == b"print(1)\n"


def test_an_empty_session_has_no_zip(client: httpx.Client, session: str) -> None:
    answer = client.get("/artifacts/download", params={"session_id": session})
    assert (answer.status_code, answer.json()["code"]) == (404, "artifact_not_found")
    assert client.get("/artifacts/download").status_code == 400


@pytest.mark.parametrize(
    "name",
    ["..%2Fx", "a/..%2F..%2Fx", "a%5Cb", "a%00b", "a//b", "%2Fetc", "x" * 256, "/".join("abcdefghi")],
)
def test_names_that_could_lead_astray_are_refused(client: httpx.Client, session: str, name: str) -> None:
    url = httpx.URL(client.base_url).copy_with(raw_path=f"/artifacts/session/{session}/{name}".encode())
    answer = client.put(url, content=b"x")
    assert answer.status_code in (404, 422)
    assert client.get(f"/artifacts/session/{session}").json() == []


def test_unknown_sessions_and_files(client: httpx.Client, session: str) -> None:
    nowhere = uuid.uuid4().hex
    assert client.get(f"/artifacts/session/{nowhere}").json()["code"] == "session_not_found"
    assert client.put(f"/artifacts/session/{nowhere}/a", content=b"").json()["code"] == "session_not_found"
    for path in (f"session/{session}/none.py", f"versions/{session}/none.py", f"diff/{session}/none.py"):
        assert client.get(f"/artifacts/{path}").json()["code"] == "artifact_not_found"
    assert client.get(f"/artifacts/session/{session}/a", params={"version": "x"}).status_code == 400


def test_a_file_over_the_limit_is_refused(client: httpx.Client, session: str) -> None:
    answer = client.put(f"/artifacts/session/{session}/big", content=b"\0" * (25 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert client.get(f"/artifacts/session/{session}").json() == []
