"""A real NATS server with JetStream, that can be killed and started again with what it stored."""

from __future__ import annotations

import ctypes
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.servers.ports import free_port

_START_SECONDS = 10
TOKEN = "test-nats-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One message of a stream: its place, its headers, its body as JSON."""

    sequence: int
    headers: dict[str, str]
    body: Any


class NatsServer:
    """One server; `url` holds its token."""

    def __init__(self, folder: Path, *, jetstream: bool = True) -> None:
        self.port = free_port()
        self._folder = folder
        self._jetstream = ("-js", "-sd", str(folder)) if jetstream else ()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its NATS_URL."""
        return f"nats://{TOKEN}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts the server and returns when it answers; from the main thread, as it ends with the thread."""
        binary = str(Path(sys.executable).parent / "nats-server")
        address = ("-a", "127.0.0.1", "-p", str(self.port), "--auth", TOKEN)
        self._process = subprocess.Popen(
            [binary, *address, *self._jetstream],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "NATS has ended"
            assert time.monotonic() < deadline, "NATS does not answer"
            time.sleep(0.005)

    def kill(self) -> None:
        """kill -9; what a stream has acknowledged is there at the next start."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def hang(self) -> None:
        """SIGSTOP: connections are taken, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + 5
        while Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline, "NATS does not stop"

    def go_on(self) -> None:
        """SIGCONT: what was asked meanwhile is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        """A client of its own, as `nats.connect` gives it."""
        import nats

        connection = await nats.connect(self.url, connect_timeout=2)
        try:
            yield connection
        finally:
            await connection.close()

    async def kept(self, stream: str = "AI_AGENT") -> list[Kept]:
        """Every message of a stream, in its order; none when there is no such stream."""
        from nats.js.errors import NotFoundError

        async with self.client() as connection:
            jetstream = connection.jetstream()
            try:
                state = (await jetstream.stream_info(stream)).state
            except NotFoundError:
                return []
            numbers = range(state.first_seq, state.last_seq + 1)
            found = [await jetstream.get_msg(stream, number) for number in numbers]
        return [
            Kept(sequence=each.seq, headers=dict(each.headers or {}), body=orjson.loads(each.data))
            for each in found
        ]

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(16).startswith(b"INFO")
        except OSError:
            return False


@contextmanager
def nats_server(*, jetstream: bool = True) -> Iterator[NatsServer]:
    """A running server, gone with its folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="nats-"))
    server = NatsServer(folder, jetstream=jetstream)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
