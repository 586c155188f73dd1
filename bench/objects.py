"""`python -m bench.objects`: saving artifacts through the library, beside the bare clients of the stores.

The figure of a client alone is the limit. The least that a save can do is a second measure: the object with
its metadata and checksum, then its record and event by the database's driver, and no question asked. All
share the machine with the store's own server. Nothing else should run; a round's figures are taken one after
another, and ratios are medians of rounds. Exit status 0, whatever the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.bare_objects import Save, bare_saves, code, least_saves
from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.select import open_objects
from shared.clock import utc_now
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.migrate import migrate
from shared.sessions.sql.store import SqlStore
from shared.settings import read_settings
from tests.servers.gcs import gcs_server
from tests.servers.object_fixtures import gcs_variables, s3_variables
from tests.servers.seaweedfs import seaweedfs_server

AT_ONCE = 64
SESSIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is saved: `single` one after another, `many` with 64 at once, in each of `rounds`."""

    rounds: int
    single: int
    many: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the project wants: a median under `most_ms`, and over `least` saves a second; 0 for no wish."""

    most_ms: float
    least: float


TARGETS = {"local": Target(most_ms=5, least=0), "s3": Target(most_ms=15, least=500)}


@asynccontextmanager
async def library_saves(variables: dict[str, str], folder: Path) -> AsyncIterator[Save]:
    """Saves of new files through the library, over several sessions, records in SQLite."""
    url = f"sqlite+aiosqlite:///{folder}/agent.db"
    await migrate(url)
    objects = open_objects(read_settings(variables))
    async with await SqlStore.open(url) as store:
        sessions = [SessionKey(user_id="u", session_id=f"s{n}") for n in range(SESSIONS)]
        for session in sessions:
            await store.create_session(key=session, title="", context={}, now=utc_now())
        library = ArtifactLibrary(
            objects=objects, index=store, clock=utc_now, new_id=new_id, max_files=1_000_000
        )

        async def save(number: int) -> object:
            key = ArtifactKey(session=sessions[number % SESSIONS], filename=f"f{number % 100}.py")
            return await library.save(key=key, data=code(number))

        yield save
    await objects.close()


async def one_after_another(save: Save, first: int, count: int) -> float:
    """The median of a save, in milliseconds."""
    taken = []
    for number in range(first, first + count):
        started = time.perf_counter()
        await save(number)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


async def many_at_once(save: Save, first: int, count: int) -> float:
    """Saves a second with 64 at once."""
    numbers = iter(range(first, first + count))

    async def work() -> None:
        for number in numbers:
            await save(number)

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - started)


async def measure(kind: str, variables: dict[str, str], folder: Path, plan: Plan) -> None:
    """Measures one kind of store and prints its lines."""
    figures: dict[str, list[float]] = {}
    async with (
        library_saves(variables, folder) as through_library,
        bare_saves(kind, variables, folder) as bare,
        least_saves(variables, folder) as least,
    ):
        contenders = {"bare": bare, "least": least, "library": through_library}
        for number, save in enumerate(contenders.values()):
            await many_at_once(save, 10_000_000 * number, AT_ONCE)
        for turn in range(plan.rounds):
            for name, save in contenders.items():
                first = 100_000 * (turn + 1)
                median = await one_after_another(save, first, plan.single)
                figures.setdefault(f"{name} ms", []).append(median)
                rate = await many_at_once(save, first + 50_000, plan.many)
                figures.setdefault(f"{name} /s", []).append(rate)
    tell(kind, figures)


def tell(kind: str, figures: dict[str, list[float]]) -> None:
    """Prints medians, ratios and targets."""
    target = TARGETS.get(kind)
    for unit, what in (("ms", "one save, median ms"), ("/s", f"{AT_ONCE} at once, saves/s")):
        bare, least, library = (figures[f"{name} {unit}"] for name in ("bare", "least", "library"))
        ratio, nearer = (
            statistics.median(a / b for a, b in zip(library, limit, strict=True)) for limit in (bare, least)
        )
        mine = statistics.median(library)
        wish = ""
        if target and unit == "ms":
            wish = f"  wanted < {target.most_ms:g}: {'yes' if mine < target.most_ms else 'NO'}"
        elif target and target.least:
            wish = f"  wanted > {target.least:g}: {'yes' if mine > target.least else 'NO'}"
        print(
            f"{kind:6} {what:22} bare {statistics.median(bare):7.2f}  least {statistics.median(least):7.2f}  "
            f"library {mine:7.2f}  library/bare {ratio:4.2f}  /least {nearer:4.2f}{wish}",
            flush=True,
        )


def main() -> None:
    """Measures the stores named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="*", metavar="local|s3|gcs", help="all when left out")
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    asked = parser.parse_args()
    kinds = asked.stores or ["local", "s3", "gcs"]
    if unknown := set(kinds) - {"local", "s3", "gcs"}:
        parser.error(f"no such store: {', '.join(sorted(unknown))}")
    plan = Plan(rounds=2, single=30, many=128) if asked.quick else Plan(rounds=5, single=200, many=1000)
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="bench-objects-") as folder:
            run(kind, Path(folder), plan)


def run(kind: str, folder: Path, plan: Plan) -> None:
    """Starts the server of the store and measures it."""
    if kind == "s3":
        with seaweedfs_server() as s3:
            uvloop.run(measure(kind, s3_variables(s3.url, s3.create_bucket()), folder, plan))
    elif kind == "gcs":
        with gcs_server() as gcs:
            # The client itself reads it.
            os.environ["STORAGE_EMULATOR_HOST"] = gcs.url
            uvloop.run(measure(kind, gcs_variables(gcs.url, gcs.create_bucket()), folder, plan))
    else:
        uvloop.run(measure(kind, {"DATA_DIR": str(folder)}, folder, plan))


if __name__ == "__main__":
    main()
