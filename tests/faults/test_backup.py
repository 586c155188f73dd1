"""The backup of Postgres and a bucket, as docs/operations.md says: made in traffic, lost, restored, read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.agent import agent_server
from tests.servers.agent_process import ROOT
from tests.servers.all_kept import SESSIONS, BusySaver, begin_busy, everything, fill
from tests.servers.object_fixtures import s3_variables
from tests.servers.page import run_commands
from tests.servers.postgres import PostgresServer, programs
from tests.servers.seaweedfs import SeaweedServer

if TYPE_CHECKING:
    from minio import Minio

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def variables(postgres: PostgresServer, seaweedfs: SeaweedServer) -> dict[str, str]:
    """The settings of a new deployment."""
    return {
        "DATABASE_URL": postgres.create_database(),
        "ENCRYPTION_KEYS": KEY,
        **s3_variables(seaweedfs.url, seaweedfs.create_bucket()),
    }


def copy_objects(client: Minio, source: str, target: str) -> None:
    """What `aws s3 sync` and `mc mirror` do: copies what is not there yet, with what is kept beside it."""
    from minio.commonconfig import CopySource

    there = {each.object_name for each in client.list_objects(target, recursive=True)}
    for each in client.list_objects(source, recursive=True):
        if each.object_name not in there:
            client.copy_object(target, each.object_name, CopySource(source, each.object_name))


def empty(client: Minio, bucket: str) -> None:
    """Loses every object of the bucket."""
    for each in _names(client, bucket):
        client.remove_object(bucket, each)


def _names(client: Minio, bucket: str) -> Iterator[str]:
    return (str(each.object_name) for each in list(client.list_objects(bucket, recursive=True)))


def check(variables: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and last line of `python -m functions.artifacts check`."""
    done = subprocess.run(
        [sys.executable, "-m", "functions.artifacts", "check"],
        cwd=ROOT,
        env={"PATH": "", **variables},
        check=False,
        capture_output=True,
        timeout=100,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def only_quiet(found: dict[str, Any]) -> dict[str, Any]:
    """Without the busy session, which moves on during the backup."""
    quiet = [each for each in found["sessions"] if each["id"] in SESSIONS]
    return {**found, "sessions": quiet}


def test_database_and_bucket_are_lost_and_restored(
    tmp_path: Path, variables: dict[str, str], postgres: PostgresServer, seaweedfs: SeaweedServer
) -> None:
    bucket, kept = variables["ARTIFACT_BUCKET"], seaweedfs.create_bucket()
    client = seaweedfs.client()
    places = {"DATABASE_URL": variables["DATABASE_URL"], "BACKUP": str(tmp_path)}
    with agent_server(tmp_path, **variables) as agent, agent.client() as caller:
        fill(caller)
        begin_busy(caller)
        with BusySaver(agent) as saver:
            before = only_quiet(everything(caller))
            copy_objects(client, bucket, kept)
            acknowledged = dict(saver.saved)
            run_commands("save-database", places, programs=programs())
            copy_objects(client, bucket, kept)
    postgres.drop_database(variables["DATABASE_URL"])
    empty(client, bucket)

    name = variables["DATABASE_URL"].rpartition("/")[2]
    postgres.create_empty_database(name)
    run_commands("restore-database", places, programs=programs())
    # The database is there and no bytes are: the check says so.
    status, counts = check(variables)
    assert status == 1
    assert counts["bad"] > 0
    assert counts["good"] == 0
    copy_objects(client, kept, bucket)
    status, counts = check(variables)
    assert (status, counts["bad"], counts["gone"]) == (0, 0, 0)
    with agent_server(tmp_path, **variables) as agent, agent.client() as caller:
        assert only_quiet(everything(caller)) == before
        for version, content in acknowledged.items():
            found = caller.get(f"/artifacts/session/busy/busy.txt?version={version}").json()
            assert found["content"] == content
        # What is saved after a restore never meets the bytes of what was lost.
        answer = caller.put("/artifacts/session/busy/busy.txt", json={"content": "after"})
        assert answer.status_code == 200
        assert caller.get("/artifacts/session/busy/busy.txt").json()["content"] == "after"


def test_the_database_alone_goes_back_and_versions_made_since_do_not_mix(
    tmp_path: Path, variables: dict[str, str], postgres: PostgresServer
) -> None:
    places = {"DATABASE_URL": variables["DATABASE_URL"], "BACKUP": str(tmp_path)}
    path = "/artifacts/session/s/a.txt"
    with agent_server(tmp_path, **variables) as agent, agent.client() as caller:
        caller.post("/chat/sessions", json={"session_id": "s"}).raise_for_status()
        caller.put(path, json={"content": "one"}).raise_for_status()
        run_commands("save-database", places, programs=programs())
        caller.put(path, json={"content": "lost"}).raise_for_status()
        # What a runbook asks the database.
        assert "oldest" in run_commands("look", places, programs=programs())
        assert "micros" in run_commands("users-by-cost", places, programs=programs())
    postgres.drop_database(variables["DATABASE_URL"])
    postgres.create_empty_database(variables["DATABASE_URL"].rpartition("/")[2])
    run_commands("restore-database", places, programs=programs())
    with agent_server(tmp_path, **variables) as agent, agent.client() as caller:
        assert caller.get(path).json()["content"] == "one"
        assert caller.put(path, json={"content": "two"}).json()["version"] == 2
        assert caller.get(path).json()["content"] == "two"
    assert check(variables) == (0, {"good": 2, "bad": 0, "gone": 0})
