"""How a bot is, as far as events show: it is said to run only where one of them shows that it does.

What shows it: `the0.bot.created` (the platform's runtime has a realtime bot), a run that completed, a metric,
a line of its log. `the0.bot-schedule.created` shows that it will run, not that it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.bots.facts import Fact

Status = Literal["accepted, not started", "running", "stopped", "failed", "deleted"]
# What the platform, or we, say of a bot; the others are what the bot did.
SAID = ("accepted", "created", "updated")
# A bot is listed when there is one of these about it.
ABOUT_BOTS = (*SAID, "deleted", "completed", "failed", "log", "metrics")

_REALTIME = "the0.bot.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class BotStatus:
    """`since` is the time of the earliest kept event that says so; `evidence` the newest that shows it."""

    status: Status
    since: datetime
    evidence: Fact | None = None


def status_of(facts: Mapping[str, Fact]) -> BotStatus:
    """The status by the newest fact of each kind, at least one of which is of ABOUT_BOTS."""
    gone = facts.get("deleted")
    said = _newest(facts, SAID)
    if gone is not None and (said is None or said.order < gone.order):
        return BotStatus(status="deleted", since=gone.time)
    facts = {kind: fact for kind, fact in facts.items() if gone is None or fact.order > gone.order}
    failed = facts.get("failed")
    signs = _signs(facts, said, failed)
    if failed is not None and not signs and (said is None or said.order < failed.order):
        return BotStatus(status="failed", since=failed.time)
    if said is not None and _is_off(said) and all(sign.order < said.order for sign in signs):
        return BotStatus(status="stopped", since=said.time)
    if not signs:
        return BotStatus(status="accepted, not started", since=_first_word(facts, said))
    newest = max(signs, key=lambda sign: sign.order)
    if newest.kind == "completed" and _is_realtime(facts):
        # A realtime bot runs until it ends: its run has ended.
        return BotStatus(status="stopped", since=newest.time)
    return BotStatus(status="running", since=min(sign.time for sign in signs), evidence=newest)


def _signs(facts: Mapping[str, Fact], said: Fact | None, failed: Fact | None) -> list[Fact]:
    """The facts that show that it runs, later than its last failure."""
    shown = [facts[kind] for kind in ("created", "completed", "metrics", "log") if kind in facts]
    shown = [fact for fact in shown if fact.kind != "created" or fact.event_type == _REALTIME]
    if failed is None:
        return shown
    # The lines that a crash leaves behind it show no life.
    restarted = said is not None and said.order > failed.order
    return [
        fact
        for fact in shown
        if fact.order > failed.order
        and (fact.kind != "log" or (restarted and said is not None and fact.order > said.order))
    ]


def _newest(facts: Mapping[str, Fact], kinds: tuple[str, ...]) -> Fact | None:
    found = [facts[kind] for kind in kinds if kind in facts]
    return max(found, key=lambda fact: fact.order, default=None)


def _is_off(said: Fact) -> bool:
    return said.value.get("enabled") is False


def _is_realtime(facts: Mapping[str, Fact]) -> bool:
    said = _newest(facts, ("created", "updated"))
    return said is not None and said.event_type.startswith("the0.bot.")


def _first_word(facts: Mapping[str, Fact], said: Fact | None) -> datetime:
    if said is not None:
        return said.time
    return min(fact.time for fact in facts.values())
