"""What a load run runs: the five functions, each a process as it is deployed, on real servers."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.load_visitor import Ports
from bench.processes import ROOT, START_SECONDS, BenchError, Child, free_port, python
from tests.servers.nats import TOKEN, NatsServer, nats_server
from tests.servers.postgres import PostgresServer, postgres_server
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, SeaweedServer, seaweedfs_server
from tests.servers.valkey import ValkeyServer, valkey_server

FUNCTIONS = ("chat", "tools", "artifacts", "events", "bridge")
_NO_LIMIT = str(10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDeployment:
    """The running parts; `children` are our functions, the model server and nothing else."""

    folder: Path
    children: dict[str, Child]
    ports: Ports
    bridge_port: int
    nats_monitor_port: int
    database: str
    secret: str
    postgres: PostgresServer
    nats: NatsServer
    valkey: ValkeyServer
    seaweedfs: SeaweedServer


@contextmanager
def load_deployment(folder: Path) -> Iterator[LoadDeployment]:
    """Starts everything and waits until it is healthy; all of it is gone at the end.

    Raises:
        BenchError: a process did not start.
    """
    with ExitStack() as stack:
        monitor = free_port()
        postgres = stack.enter_context(postgres_server())
        nats = stack.enter_context(nats_server(access=("--auth", TOKEN, "-m", str(monitor))))
        valkey = stack.enter_context(valkey_server())
        seaweedfs = stack.enter_context(seaweedfs_server())
        model, events = free_port(), free_port()
        ports = Ports(chat=free_port(), tools=free_port(), artifacts=free_port())
        bridge = free_port()
        secret = base64.b64encode(os.urandom(32)).decode()
        database = postgres.create_lasting_database()
        settings = {
            "DATABASE_URL": database,
            "DATA_DIR": str(folder),
            "ENCRYPTION_KEYS": base64.b64encode(os.urandom(32)).decode(),
            "AUTH_MODE": "jwt",
            "JWT_SECRET": secret,
            "ARTIFACT_STORE": "s3",
            "ARTIFACT_BUCKET": seaweedfs.create_bucket(),
            "MINIO_ENDPOINT": seaweedfs.url,
            "MINIO_ACCESS_KEY": ACCESS_KEY,
            "MINIO_SECRET_KEY": SECRET_KEY,
            "NATS_URL": nats.url,
            "REDIS_URL": valkey.url,
            "GEMINI_API_KEY": "bench-key",
            "GEMINI_BASE_URL": f"http://127.0.0.1:{model}",
            "TOOLS_URL": f"http://127.0.0.1:{ports.tools}",
            "EVENTS_URL": f"http://127.0.0.1:{events}/events",
            # So that the paths of all limits are walked.
            "TURNS_PER_MINUTE": "10000",
            "MAX_OPEN_STREAMS": "1000",
            "DAILY_TOKEN_LIMIT": _NO_LIMIT,
            "DAILY_COST_LIMIT": "1000000",
        }

        def start(name: str, command: tuple[str, ...], port: int) -> Child:
            child = Child(name, command, folder=folder, talks=False, PORT=str(port), **settings)
            return stack.enter_context(child)

        children = {
            "model": start("model", python("-m", "bench.load_model", f"--port={model}"), model),
            "chat": start("chat", python("-m", "functions.chat.serve"), ports.chat),
            "tools": start("tools", _framework("tools"), ports.tools),
            "artifacts": start("artifacts", _framework("artifacts"), ports.artifacts),
            "events": start("events", _framework("events"), events),
            "bridge": start("bridge", python("-m", "functions.events.nats_bridge"), bridge),
        }
        for name, port in (
            *vars_of(ports).items(),
            ("events", events),
            ("bridge", bridge),
            ("model", model),
        ):
            children[name].wait_for_port(port)
            if name in FUNCTIONS:
                _until_healthy(children[name], port)
        asyncio.run(_until_stream(nats))
        yield LoadDeployment(
            folder=folder,
            children=children,
            ports=ports,
            bridge_port=bridge,
            nats_monitor_port=monitor,
            database=database,
            secret=secret,
            postgres=postgres,
            nats=nats,
            valkey=valkey,
            seaweedfs=seaweedfs,
        )


def vars_of(ports: Ports) -> dict[str, int]:
    """The ports by function."""
    return {"chat": ports.chat, "tools": ports.tools, "artifacts": ports.artifacts}


def _framework(target: str) -> tuple[str, ...]:
    source = str(ROOT / "functions" / target / "main.py")
    return python("-m", "functions_framework", "--asgi", "--source", source, "--target", target)


def _until_healthy(child: Child, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=10)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if answer.json()["status"] == "healthy":
            return
        time.sleep(0.1)
    raise child.failure("is not healthy")


async def _until_stream(nats: NatsServer) -> None:
    """Returns when the bridge has made the stream that takes the platform's plain messages."""
    from nats.js.errors import NotFoundError

    deadline = time.monotonic() + START_SECONDS
    async with nats.client() as client:
        while time.monotonic() < deadline:
            try:
                await client.jetstream().find_stream_name_by_subject("backtest.completed")
            except NotFoundError:
                await asyncio.sleep(0.1)
            else:
                return
    raise BenchError("the bridge made no stream for backtest.completed")
