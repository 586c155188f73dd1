"""Events of many bots, repeated and out of order, with every process on their way killed: one end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.event_flood import (
    KINDS,
    FloodedDeployment,
    as_it_comes,
    flood,
    make_sessions,
    post_in_order,
    publish,
    state_of,
    until_done,
)
from tests.servers.agent import agent_server
from tests.servers.nats import NatsServer, nats_server
from tests.servers.postgres import PostgresServer

PARTS = ("bridge", "events", "nats", "postgres")


@pytest.fixture
def flooded(tmp_path: Path, mortal_postgres: PostgresServer) -> Iterator[FloodedDeployment]:
    """All four; the database keeps what was committed when its server crashes."""
    with nats_server() as nats:
        deployment = FloodedDeployment(
            tmp_path, nats, mortal_postgres, mortal_postgres.create_lasting_database()
        )
        yield deployment
        deployment.close()


async def make_stream(nats: NatsServer) -> None:
    """A stream as a platform might have it, which hardly recognises a repeat itself."""
    async with nats.client() as client:
        await client.jetstream().add_stream(name="RUNS", subjects=list(KINDS), duplicate_window=0.1)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("events", "bots", "kills"),
    [
        pytest.param(2_000, 50, 4, id="2000 events"),
        pytest.param(100_000, 1_000, 24, id="100000 events", marks=pytest.mark.long),
    ],
)
async def test_events_of_bots_end_in_the_state_of_a_sequential_run(
    events: int, bots: int, kills: int, flooded: FloodedDeployment, tmp_path: Path
) -> None:
    chance = random.Random(events)
    in_order = flood(events, bots)
    await make_sessions(flooded.database, bots)
    await make_stream(flooded.nats)
    for name in ("events", "bridge"):
        flooded.start(name)
    publishing = asyncio.create_task(publish(flooded.nats, as_it_comes(in_order, chance)))
    # Each of them once at least, in any order.
    victims = [*PARTS, *chance.choices(PARTS, k=kills - len(PARTS))]
    chance.shuffle(victims)
    for victim in victims:
        await asyncio.sleep(chance.uniform(0.2, 2.0))
        flooded.fall(victim)
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        flooded.rise(victim)
    await publishing
    await until_done(flooded)
    found = await state_of(flooded.database)
    flooded.close()

    sequential = flooded.postgres.create_database()
    await make_sessions(sequential, bots)
    (tmp_path / "sequential").mkdir()
    with agent_server(tmp_path / "sequential", DATABASE_URL=sequential, LOG_LEVEL="WARNING") as agent:
        await post_in_order(f"{agent.url}/events", in_order)
    wanted = await state_of(sequential)
    assert len(found["events"]) == events
    assert found["letters"] == wanted["letters"] == []
    assert found["facts"] == wanted["facts"]
    assert found["events"] == wanted["events"]
