"""A process that makes turns on command: one JSON command a line in, one JSON answer a line out."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import uvloop

from bench.callers import Caller, Load, at_once, held_open, in_sequence
from bench.processes import BenchError, Child

Command = Callable[[dict[str, Any]], Awaitable[Any]]


def serve(open_caller: Callable[[], Awaitable[Caller]], **extra: Callable[[Any], Command]) -> None:
    """Runs the commands `in_sequence`, `at_once`, `held_open` and the `extra` ones until input ends."""
    uvloop.run(_serve(open_caller, extra))


async def _serve(
    open_caller: Callable[[], Awaitable[Caller]], extra: dict[str, Callable[[Any], Command]]
) -> None:
    caller = await open_caller()
    commands: dict[str, Command] = {
        "in_sequence": lambda given: in_sequence(caller, **given),
        "at_once": lambda given: at_once(caller, **given),
        "held_open": lambda given: held_open(caller, **given),
        **{name: make(caller) for name, make in extra.items()},
    }
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        given = orjson.loads(line)
        try:
            answer = {"answer": await commands[given.pop("do")](given)}
        # The parent shall hear of any failure in its own terms.
        except Exception as error:  # noqa: BLE001
            answer = {"failure": f"{type(error).__name__}: {error}"}
        sys.stdout.buffer.write(orjson.dumps(answer, default=_plain) + b"\n")
        sys.stdout.buffer.flush()


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else dict(value)  # type: ignore[arg-type]


def ask(child: Child, do: str, **given: Any) -> Any:
    """The answer of a worker process to a command.

    Raises:
        BenchError: it ended, or the command failed.
    """
    stdin, stdout = child.process.stdin, child.process.stdout
    assert stdin is not None
    assert stdout is not None
    stdin.write(orjson.dumps({"do": do, **given}) + b"\n")
    stdin.flush()
    line = stdout.readline()
    if not line:
        raise child.failure(f"ended at {do}")
    answer = orjson.loads(line)
    if "failure" in answer:
        raise BenchError(f"{child.name}: {do}: {answer['failure']}")
    return answer["answer"]


def load_of(answer: dict[str, Any]) -> Load:
    """The Load that `in_sequence` or `at_once` answered with."""
    from collections import Counter

    from bench.callers import Sample

    samples = [Sample(**sample) for sample in answer["samples"]]
    return Load(samples=samples, errors=Counter(answer["errors"]), seconds=answer["seconds"])
