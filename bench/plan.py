"""How much is measured: the sizes of a full run and of a quick one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes of one run. A round measures each contender once, one after another; seconds for times."""

    warm_up_turns: int
    cost_rounds: int
    cost_turns: int
    tool_turns: int
    first_token_rounds: int
    first_token_turns: int
    load_rounds: int
    load_seconds: float
    load_clients: tuple[int, ...]
    open_streams: int
    session_rounds: int
    session_requests: int
    start_ups: int


FULL = Plan(
    warm_up_turns=40,
    cost_rounds=6,
    cost_turns=30,
    tool_turns=10,
    first_token_rounds=2,
    first_token_turns=4,
    load_rounds=2,
    load_seconds=1.5,
    load_clients=(1, 16, 64, 256),
    open_streams=1000,
    session_rounds=5,
    session_requests=100,
    start_ups=5,
)

QUICK = Plan(
    warm_up_turns=16,
    cost_rounds=3,
    cost_turns=20,
    tool_turns=10,
    first_token_rounds=1,
    first_token_turns=2,
    load_rounds=1,
    load_seconds=0.8,
    load_clients=(1, 64),
    open_streams=200,
    session_rounds=2,
    session_requests=50,
    start_ups=1,
)
