"""`python -m bench.run`: the agent beside bare google-genai and beside a bare server, in one table.

Exit status 0, whatever the figures; 1 when something did not run.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson

# psutil has no types, and the lock file no stubs of it.
import psutil  # type: ignore[import-untyped]

from bench.figures import Row
from bench.measurements import (
    first_token,
    open_streams,
    session_creation,
    start_up,
    throughput,
    turn_cost,
)
from bench.plan import FULL, QUICK, Plan
from bench.processes import BenchError, allow_many_files
from bench.rig import HANGING, INSTANT, REALISTIC, Model, Rig, rig
from bench.table import as_json, table

Measurement = Callable[[Rig, Plan], list[Row]]

START_UP = "start_up"
# Name, the model it needs, what measures it; start-up has processes of its own.
MEASUREMENTS: tuple[tuple[str, Model, Measurement], ...] = (
    ("turn_cost", INSTANT, turn_cost.measure),
    ("turn_cost_with_tools", INSTANT, turn_cost.measure_with_tools),
    ("session_creation", INSTANT, session_creation.measure),
    ("throughput", INSTANT, throughput.measure),
    ("first_token", REALISTIC, first_token.measure),
    ("throughput", REALISTIC, throughput.measure),
    ("open_streams", HANGING, open_streams.measure),
)


@dataclass(slots=True)
class Run:
    """One run of the bench: its rows, and what did not run."""

    plan: Plan
    only: str | None
    new_database: Callable[[], str] = str
    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def measure(self, folder: Path) -> None:
        """Makes every measurement wanted; those of one model share its processes, one that fails is noted."""
        for model in (INSTANT, REALISTIC, HANGING):
            wanted = [(n, m) for n, needs, m in MEASUREMENTS if needs is model and self.only in (None, n)]
            if wanted:
                self._attempt(f"{model.name} model", partial(self._with_model, model, wanted, folder))
        if self.only in (None, START_UP):
            self._attempt(
                START_UP, partial(self._keep, partial(start_up.measure, folder / START_UP, self.plan))
            )

    def _with_model(self, model: Model, wanted: list[tuple[str, Measurement]], folder: Path) -> None:
        with rig(
            model,
            folder / model.name,
            warm_up_turns=self.plan.warm_up_turns,
            database_url=self.new_database(),
        ) as running:
            for name, measure in wanted:
                found = partial(measure, running, self.plan)
                self._attempt(f"{name}, {model.name} model", partial(self._keep, found))

    def _keep(self, measure: Callable[[], list[Row]]) -> None:
        self.rows += measure()

    def _attempt(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except (BenchError, OSError, subprocess.SubprocessError) as error:
            self.failures.append(f"{name}: {error}")
            sys.stderr.write(f"{name} DID NOT RUN: {error}\n")
        sys.stderr.write(f"{self.seconds:5.0f} s  {name}\n")

    @property
    def seconds(self) -> float:
        """Since its beginning."""
        return time.monotonic() - self.started


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "python": platform.python_version(),
        "system": platform.system(),
        # What others take of the machine: figures of a busy one are worth less.
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "cpu_percent_before": psutil.cpu_percent(interval=2),
    }


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: an impression in under 90 s")
    names = {name for name, _, _ in MEASUREMENTS} | {START_UP}
    parser.add_argument("--only", choices=sorted(names))
    parser.add_argument(
        "--database", choices=("sqlite", "postgres"), default="sqlite", help="what the agent keeps turns in"
    )
    parser.add_argument("--out", type=Path, help="a folder for results.json")
    arguments = parser.parse_args()
    allow_many_files()
    facts = machine()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        run = Run(QUICK if arguments.quick else FULL, arguments.only)
        if arguments.database == "postgres":
            from tests.servers.postgres import postgres_server

            run.new_database = stack.enter_context(postgres_server()).create_database
        run.measure(Path(folder))
    facts["database"] = arguments.database
    words = ", ".join(f"{name} {value}" for name, value in facts.items())
    sys.stdout.write(f"{table(run.rows)}\n\n{words}; took {run.seconds:.0f} s\n")
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        results = {"machine": facts, "rows": as_json(run.rows), "failures": run.failures}
        (arguments.out / "results.json").write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
