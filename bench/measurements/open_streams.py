"""Memory of an open stream: what the server grows by when a thousand turns are under way at once."""

from __future__ import annotations

import time

from bench.figures import Rounds, Row, Target, of_agent
from bench.plan import Plan
from bench.processes import BenchError, Child
from bench.rig import CONTENDERS, Rig

TARGET = Target(most=100.0, of="KiB")
_WARM_UP_STREAMS = 100
_SETTLE_SECONDS = 20.0


def measure(rig: Rig, plan: Plan) -> list[Row]:
    """Rows for resident memory a stream, and for all of the server when they are open.

    At warm-up each contender opens some streams that are then all broken off at the model; the growth is
    counted from the idle process after that.
    """
    for name in CONTENDERS:
        _open(rig, name, _WARM_UP_STREAMS, first=0)
    rig.restart_model()
    growth, whole = Rounds(), Rounds()
    for name in CONTENDERS:
        served = rig.contenders[name].served
        idle = settled_bytes(served)
        _open(rig, name, plan.open_streams, first=_WARM_UP_STREAMS)
        full = served.resident_bytes
        growth.add(name, (full - idle) / plan.open_streams / 1024)
        whole.add(name, full / 1024**2)
    section = f"{plan.open_streams} open streams (one word sent, more to come)"
    return [
        growth.row(section, "memory a stream", "KiB", target=TARGET, judged=of_agent),
        whole.row(section, "memory of the process", "MiB"),
    ]


def settled_bytes(child: Child) -> int:
    """The resident memory when the process has gone quiet.

    Raises:
        BenchError: it did not.
    """
    deadline = time.monotonic() + _SETTLE_SECONDS
    before = child.cpu_seconds
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = child.cpu_seconds
        if now - before < 0.02:
            return child.resident_bytes
        before = now
    raise BenchError(f"{child.name} did not go quiet")


def _open(rig: Rig, name: str, streams: int, *, first: int) -> None:
    opened = rig.contenders[name].held_open(first=first, streams=streams)
    if opened != streams:
        raise BenchError(f"{name}: {opened} of {streams} streams opened")
