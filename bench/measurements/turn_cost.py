"""What a turn costs at one user when the model takes no time: wall time, first text, CPU of the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.figures import Rounds, Row, Target, median_ms, over_genai, to_genai
from bench.plan import Plan
from bench.processes import BenchError
from bench.rig import AGENT, CONTENDERS, GENAI, Contender, Rig

SECTION = "turn cost (1 user, model without latency, 20 chunks)"
CPU_TARGET = Target(most=1.5, of="x google-genai")
OVERHEAD_TARGET = Target(most=8.0, of="ms over google-genai")
_SESSION_TURNS = 10


@dataclass(slots=True)
class _Costs:
    """Rounds of one kind of turn; milliseconds."""

    wall: Rounds = field(default_factory=Rounds)
    cpu: Rounds = field(default_factory=Rounds)

    def measure(self, contender: Contender, turns: int, session_turns: int, name: str) -> None:
        """Adds a round of one contender, under `name`."""
        before = contender.served.cpu_seconds
        load = contender.in_sequence(turns=turns, session_turns=session_turns)
        after = contender.served.cpu_seconds
        if load.errors:
            raise BenchError(f"{contender.name}: turns failed: {dict(load.errors)}")
        self.wall.add(name, median_ms(sample.total for sample in load.samples))
        self.cpu.add(name, (after - before) / turns * 1000)

    def rows(self, kind: str, *, judged: bool) -> Iterable[Row]:
        """The rows of these rounds."""
        overhead = OVERHEAD_TARGET if judged else None
        cpu = CPU_TARGET if judged else None
        yield self.wall.row(SECTION, f"wall time a turn, {kind}", "ms", target=overhead, judged=over_genai)
        yield self.cpu.row(SECTION, f"CPU a turn, {kind}", "ms", target=cpu, judged=to_genai)


def measure(rig: Rig, plan: Plan) -> list[Row]:
    """Rows for turns in new sessions, and for ten turns in each session."""
    new, long = _Costs(), _Costs()
    for _ in range(plan.cost_rounds):
        for name in CONTENDERS:
            new.measure(rig.contenders[name], plan.cost_turns, 1, name)
        for name in (GENAI, AGENT):
            long.measure(rig.contenders[name], plan.cost_turns, _SESSION_TURNS, name)
    return [
        *new.rows("new session", judged=True),
        *long.rows("10 turns a session", judged=True),
    ]


def measure_with_tools(rig: Rig, plan: Plan) -> list[Row]:
    """Rows for turns in which the agent also declares its tools to the model, as it does by default."""
    costs = _Costs()
    for _ in range(plan.cost_rounds):
        for name, contender in ((GENAI, rig.contenders[GENAI]), (AGENT, rig.agent_tools)):
            costs.measure(contender, plan.tool_turns, 1, name)
    return list(costs.rows("agent declares its tools", judged=False))
