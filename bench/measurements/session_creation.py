"""How long `POST /chat/sessions` takes, beside a request that does nothing."""

from __future__ import annotations

from typing import Any

from bench.figures import Rounds, Row, Target, of_agent, percentile_ms
from bench.plan import Plan
from bench.rig import AGENT, BARE, Rig
from bench.worker import ask

SECTION = "session creation (1 client, one after another)"
TARGET = Target(most=2.0, of="ms")
_CREATE: dict[str, Any] = {"method": "POST", "path": "/chat/sessions", "body": "{}", "status": 201}
_LIVE: dict[str, Any] = {"method": "GET", "path": "/health/live", "body": "", "status": 200}


def measure(rig: Rig, plan: Plan) -> list[Row]:
    """Rows for the median and the 95th percentile, and for `GET /health/live` of agent and bare server."""
    middle, high, live = Rounds(), Rounds(), Rounds()
    agent, bare = rig.contenders[AGENT].worker, rig.contenders[BARE].worker
    for _ in range(plan.session_rounds):
        created = ask(agent, "requests", count=plan.session_requests, **_CREATE)
        middle.add(AGENT, percentile_ms(created, 50))
        high.add(AGENT, percentile_ms(created, 95))
        live.add(AGENT, percentile_ms(ask(agent, "requests", count=plan.session_requests, **_LIVE), 50))
        live.add(BARE, percentile_ms(ask(bare, "requests", count=plan.session_requests, **_LIVE), 50))
    return [
        middle.row(SECTION, "POST /chat/sessions, median", "ms", target=TARGET, judged=of_agent),
        high.row(SECTION, "POST /chat/sessions, p95", "ms"),
        live.row(SECTION, "GET /health/live, median", "ms"),
    ]
