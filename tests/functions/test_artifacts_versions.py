"""The artifact routes on the wire: old versions, conflicts, and names in every encoding a client may send."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.object_fixtures import ObjectPlace


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client() as client:
        yield client


@pytest.fixture
def session(client: httpx.Client) -> str:
    """A session of the default user."""
    made: str = client.post("/chat/sessions", json={}).json()["id"]
    return made


def raw(client: httpx.Client, path: bytes) -> httpx.URL:
    """A path as it is to go over the wire, whatever the client would make of it."""
    return httpx.URL(client.base_url).copy_with(raw_path=path)


def test_an_old_version_is_restored_as_a_new_one(client: httpx.Client, session: str) -> None:
    path = f"/artifacts/session/{session}/main.py"
    for text in ("one", "two"):
        client.put(path, content=text.encode())
    restore = f"/artifacts/versions/{session}/main.py"
    restored = client.post(restore, json={"restore": 1}, headers={"If-Match": '"2"'})
    assert (restored.status_code, restored.json()["version"], restored.headers["etag"]) == (200, 3, '"3"')
    assert client.get(path).json()["content"] == "one"
    again = client.post(restore, json={"restore": 1})
    assert (again.status_code, again.json()["version"]) == (200, 3)
    stale = client.post(restore, json={"restore": 2}, headers={"If-Match": '"2"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    assert client.post(restore, json={"restore": 9}).json()["code"] == "artifact_not_found"
    for body in ({}, {"restore": 0}, {"restore": "x"}):
        assert client.post(restore, json=body).status_code == 422
    assert [found["version"] for found in client.get(restore).json()] == [3, 2, 1]


def test_concurrent_saves_are_versions_in_some_order(client: httpx.Client, session: str) -> None:
    path = f"/artifacts/session/{session}/main.py"
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: client.put(path, content=b"%d" % n), range(16)))
    versions = {answer.json()["version"]: n for n, answer in enumerate(answers)}
    assert sorted(versions) == list(range(1, 17))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    for version, n in versions.items():
        assert client.get(path, params={"version": version}).json()["content"] == str(n)


def test_the_zip_of_a_version_is_the_whole_set_as_it_was(client: httpx.Client, session: str) -> None:
    for name, texts in {"main.py": ("1", "2", "3"), "bot-config.yaml": ("a",), "b.py": ("x", "y")}.items():
        for text in texts:
            client.put(f"/artifacts/session/{session}/{name}", content=text.encode())

    def files(version: int) -> dict[str, bytes]:
        answer = client.get("/artifacts/download", params={"session_id": session, "version": version})
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        return {name: archive.read(name) for name in archive.namelist()}

    assert files(1) == {"main.py": b"1", "bot-config.yaml": b"a", "b.py": b"x"}
    assert files(2) == {"main.py": b"2", "bot-config.yaml": b"a", "b.py": b"y"}
    assert files(3) == {"main.py": b"3", "bot-config.yaml": b"a", "b.py": b"y"}
    later = client.get("/artifacts/download", params={"session_id": session, "version": 4})
    assert (later.status_code, later.json()["code"]) == (404, "artifact_not_found")


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (b"%C3%A9.py", "é.py"),
        (b"e%CC%81.py", "é.py"),
        (b"a%2Fb.py", "a/b.py"),
        (b"a%2fb.py", "a/b.py"),
        (b"a%252Fb.py", "a%2Fb.py"),
        (b"a+b.py", "a+b.py"),
        (b"a%2Bb.py", "a+b.py"),
        (b"a%20b.py", "a b.py"),
        (b"%F0%9F%93%88.py", "📈.py"),
        (b"what%3F%23.py", "what?#.py"),
        (b"100%25.py", "100%.py"),
        (b"C%3Ax.py", "C:x.py"),
    ],
)
def test_a_name_is_what_its_encoding_says(client: httpx.Client, session: str, sent: bytes, name: str) -> None:
    url = raw(client, f"/artifacts/session/{session}/".encode() + sent)
    saved = client.put(url, content=sent)
    assert (saved.status_code, saved.json()["filename"]) == (201, name)
    assert client.get(url).json()["content"].encode() == sent
    assert client.get(f"/artifacts/session/{session}").json() == [name]
    by_name = raw(client, b"/artifacts/" + sent + f"?session_id={session}".encode())
    assert client.get(by_name).json()["filename"] == name
    assert client.delete(url).status_code == 204


@pytest.mark.parametrize("sent", [b"%FF.py", b"a%C3", b"%ED%A0%80.py", b"%C0%AF", b"a%80b"])
def test_bytes_that_are_no_utf_8_are_refused(client: httpx.Client, session: str, sent: bytes) -> None:
    url = raw(client, f"/artifacts/session/{session}/".encode() + sent)
    for answer in (client.put(url, content=b"x"), client.get(url), client.delete(url)):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert client.get(f"/artifacts/session/{session}").json() == []


def test_a_folder_gives_no_url(client: httpx.Client, session: str) -> None:
    path = f"/artifacts/session/{session}/a.txt"
    client.put(path, content=b"1")
    answer = client.get(path, params={"url": "true"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_bucket_serves_files_zips_and_urls(
    s3_place: ObjectPlace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with agent_server(tmp_path_factory.mktemp("agent"), **s3_place.variables) as agent:
        with agent.client() as client:
            assert client.get("/health").json()["checks"]["minio"] == "healthy"
            session = client.post("/chat/sessions", json={}).json()["id"]
            path = f"/artifacts/session/{session}/src/main.py"
            data = bytes(range(256)) * 40
            assert client.put(path, content=data).status_code == 201
            assert client.get(path, headers={"Accept": "application/octet-stream"}).content == data
            given = client.get(path, params={"url": "true"})
            assert given.headers["cache-control"] == "no-store"
            told = given.json()
            assert (told["content_encoding"], told["version"]) == ("zstd", 1)
            # The client undoes the coding that the store's answer names.
            assert httpx.get(told["url"], trust_env=False).content == data
            answer = client.get("/artifacts/download", params={"session_id": session})
            assert zipfile.ZipFile(io.BytesIO(answer.content)).read("src/main.py") == data
            assert told["url"].split("?")[1] not in agent.logs()
