"""The backup of one installation's folder, as docs/operations.md says: made, lost, restored, read."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from shared.artifacts.paths import local_path
from tests.servers.agent import agent_server
from tests.servers.agent_process import ROOT
from tests.servers.all_kept import SESSIONS, BusySaver, begin_busy, everything, fill
from tests.servers.page import run_commands


def check(data: Path) -> tuple[int, list[dict[str, Any]]]:
    """Status and lines of `python -m functions.artifacts check`."""
    done = subprocess.run(
        [sys.executable, "-m", "functions.artifacts", "check"],
        cwd=ROOT,
        env={"DATA_DIR": str(data), "PATH": ""},
        check=False,
        capture_output=True,
        timeout=100,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_folder_that_was_lost_is_restored_to_all_that_was_in_it(tmp_path: Path) -> None:
    data, backup, keys = tmp_path / "data", tmp_path / "backup", tmp_path / "keys"
    backup.mkdir()
    keys.mkdir()
    places = {"DATA_DIR": str(data), "BACKUP": str(backup), "KEYS": str(keys)}
    with agent_server(tmp_path) as agent, agent.client() as client:
        fill(client)
        begin_busy(client)
        with BusySaver(agent) as saver:
            before = everything(client)
            acknowledged = dict(saver.saved)
            run_commands("save-folder", places)
    shutil.rmtree(data)
    run_commands("restore-folder", places)
    with agent_server(tmp_path) as agent, agent.client() as client:
        after = everything(client)
        # The busy session moves on during the backup.
        after["sessions"] = [each for each in after["sessions"] if each["id"] in SESSIONS]
        before["sessions"] = [each for each in before["sessions"] if each["id"] in SESSIONS]
        assert after == before
        for version, content in acknowledged.items():
            found = client.get(f"/artifacts/session/busy/busy.txt?version={version}").json()
            assert found["content"] == content
    # The restore ended with the check, which said that all is there; now something is not.
    objects = data / "ai-artifacts" / "artifacts" / "second"
    of_notes = [local_path(data / "ai-artifacts", f"artifacts/second/notes.md/{each}") for each in (1, 2, 3)]
    assert all(objects in path.parents for path in of_notes)
    of_notes[0].unlink()
    shutil.copy(of_notes[2], of_notes[1])
    status, (*bad, counts) = check(data)
    assert (status, counts["bad"], counts["gone"]) == (1, 2, 0)
    assert counts["good"] > len(acknowledged)
    assert [(line["session_id"], line["filename"], line["version"]) for line in bad] == [
        ("second", "notes.md", 1),
        ("second", "notes.md", 2),
    ]
