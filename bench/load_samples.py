"""What a load run looks at every few seconds: memory, files, connections, and what waits."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]
import httpx

# psutil has no types, and the lock file no stubs of it.
import psutil  # type: ignore[import-untyped]

from bench.load_deployment import FUNCTIONS, LoadDeployment
from bench.processes import Child

MIB = 1024 * 1024
# The servers by the names of their processes, which are children of this one.
_SERVERS = ("postgres", "weed", "nats-server", "valkey-server")
_CLIENTS = re.compile(rb"connected_clients:(\d+)")
_LAG = re.compile(r"^nats_lag (\S+)$", re.MULTILINE)
_WAITING = """
SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS outbox,
       (SELECT count(*) FROM dead_letters WHERE settled_at IS NULL) AS letters,
       (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'the0-agent') AS connections,
       (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits
"""


@dataclass(slots=True)
class Samples:
    """Series of figures by name, and the seconds at which each was taken; all series are as long."""

    seconds: list[float] = field(default_factory=list)
    series: dict[str, list[float]] = field(default_factory=dict)
    # CPU seconds that each process had used at each sample, and transactions of the database.
    cpu: dict[str, list[float]] = field(default_factory=dict)
    commits: list[int] = field(default_factory=list)


class Sampler:
    """Takes samples of a running deployment."""

    def __init__(self, deployment: LoadDeployment, clients: Child) -> None:
        self._deployment = deployment
        self._watched = {**deployment.children, "clients": clients}
        self.samples = Samples()
        self._started = time.monotonic()

    async def run(self, seconds: float) -> None:
        """One sample every so many seconds until it is cancelled."""
        conn = await asyncpg.connect(self._deployment.database)
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
                while True:
                    await self._take(conn, client)
                    await asyncio.sleep(seconds)
        finally:
            await conn.close()

    async def _take(self, conn: asyncpg.Connection, client: httpx.AsyncClient) -> None:
        deployment, samples = self._deployment, self.samples
        waiting = await conn.fetchrow(_WAITING)
        monitor = f"http://127.0.0.1:{deployment.nats_monitor_port}/varz"
        nats = (await client.get(monitor)).json()
        lag = _LAG.search((await client.get(f"http://127.0.0.1:{deployment.bridge_port}/metrics")).text)
        redis = _CLIENTS.search(deployment.valkey.command("INFO", "clients"))
        figures = {
            "database connections": float(waiting["connections"]),
            "Redis connections": float(redis[1]) if redis else 0.0,
            "NATS connections": float(nats["connections"]),
            "outbox waiting": float(waiting["outbox"]),
            "dead letters": float(waiting["letters"]),
            "NATS lag": float(lag[1]) if lag else 0.0,
        }
        samples.commits.append(waiting["commits"])
        for name, child in self._watched.items():
            family = _family(psutil.Process(child.process.pid))
            samples.cpu.setdefault(name, []).append(sum(_cpu(each) for each in family))
            if name in FUNCTIONS:
                figures[f"{name}: memory"] = _memory(family) / MIB
                figures[f"{name}: open files"] = float(sum(_files(each) for each in family))
        for name in _SERVERS:
            servers = [each for each in psutil.Process().children() if each.name() == name]
            used = sum(_cpu(each) for server in servers for each in _family(server))
            samples.cpu.setdefault(name, []).append(used)
        samples.seconds.append(time.monotonic() - self._started)
        for name, figure in figures.items():
            samples.series.setdefault(name, []).append(figure)


def _family(parent: psutil.Process) -> list[psutil.Process]:
    return [parent, *parent.children(recursive=True)]


def _memory(family: list[psutil.Process]) -> int:
    """What a container of these would take: the largest whole, of the others what they share with nobody."""
    found = []
    for process in family:
        with suppress(psutil.NoSuchProcess):
            found.append(process.memory_full_info())
    largest = max(found, key=lambda each: each.rss)
    return int(largest.rss + sum(each.uss for each in found if each is not largest))


def _files(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.num_fds())
    return 0


def _cpu(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0
