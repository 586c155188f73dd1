"""Turns a second by many clients, how long each took, and how many failed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from bench.callers import Load
from bench.figures import Rounds, Row, Target, of_agent, percentile_ms
from bench.plan import Plan
from bench.rig import CONTENDERS, REALISTIC, Rig

ERROR_TARGET = Target(most=0, of="errors")
_PERCENTILES = (50, 95, 99)
_SPREAD_SECONDS = 0.8


@dataclass(slots=True)
class _Counted:
    """The rounds of one number of clients."""

    rate: Rounds = field(default_factory=Rounds)
    cpu: Rounds = field(default_factory=Rounds)
    times: dict[int, Rounds] = field(default_factory=lambda: {p: Rounds() for p in _PERCENTILES})
    errors: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, load: Load, cpu_seconds: float) -> None:
        """Adds a contender's round, with what its server used."""
        self.cpu.add(name, cpu_seconds / max(1, len(load.samples)) * 1000)
        totals = [sample.total for sample in load.samples]
        self.rate.add(name, len(totals) / load.seconds)
        for percent, rounds in self.times.items():
            rounds.add(name, percentile_ms(totals, percent))
        self.errors[name] = self.errors.get(name, 0) + load.errors.total()

    def rows(self, section: str, clients: int) -> list[Row]:
        """The rows of these rounds."""
        head = f"{clients} clients" if clients > 1 else "1 client"
        errors = Rounds()
        for name, count in self.errors.items():
            errors.add(name, count)
        return [
            self.rate.row(section, f"{head}: turns a second", "1/s"),
            *(r.row(section, f"{head}: p{percent} of a turn", "ms") for percent, r in self.times.items()),
            self.cpu.row(section, f"{head}: CPU a turn", "ms"),
            Row(
                section=section,
                what=f"{head}: errors",
                unit="",
                figures=errors.medians(),
                target=ERROR_TARGET,
                judged=of_agent(errors),
            ),
        ]


def measure(rig: Rig, plan: Plan) -> list[Row]:
    """Rows for each number of clients."""
    model = rig.model
    section = f"throughput, {model.name} model"
    spread = _SPREAD_SECONDS if model is REALISTIC else 0.0
    rows: list[Row] = []
    for clients in plan.load_clients:
        counted = _Counted()
        for _ in range(plan.load_rounds):
            for name in CONTENDERS:
                contender = rig.contenders[name]
                before = contender.served.cpu_seconds
                load = contender.at_once(clients=clients, seconds=plan.load_seconds, spread=spread)
                counted.add(name, load, contender.served.cpu_seconds - before)
                if load.errors:
                    sys.stderr.write(f"        {section}, {clients} clients, {name}: {dict(load.errors)}\n")
        rows += counted.rows(section, clients)
    return rows
