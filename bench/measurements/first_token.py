"""Time to the first text with a realistic model, for one client, for 16 and for 64."""

from __future__ import annotations

from bench.figures import Rounds, Row, Target, median_ms, to_genai
from bench.plan import Plan
from bench.processes import BenchError
from bench.rig import CONTENDERS, Contender, Rig

SECTION = "first token (model: 400 ms, then 20 chunks 20 ms apart)"
TARGET = Target(most=1.1, of="x google-genai")
# About one turn: clients that came by chance would be as evenly spread.
_SPREAD_SECONDS = 0.8


def measure(rig: Rig, plan: Plan) -> list[Row]:
    """Rows for one client, for 16 and 64 that come one after another, and for 64 in the same instant."""
    one, some, many, burst = Rounds(), Rounds(), Rounds(), Rounds()
    for _ in range(plan.first_token_rounds):
        for name in CONTENDERS:
            contender = rig.contenders[name]
            one.add(name, _one(contender, plan.first_token_turns))
            some.add(name, _together(contender, 16, plan.load_seconds, _SPREAD_SECONDS))
            many.add(name, _together(contender, 64, plan.load_seconds, _SPREAD_SECONDS))
            burst.add(name, _together(contender, 64, 0, 0))
    return [
        one.row(SECTION, "1 client", "ms", target=TARGET, judged=to_genai),
        some.row(SECTION, "16 clients, evenly spread", "ms", target=TARGET, judged=to_genai),
        many.row(SECTION, "64 clients, evenly spread", "ms", target=TARGET, judged=to_genai),
        burst.row(SECTION, "64 clients in one instant", "ms", target=TARGET, judged=to_genai),
    ]


def _one(contender: Contender, turns: int) -> float:
    load = contender.in_sequence(turns=turns)
    if load.errors:
        raise BenchError(f"{contender.name}: turns failed: {dict(load.errors)}")
    return median_ms(sample.first for sample in load.samples)


def _together(contender: Contender, clients: int, seconds: float, spread: float) -> float:
    load = contender.at_once(clients=clients, seconds=seconds, spread=spread)
    if not load.samples:
        raise BenchError(f"{contender.name}: every turn failed: {dict(load.errors)}")
    return median_ms(sample.first for sample in load.samples)
