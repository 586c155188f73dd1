"""A Firestore server of the test run's own: the emulator in firestore_emulator.mjs, a project a test."""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.ids import new_id

_SCRIPT = Path(__file__).with_name("firestore_emulator.mjs")
_START_SECONDS = 30
_VARIABLE = "FIRESTORE_EMULATOR_HOST"


class FirestoreServer:
    """One server; a URL of it reaches it only while `FIRESTORE_EMULATOR_HOST` is `host`."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """What `FIRESTORE_EMULATOR_HOST` is to be."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts the server, on the port it had if it had one, and returns when it listens."""
        node = shutil.which("node")
        assert node is not None, "node is not installed"
        process = subprocess.Popen(
            [node, str(_SCRIPT), str(self.port)], stdout=subprocess.PIPE, preexec_fn=_die_with_parent
        )
        self._process = process
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        line = process.stdout.readline() if readable else b""
        assert line.strip().isdigit(), f"the Firestore emulator did not start: {line!r}"
        self.port = int(line)

    def kill(self) -> None:
        """Ends the server at once, with all its data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def freeze(self) -> None:
        """Stops the server from answering; its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def firestore_server() -> Iterator[FirestoreServer]:
    """A running server."""
    server = FirestoreServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def firestore_host() -> Iterator[str]:
    """The server that tests use, made known to the client library: one that is set already, or our own."""
    given = os.environ.get(_VARIABLE)
    if given:
        yield given
        return
    with firestore_server() as server:
        os.environ[_VARIABLE] = server.host
        try:
            yield server.host
        finally:
            os.environ.pop(_VARIABLE, None)


def new_database_url(kind: str = "test") -> str:
    """A database of its own: the URL of a project that nobody has used.

    In a project of the kind `shaky` answers get lost, see firestore_emulator.mjs.
    """
    return f"firestore://{kind}-{new_id()}/(default)"


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
