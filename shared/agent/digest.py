"""A turn in a few lines, as a summary is made from: what was asked, done and answered, each bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.agent.tokens import json_text
from shared.bots.crash_message import is_crash_message, without_bots_words
from shared.turn import Turn

_ASKED = 4_000
_ANSWERED = 1_500
_ARGUMENT = 160
_MOST_CALLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDeed:
    """A tool call of a turn: its short arguments as JSON, whether it worked, the files it saved."""

    name: str
    arguments: str
    ok: bool
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDigest:
    """What a summary needs of a turn; long texts are cut in their middle."""

    number: int
    asked: str
    deeds: tuple[ToolDeed, ...]
    answered: str
    ending: str

    def wire(self) -> dict[str, Any]:
        """As a JSON object, for a model to read."""
        tools = [
            f"{deed.name} {deed.arguments} -> {'ok' if deed.ok else 'failed'}"
            + (f", saved {', '.join(deed.files)}" if deed.files else "")
            for deed in self.deeds
        ]
        wire: dict[str, Any] = {"turn": self.number, "user": self.asked}
        if tools:
            wire["tools"] = tools
        return {**wire, "agent": self.answered, "ended": self.ending}


def digest(turn: Turn) -> TurnDigest:
    """The digest of a turn that has ended. Results of tools are left out: they may hold text from outside."""
    deeds = tuple(
        ToolDeed(
            name=call.name,
            arguments=_short_arguments(call.arguments),
            ok=result is not None and result.status == "ok",
            files=result.artifacts if result is not None else (),
        )
        for call, result in turn.tool_calls[:_MOST_CALLS]
    )
    return TurnDigest(
        number=turn.number,
        asked=_asked(turn.request.message),
        deeds=deeds,
        answered=cut_middle(turn.response, _ANSWERED),
        ending=turn.status,
    )


def _asked(message: str) -> str:
    """What was asked; of a crash's message not the log, which the notes would take for the user's words."""
    return without_bots_words(message) if is_crash_message(message) else cut_middle(message, _ASKED)


def cut_middle(text: str, length: int) -> str:
    """The text, or its beginning and end when it is longer; the beginning has two thirds."""
    if len(text) <= length:
        return text
    tail = length // 3
    return f"{text[: length - tail - 3]}\n…\n{text[-tail:]}"


def _short_arguments(arguments: dict[str, Any]) -> str:
    """The arguments that are short; a file's content is in the file."""
    short = {name: value for name, value in arguments.items() if len(json_text(value)) <= _ARGUMENT}
    return json_text(short)[: 3 * _ARGUMENT]
