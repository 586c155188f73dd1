"""What a handler makes of an event's data: what is kept of it, and the facts in it. All of it bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.events.data import NamedData
from shared.analysis.masking import masked, masked_value
from shared.bots.bounded import bounded, cut_line
from shared.bots.facts import FactKind

MOST_LINES = 20
_MOST_LINE = 500
_MOST_ERROR = 2000
# Where an object holds the text that is meant, by the names that loggers and SDKs use.
_TEXT_MEMBERS = ("message", "error", "msg", "text", "content", "line", "event", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`of` names the bot and its session. `needs_bot`: only the bot's deployment says whose it is."""

    of: NamedData
    data: dict[str, Any] = field(hash=False)
    facts: dict[FactKind, dict[str, Any]] = field(hash=False)
    needs_bot: bool = True


def kept(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is kept of an object: bounded, and no credential in it that can be told by its looks or name."""
    return dict(masked_value(bounded(dict(value)))) if value else {}


def text_of(value: Any) -> str:
    """The text of an error: itself, or the member of an object that holds it."""
    if isinstance(value, dict):
        found = next((value[name] for name in _TEXT_MEMBERS if isinstance(value.get(name), str)), None)
        value = found if found is not None else str(bounded(value, 1000))
    return "" if value is None else masked(cut_line(str(value).strip(), _MOST_ERROR))


def last_lines(value: Any) -> list[str]:
    """The last lines of a log: of a text, or of a list of texts and objects. Empty ones are left out."""
    entries = value if isinstance(value, list) else [value]
    lines = [
        line.rstrip() for entry in entries[-MOST_LINES:] for line in text_of(entry).splitlines()[-MOST_LINES:]
    ]
    if isinstance(value, str):
        # A text's end is what counts, however long it is.
        lines = [line.rstrip() for line in value[-MOST_LINES * _MOST_LINE :].splitlines()]
    return [masked(cut_line(line, _MOST_LINE)) for line in lines if line][-MOST_LINES:]
