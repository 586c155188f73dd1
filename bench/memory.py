"""`python -m bench.memory`: the resident memory of one process over many turns, each in a new session.

The gateway on SQLite, with a model that takes no time. It should grow until its caches are full, and no more.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.load_generator import HttpCaller
from bench.processes import BenchError, Child, free_port, python

CLIENTS = 8
STEPS = 10


async def measure(agent: Child, port: int, turns: int) -> None:
    """Makes the turns and prints a line at every tenth of them; raises BenchError when one fails."""
    caller = HttpCaller(port, enable_tools=True)
    done = 0

    async def client(number: int) -> None:
        nonlocal done
        while done < turns:
            done += 1
            at = done
            sample = await caller.turn(number, fresh=True)
            if sample.error:
                raise BenchError(f"turn {at}: {sample.error}")
            if at % (turns // STEPS) == 0:
                cpu = agent.cpu_seconds / at * 1000
                sys.stdout.write(
                    f"{at:6} turns {agent.resident_bytes / 2**20:7.1f} MiB {cpu:6.1f} ms CPU a turn\n"
                )
                sys.stdout.flush()

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--turns", type=int, default=3000)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-memory-")))
        port, model_port = free_port(), free_port()
        command = python("-m", "bench.load_model", f"--port={model_port}", "--first=0", "--pause=0")
        model = stack.enter_context(Child("model", command, folder=folder))
        agent = stack.enter_context(
            Child(
                "agent",
                python("-m", "infra.local.gateway"),
                folder=folder,
                PORT=str(port),
                DATA_DIR=str(folder / "data"),
                LOG_LEVEL="WARNING",
                GEMINI_API_KEY="bench-key",
                GEMINI_BASE_URL=f"http://127.0.0.1:{model_port}",
            )
        )
        model.wait_for_port(model_port)
        agent.wait_for_port(port)
        asyncio.run(measure(agent, port, max(arguments.turns, STEPS)))


if __name__ == "__main__":
    main()
