"""What makes turns in a bench: one at a time, many at once, or begun and held open."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

_OPENING_AT_ONCE = 16
_HOLD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn: seconds to its first text and to its end; `error` says what was wrong with it."""

    first: float
    total: float
    error: str = ""


@dataclass(slots=True)
class Load:
    """What many clients saw: the samples of turns that went well, errors by name, seconds in all."""

    samples: list[Sample] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, sample: Sample) -> None:
        """Counts a turn."""
        if sample.error:
            self.errors[sample.error] += 1
        else:
            self.samples.append(sample)


class Caller(Protocol):
    """One way of having a turn made; a client is a number, and has one turn at a time."""

    async def turn(self, client: int, *, fresh: bool) -> Sample:
        """A whole turn, in a new session when `fresh`, else in the client's last one."""
        ...

    async def hold(self, client: int) -> None:
        """Begins a turn and returns at its first text; the turn stays open."""
        ...


async def in_sequence(caller: Caller, *, turns: int, session_turns: int) -> Load:
    """Turns of one client, `session_turns` in each session."""
    load = Load()
    started = time.perf_counter()
    for number in range(turns):
        load.add(await caller.turn(0, fresh=number % session_turns == 0))
    load.seconds = time.perf_counter() - started
    return load


async def at_once(caller: Caller, *, clients: int, seconds: float, spread: float) -> Load:
    """Clients that each make turn after turn in new sessions for some seconds, and then end their last.

    Their first turns begin evenly over `spread` seconds; with 0, all in the same instant.
    """
    load = Load()
    started = time.perf_counter()

    async def client(number: int) -> None:
        await asyncio.sleep(spread * number / clients)
        while True:
            load.add(await caller.turn(number, fresh=True))
            if time.perf_counter() - started >= seconds:
                return

    await asyncio.gather(*(client(number) for number in range(clients)))
    load.seconds = time.perf_counter() - started
    return load


async def held_open(caller: Caller, *, first: int, streams: int) -> int:
    """Opens that many turns, of clients numbered from `first`, and leaves them open; how many opened."""
    gate = asyncio.Semaphore(_OPENING_AT_ONCE)

    async def one(number: int) -> bool:
        async with gate:
            await caller.hold(number)
            return True

    async with asyncio.timeout(_HOLD_SECONDS):
        return sum(await asyncio.gather(*(one(first + number) for number in range(streams))))
