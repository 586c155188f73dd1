"""What a session's context shows of the events about it: a pure function of the newest fact of each kind.

Members are those of the contract, section 6, and `told_by`: which event each of the others comes from, and
its time. All of it is data from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.bots.bounded import cut_line
from shared.bots.facts import Fact, LogLine
from shared.bots.status import ABOUT_BOTS, SAID, status_of
from shared.clock import to_wire

MOST_BOTS = 20
# A session has few bots; of one with more, the newest facts are read.
MOST_FACTS = 400
MOST_LINES = 20
_MOST_ERROR = 500

# Member -> the kinds of fact whose newest it is.
_MEMBERS: dict[str, tuple[str, ...]] = {
    "recent_execution": ("completed", "failed"),
    "market_conditions": ("market",),
    "performance_metrics": ("metrics",),
    "recent_backtest": ("backtest",),
}


def derived_context(facts: Iterable[Fact], lines: Sequence[LogLine] = ()) -> dict[str, Any]:
    """The members that events give; empty without facts.

    `lines` are the log's last error lines, oldest first, for the failed run that `wants_lines` named.
    """
    known = list(facts)
    found: dict[str, Any] = {}
    told_by: dict[str, Any] = {}
    for member, kinds in _MEMBERS.items():
        newest = _newest(known, kinds)
        if newest is None:
            continue
        found[member] = newest.value
        told_by[member] = _source(newest)
        if member == "recent_execution":
            found[member] = _execution(newest, lines)
        elif member == "recent_backtest":
            found[member] = _ours_first(_who_and_when(newest), newest.value)
    bots = _bots(known)
    if bots:
        found["bots"] = bots
    return found | {"told_by": told_by} if told_by else found


def wants_lines(facts: Iterable[Fact]) -> Fact | None:
    """The failed run that is the session's newest and brought no log of its own."""
    newest = _newest(facts, _MEMBERS["recent_execution"])
    if newest is None or newest.kind != "failed" or newest.value.get("logs") or not newest.bot_id:
        return None
    return newest


def _execution(newest: Fact, lines: Sequence[LogLine]) -> dict[str, Any]:
    shown = _ours_first(_who_and_when(newest) | {"status": newest.kind}, newest.value)
    if lines and newest.kind == "failed" and not newest.value.get("logs"):
        shown["logs"] = [f"{to_wire(line.time)} {line.text}" for line in lines]
    return shown


def _ours_first(ours: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Both, ours where both have a name: what an event says of itself hides none of it."""
    return {**ours, **{name: value for name, value in told.items() if name not in ours}}


def _who_and_when(fact: Fact) -> dict[str, Any]:
    who = {"bot_id": fact.bot_id} if fact.bot_id else {}
    return who | {"time": to_wire(fact.time)}


def _bots(facts: Sequence[Fact]) -> dict[str, Any]:
    by_bot: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        if fact.bot_id and fact.kind in ABOUT_BOTS:
            by_bot.setdefault(fact.bot_id, {})[fact.kind] = fact
    newest = sorted(by_bot, key=lambda bot_id: max(fact.order for fact in by_bot[bot_id].values()))
    return {bot_id: _bot(by_bot[bot_id]) for bot_id in reversed(newest[-MOST_BOTS:])}


def _bot(facts: Mapping[str, Fact]) -> dict[str, Any]:
    status = status_of(facts)
    said = sorted((facts[kind] for kind in SAID if kind in facts), key=lambda fact: fact.order)
    shown: dict[str, Any] = {}
    for name in ("name", "custom_bot", "version", "schedule"):
        for fact in said:
            if fact.value.get(name):
                shown[name] = fact.value[name]
    shown |= {"status": status.status, "status_since": to_wire(status.since)}
    if status.evidence is not None:
        shown["evidence"] = {"type": status.evidence.event_type, "time": to_wire(status.evidence.time)}
    wrong = _newest(facts.values(), ("failed", "log"))
    text = wrong.value.get("error") if wrong is not None else None
    if wrong is not None and text:
        shown["last_error"] = {"time": to_wire(wrong.time), "text": cut_line(str(text), _MOST_ERROR)}
    return shown


def _newest(facts: Iterable[Fact], kinds: tuple[str, ...]) -> Fact | None:
    found = (fact for fact in facts if fact.kind in kinds)
    return max(found, key=lambda fact: (fact.order, fact.bot_id), default=None)


def _source(fact: Fact) -> dict[str, Any]:
    return _who_and_when(fact) | {"type": fact.event_type}
