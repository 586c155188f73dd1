"""Diagnoses that begin by themselves when a bot crashes: who wants them, and what they ask of the agent.

A user switches them on for a bot in the context of the session: `{"diagnose": {"<bot_id>": true}}`. Events
cannot: what they tell is derived, and never in the part of the context that is the user's own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from shared.agent.automatic import MARK
from shared.analysis.masking import masked
from shared.bots.bounded import cut_line
from shared.bots.crash_message import Crash, write_crash_message
from shared.bots.facts import event_key
from shared.clock import to_wire
from shared.sessions.inbound_port import RecordedEvent
from shared.turn import TurnRequest

CRASH_TYPE = "bot.execution.failed"
SWITCH = "diagnose"
MOST_LINES = 20
_MOST_LINE = 500
_MOST_ERROR = 2000
_VARYING = re.compile(r"0x[0-9a-fA-F]+|[0-9]+|'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"")


def wants_diagnosis(context: Mapping[str, Any], bot_id: str) -> bool:
    """Whether the user's own part of a session's context has it switched on for the bot."""
    switches = context.get(SWITCH)
    return isinstance(switches, dict) and switches.get(bot_id) is True


def crash_signature(crash: RecordedEvent) -> str:
    """One word for crashes that look alike: of one bot, with one error but for numbers and quoted values."""
    error = str(crash.data.get("error", ""))
    alike = _VARYING.sub("#", error[:_MOST_ERROR])
    return hashlib.sha256(f"{crash.bot_id}\n{alike}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def diagnosis_key(source: str, event_id: str) -> str:
    """The idempotency key of the turn that a crash opens: a repeat of its event finds that turn."""
    return f"diagnosis-{event_key(source, event_id)}"


def diagnosis_request(crash: RecordedEvent, lines: tuple[str, ...]) -> TurnRequest:
    """The turn that the crash opens; `lines` are the last of its log, the newest last."""
    message = write_crash_message(
        Crash(
            bot_id=str(crash.bot_id),
            time=to_wire(crash.time),
            error=cut_line(masked(str(crash.data.get("error") or "")), _MOST_ERROR),
            lines=tuple(cut_line(masked(line), _MOST_LINE) for line in lines[-MOST_LINES:]),
        )
    )
    named = {
        "bot_id": crash.bot_id,
        "event": crash.type,
        "event_id": crash.event_id,
        "time": to_wire(crash.time),
    }
    return TurnRequest(message=message, context={MARK: named})
