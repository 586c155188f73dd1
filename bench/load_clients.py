"""The users of a load run, in a process of their own: `python -m bench.load_clients`.

The plan comes as a line of JSON on standard input; what was seen goes out as one on standard output.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
import nats
import orjson
import uvloop

from bench.load_visitor import OPERATIONS, Ports, Visitor, WrongAnswerError
from shared.clock import utc_now

_SESSIONS_A_USER = 4
_LONGEST_RAMP = 120.0
_NAMES = [name for name, _ in OPERATIONS]
_WEIGHTS = [weight for _, weight in OPERATIONS]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """How many sessions, for how long, and the mean pause between two of a session's operations; seconds."""

    sessions: int
    seconds: float
    pause: float
    ports: Ports
    secret: str
    nats_url: str

    @property
    def ramp(self) -> float:
        """Over which the sessions begin."""
        return min(_LONGEST_RAMP, self.seconds / 4)


@dataclass(slots=True)
class Seen:
    """Seconds of each operation that went well, errors by operation and what was wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    turns: int = 0
    events: int = 0

    async def do(self, visitor: Visitor, name: str) -> None:
        """Has the visitor do it, and keeps how long it took or what was wrong."""
        started = time.perf_counter()
        try:
            await getattr(visitor, name)()
        except (OSError, TimeoutError, WrongAnswerError, nats.errors.Error) as error:
            what = f"{name}: {error or type(error).__name__}"
            self.errors[what] = self.errors.get(what, 0) + 1
        else:
            self.seconds.setdefault(name, []).append(time.perf_counter() - started)


async def visit(plan: LoadPlan, visitor: Visitor, seen: Seen, delay: float, end: float) -> None:
    """One session's time: begun after the delay, then one operation after another until the end."""
    await asyncio.sleep(delay)
    await seen.do(visitor, "begin")
    while True:
        pause = random.expovariate(1 / plan.pause)
        if time.perf_counter() + pause > end:
            break
        await asyncio.sleep(pause)
        await seen.do(visitor, random.choices(_NAMES, _WEIGHTS)[0])
    seen.turns += visitor.turns
    seen.events += visitor.events


async def run(plan: LoadPlan) -> Seen:
    """All sessions together, until the last operation of each has ended."""
    client = await nats.connect(plan.nats_url)
    jetstream = client.jetstream(timeout=30)

    async def publish(subject: str, body: bytes, message_id: str) -> None:
        await jetstream.publish(subject, body, headers={"Nats-Msg-Id": message_id})

    seen = Seen()
    end = time.perf_counter() + plan.seconds
    visitors = [
        Visitor(
            ports=plan.ports,
            user=f"user-{number // _SESSIONS_A_USER}",
            session=f"load-{number}",
            token=token(plan.secret, f"user-{number // _SESSIONS_A_USER}"),
            publish=publish,
        )
        for number in range(plan.sessions)
    ]
    await asyncio.gather(
        *(
            visit(plan, visitor, seen, plan.ramp * number / plan.sessions, end)
            for number, visitor in enumerate(visitors)
        )
    )
    await client.close()
    return seen


def token(secret: str, user: str) -> str:
    """The user's bearer token, for longer than any run."""
    return jwt.encode({"sub": user, "exp": utc_now() + timedelta(hours=6)}, secret, algorithm="HS256")


def plan_of(given: dict[str, Any]) -> LoadPlan:
    """The plan of a line of JSON."""
    return LoadPlan(**{**given, "ports": Ports(**given["ports"])})


def main() -> None:
    """Makes the load and tells what was seen."""
    seen = uvloop.run(run(plan_of(orjson.loads(sys.stdin.buffer.readline()))))
    sys.stdout.buffer.write(orjson.dumps(dataclasses.asdict(seen)) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
