"""Measures how soon the newest page of a long session loads: python -m bench.history [--messages N]."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from shared.keys import SessionKey
from shared.messages import TextPart, Usage
from shared.sessions.migrate import migrate
from shared.sessions.port import Store
from shared.sessions.sql.store import SqlStore
from shared.sessions.turn_port import NewTurn
from shared.turn import FinalStep, ModelStep, TurnRequest

KEY = SessionKey(user_id="bench", session_id="long")
ROUNDS = 40
# A page of the contract's default limit, and the history that a turn begins with.
PAGE_TURNS, HISTORY_MESSAGES = 25, 100

_QUESTION = "What did the last backtest of the grid bot on ETH/USDT say, and what would you change? " * 3
_ANSWER = "The grid made 214 trades with a win rate of 57 %; the spacing is too narrow at night. " * 12
_STEPS = (
    ModelStep(parts=(TextPart(text=_ANSWER),), finish_reason="stop", usage=Usage(), model="m"),
    FinalStep(status="completed", finish_reason="stop"),
)

Open = Callable[[], Awaitable[Store]]


@contextmanager
def sqlite() -> Iterator[Open]:
    """A store on a new file."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/bench.db"

        async def opened() -> Store:
            await migrate(url)
            return await SqlStore.open(url)

        yield opened


@contextmanager
def postgres() -> Iterator[Open]:
    """A store on a server of its own."""
    from tests.servers.postgres import postgres_server

    with postgres_server() as server:
        url = server.create_database()

        async def opened() -> Store:
            return await SqlStore.open(url)

        yield opened


@contextmanager
def firestore() -> Iterator[Open]:
    """A store on an emulator of its own: it looks at every turn in memory where the service has an index."""
    from shared.sessions.firestore.store import FirestoreStore
    from tests.servers.firestore import firestore_host, new_database_url

    with firestore_host():
        url = new_database_url()

        async def opened() -> Store:
            return await FirestoreStore.open(url)

        yield opened


STORES = {"SQLite": sqlite, "Postgres": postgres, "Firestore": firestore}


def main() -> None:
    """Prints a line a store: milliseconds, median and 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000, help="length of the session")
    parser.add_argument("--stores", nargs="*", choices=list(STORES), default=list(STORES))
    arguments = parser.parse_args()
    for name in arguments.stores:
        with STORES[name]() as opened:
            asyncio.run(measure(name, opened, arguments.messages))


async def measure(name: str, opened: Open, messages: int) -> None:
    """Fills one store and prints its line."""
    store = await opened()
    try:
        for _ in range(messages // 2):
            await converse(store)
        page = [await timed(newest_page, store) for _ in range(ROUNDS)]
        begin = [await timed(converse, store, HISTORY_MESSAGES) for _ in range(ROUNDS)]
    finally:
        await store.close()
    print(
        f"{name:10} {messages} messages: newest page {figures(page)}, "
        f"a whole turn with {HISTORY_MESSAGES} messages of history {figures(begin)}"
    )


async def newest_page(store: Store) -> None:
    """What a client sees first of a session."""
    page = await store.list_turns(key=KEY, limit=PAGE_TURNS, cursor=None)
    assert len(page.items) == PAGE_TURNS
    assert page.next_cursor is not None


async def converse(store: Store, history_messages: int = 1) -> None:
    """One turn of a question and an answer."""
    now = datetime.now(UTC)
    begun = await store.begin_turn(
        new=NewTurn(
            key=KEY,
            turn_id=f"t-{time.monotonic_ns()}",
            request=TurnRequest(message=_QUESTION),
            prompt_version="p",
            now=now,
            lease_seconds=60,
            default_title="Long",
            history_messages=history_messages,
        )
    )
    assert begun.lease is not None
    await store.finish_turn(lease=begun.lease, number=1, steps=_STEPS, now=now)


async def timed(work: Callable[..., Awaitable[None]], *arguments: object) -> float:
    """Milliseconds that it took."""
    began = time.perf_counter()
    await work(*arguments)
    return (time.perf_counter() - began) * 1000


def figures(times: list[float]) -> str:
    """The median and the 95th percentile."""
    high = statistics.quantiles(times, n=20)[-1]
    return f"{statistics.median(times):.1f} ms (p95 {high:.1f})"


if __name__ == "__main__":
    main()
