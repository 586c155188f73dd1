"""A real NATS server with JetStream, that can be killed and started again with what it stored."""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.planted import NATS_TOKEN
from tests.servers.mortal import MortalProcess
from tests.servers.ports import free_port

TOKEN = NATS_TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One message of a stream: its place, its headers, its body as JSON."""

    sequence: int
    headers: dict[str, str]
    body: Any


class NatsServer(MortalProcess):
    """One server; `url` holds its token."""

    def __init__(
        self,
        folder: Path,
        *,
        jetstream: bool = True,
        access: tuple[str, ...] = ("--auth", TOKEN),
        token: str = TOKEN,
    ) -> None:
        super().__init__("NATS")
        self.port = free_port()
        self._folder = folder
        self._jetstream = ("-js", "-sd", str(folder)) if jetstream else ()
        self._access = access
        self._token = token

    @property
    def url(self) -> str:
        """Its NATS_URL."""
        return f"nats://{self._token}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts the server and returns when it answers; from the main thread, as it ends with the thread."""
        binary = str(Path(sys.executable).parent / "nats-server")
        address = ("-a", "127.0.0.1", "-p", str(self.port))
        self._start([binary, *address, *self._access, *self._jetstream], self._answers)

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
            # An empty stream that never held anything says 0 for both, and 0 is no message.
            numbers = range(max(1, state.first_seq), state.last_seq + 1)
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
def nats_server(
    *, jetstream: bool = True, access: tuple[str, ...] = ("--auth", TOKEN)
) -> Iterator[NatsServer]:
    """A running server, gone with its folder at the end; `access` are its flags about who may come in."""
    folder = Path(tempfile.mkdtemp(prefix="nats-"))
    server = NatsServer(folder, jetstream=jetstream, access=access)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
