"""compose.yaml: what Docker takes, what each service keeps to, and a turn with its very environment."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import yaml

from infra.container.__main__ import main as entry
from infra.container.secret_files import main as make_secrets
from infra.container.secret_files import secret_files, write_missing
from infra.docker.compose import Compose, Service, read_compose, variables
from shared.settings import Settings, read_settings
from tests.servers.agent import agent_server
from tests.servers.agent_process import ROOT
from tests.servers.nats import NatsServer
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, SeaweedServer
from tests.servers.valkey import ValkeyServer

_FILE = ROOT / "compose.yaml"
_OURS = "the0-agent:local"
# Read by the image's entry and by the settings' reader, before there are settings.
_NOT_SETTINGS = {"CONFIG_FILE", "FUNCTION_TARGET"}


@pytest.fixture(scope="module")
def compose() -> Compose:
    """The file with nothing set by its user."""
    return read_compose(_FILE)


def test_a_key_that_docker_does_not_know_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(_FILE.read_text().replace("read_only: true", "readonly: true", 1))
    with pytest.raises(ValueError, match="readonly"):
        read_compose(path)


def test_every_variable_is_a_setting(compose: Compose) -> None:
    known = {name.upper() for name in Settings.model_fields} | _NOT_SETTINGS
    for name, service in compose.services.items():
        if service.image == _OURS:
            assert set(variables(service, ROOT)) <= known, name
            # Else the user's agent.env could not change it.
            assert set(service.environment) <= {"CONFIG_FILE", "AUTH_MODE", "EVENTS_URL"}, name
            assert [file.path for file in service.env_file][1:] in ([], ["agent.env"]), name
    stored = yaml.safe_load(secret_files()["agent/agent.yaml"])
    assert {name.upper() for name in stored} <= known


def test_every_image_is_pinned(compose: Compose) -> None:
    for name, service in compose.services.items():
        if service.image != _OURS:
            assert re.search(r":\S*\d+\.\d+|:RELEASE\.\d{4}-", service.image), name
    assert read_compose(_FILE, {"AGENT_TAG": "1.2.3"}).services["agent"].image == "the0-agent:1.2.3"


def test_every_service_is_held_as_tightly_as_it_allows(compose: Compose) -> None:
    for name, service in compose.services.items():
        assert service.read_only, name
        assert service.cap_drop == ["ALL"], name
        assert "no-new-privileges:true" in service.security_opt, name
        assert service.deploy.resources.limits.pids <= 1024, name
        # The agent alone is reached from outside, and by default from this machine alone.
        assert bool(service.ports) == (name == "agent"), name
        assert name == "agent" or len(service.security_opt) == 1, name
        assert "outside" not in service.networks or name == "agent", name
    assert compose.services["agent"].ports == ["127.0.0.1:8080:8080"]
    assert compose.networks["inside"].internal
    profile = next(one for one in compose.services["agent"].security_opt if one.startswith("seccomp="))
    assert json.loads((ROOT / profile.removeprefix("seccomp=")).read_text())["syscalls"]


def test_what_runs_on_has_a_health_check_and_is_waited_for(compose: Compose) -> None:
    for name, service in compose.services.items():
        # The image brings its own.
        checked = service.image == _OURS or service.healthcheck is not None
        assert checked or not _runs_on(service), name
        for other, dependency in service.depends_on.items():
            waited = (
                "service_healthy" if _runs_on(compose.services[other]) else "service_completed_successfully"
            )
            assert dependency.condition == waited, (name, other)


def test_each_service_sees_its_own_secrets_alone(compose: Compose) -> None:
    made = {name.partition("/")[0] for name in secret_files()}
    seen = {
        name: {volume.partition(":")[0] for volume in service.volumes if volume.startswith("secrets-")}
        for name, service in compose.services.items()
    }
    assert seen["secrets"] == {f"secrets-{name}" for name in made}
    for name in ("agent", "bridge", "retention", "migrate"):
        assert seen[name] == {"secrets-agent"}
    for name in ("postgres", "minio", "nats", "valkey"):
        assert seen[name] == {f"secrets-{name}"}
    assert seen["bucket"] == {"secrets-minio"}
    for service in compose.services.values():
        for volume in service.volumes:
            assert volume.partition(":")[0] in compose.volumes
    # The container's folders of volumes are the image's user's.
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert all(f"/secrets/{name}" in dockerfile for name in made)


def test_secrets_are_made_once_and_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_secrets([str(tmp_path / "one")]) == 0
    first = (tmp_path / "one" / "agent" / "agent.yaml").read_text()
    assert make_secrets([str(tmp_path / "one")]) == 0
    assert (tmp_path / "one" / "agent" / "agent.yaml").read_text() == first
    assert make_secrets([str(tmp_path / "two")]) == 0
    assert (tmp_path / "two" / "agent" / "agent.yaml").read_text() != first
    said = capsys.readouterr().out
    assert said == "secrets made\nsecrets are there\nsecrets made\n"
    assert (tmp_path / "one" / "agent" / "agent.yaml").stat().st_mode & 0o777 == 0o400
    assert (tmp_path / "one" / "postgres" / "password").stat().st_mode & 0o777 == 0o444
    # A run that was killed half-way is made up for.
    (tmp_path / "two" / "agent" / "agent.yaml").unlink()
    assert write_missing(tmp_path / "two", secret_files())


def test_what_was_made_are_settings_that_start(tmp_path: Path, compose: Compose) -> None:
    assert make_secrets([str(tmp_path)]) == 0
    environment = {
        **variables(compose.services["agent"], ROOT),
        "CONFIG_FILE": f"{tmp_path}/agent/agent.yaml",
    }
    found = read_settings(environment)
    assert found.provider == "offline"
    assert found.encryption_keys is not None
    password = (tmp_path / "postgres" / "password").read_text()
    assert found.database == f"postgresql://the0_agent:{password}@postgres:5432/the0_agent"


def test_a_turn_with_the_environment_of_compose(
    compose: Compose, postgres: PostgresServer, seaweedfs: SeaweedServer, tmp_path: Path
) -> None:
    made = tmp_path / "secrets"
    assert make_secrets([str(made)]) == 0
    with _nats(made, tmp_path / "nats") as nats, _valkey(made, tmp_path / "valkey") as valkey:
        _as_compose_makes_it(postgres, seaweedfs, made)
        places = {
            "postgres:5432": f"127.0.0.1:{postgres.port}",
            "minio:9000": f"127.0.0.1:{seaweedfs.port}",
            "nats:4222": f"127.0.0.1:{nats.port}",
            "valkey:6379": f"127.0.0.1:{valkey.port}",
        }
        environment = _variables(compose.services["agent"], made, places)
        _run(environment, "migrate")
        with (
            agent_server(tmp_path, module="infra.container", **environment) as agent,
            agent.client() as client,
        ):
            body = {"message": "How do I deploy a bot?", "session_id": "s"}
            turn = client.post("/chat", json=body)
            assert (turn.status_code, turn.json()["finish_reason"]) == (200, "stop"), turn.text
            put = client.put("/artifacts/session/s/notes.md", json={"content": "# Notes"})
            assert put.status_code == 201, put.text
            assert [
                one.object_name for one in seaweedfs.client().list_objects("ai-artifacts", "artifacts/", True)
            ]
            checks = client.get("/health").json()["checks"]
            assert [checks[name] for name in ("database", "minio", "redis", "nats")] == ["healthy"] * 4
            places["agent:8080"] = agent.url.removeprefix("http://")
            kept = json.loads(_retention(compose.services["retention"], made, places))
            assert (kept["complete"], kept["deleted_sessions"]) == (True, 0)
        types = {kept.body["type"] for kept in asyncio.run(nats.kept())}
        assert {"ai.turn.completed", "ai.artifact.created"} <= types


def _runs_on(service: Service) -> bool:
    return service.restart == "unless-stopped"


def _variables(service: Service, made: Path, places: dict[str, str]) -> dict[str, str]:
    """The service's own environment, with the names of the other services where they are here."""
    stored = _placed((made / "agent" / "agent.yaml").read_text(), places)
    config = made / "agent-here.yaml"
    config.write_text(stored)
    found = variables(service, ROOT)
    # The test server of S3 has keys of its own.
    keys = {"MINIO_ACCESS_KEY": ACCESS_KEY, "MINIO_SECRET_KEY": SECRET_KEY}
    placed = {name: _placed(value, places) for name, value in found.items()}
    return {**placed, **keys, "CONFIG_FILE": str(config)}


def _placed(text: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        text = text.replace(name, place)
    return text


def _run(environment: dict[str, str], *arguments: str) -> str:
    """What the image's entry says, with these variables; the work has to succeed."""
    before, said = signal.getsignal(signal.SIGTERM), StringIO()
    try:
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
            for name, value in environment.items():
                patch.setenv(name, value)
            assert entry(arguments) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    return said.getvalue()


def _retention(service: Service, made: Path, places: dict[str, str]) -> str:
    """What the service says when it asks once."""
    assert service.command is not None
    *words, every, _ = (_placed(word, places) for word in service.command)
    assert every == "--every"
    return _run(_variables(service, made, places), *words)


def _as_compose_makes_it(postgres: PostgresServer, seaweedfs: SeaweedServer, made: Path) -> None:
    """What the official image of Postgres does with its variables, and the service `bucket` with mc."""
    import asyncpg  # type: ignore[import-untyped]

    password = (made / "postgres" / "password").read_text()

    async def create() -> None:
        connection = await asyncpg.connect(postgres.url)
        try:
            await connection.execute(f"CREATE ROLE the0_agent SUPERUSER LOGIN PASSWORD '{password}'")
            await connection.execute("CREATE DATABASE the0_agent OWNER the0_agent")
        finally:
            await connection.close()

    asyncio.run(create())
    seaweedfs.client().make_bucket("ai-artifacts")


@contextmanager
def _nats(made: Path, folder: Path) -> Iterator[NatsServer]:
    """A server on the very configuration that was made; its ports and folder are this test's."""
    config = folder / "nats.conf"
    folder.mkdir()
    text = (made / "nats" / "nats.conf").read_text()
    config.write_text(text.replace("/data", str(folder)).replace("8222", str(free_port())))
    found = re.search(r'token: "([^"]+)"', text)
    assert found is not None
    server = NatsServer(folder, access=("--config", str(config)), token=found[1], jetstream=False)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def _valkey(made: Path, folder: Path) -> Iterator[ValkeyServer]:
    """A server on the very configuration that was made."""
    folder.mkdir()
    config = made / "valkey" / "valkey.conf"
    found = re.search(r"^requirepass (\S+)$", config.read_text(), re.MULTILINE)
    assert found is not None
    server = ValkeyServer(folder, password=found[1], arguments=("--include", str(config)))
    try:
        server.start()
        yield server
    finally:
        server.kill()
