"""The scripted turn of the fault tests: four model calls, five tool calls, every kind of effect.

The server looks at the history alone, so that a call that is repeated after a crash gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.servers.gemini import Request
from tests.servers.gemini_answers import Answer, Gate, Part, call, cut_after, reply

FIRST = "def trade():\n    return 1\n"
SECOND = "def trade():\n    return 2\n"
TEXTS = ("I write the bot. ", "One change. ", "", "All is done. ")
# Recorded steps after each write: message, reply, two results, reply, result, ... the last two together.
STEPS = (1, 2, 3, 4, 5, 6, 7, 8, 10)


def _calls(round_: int) -> tuple[Part, ...]:
    match round_:
        case 0:
            return (
                call("save_artifact", {"filename": "bot.py", "content": FIRST}),
                call("suggest_bot", {"suggestion": "A grid bot."}),
            )
        case 1:
            edits = [{"search": "return 1", "replace": "return 2"}]
            return (call("edit_artifact", {"filename": "bot.py", "edits": edits}),)
        case 2:
            return (
                call("save_artifact", {"filename": "../bot.py", "content": "x"}),
                call("save_artifact", {"filename": "notes.md", "content": "# Notes\n"}),
            )
    return ()


@dataclass(slots=True)
class Script:
    """Answers the model's requests; `pause` seconds lie between the words of a reply.

    `gates` stop a reply of a session before its words (`0`) or amid them (`1`): by the session's name, the
    round and that place. `cuts` are the replies, by session and round, that lose their connection once.
    """

    pause: float = 0.0
    gates: dict[tuple[str, int, int], Gate] = field(default_factory=dict)
    cuts: set[tuple[str, int]] = field(default_factory=set)
    answered: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        session = request.last_user_text.split()[-1]
        round_ = _round(request)
        self.answered.append((session, round_))
        words = TEXTS[round_]
        if (session, round_) in self.cuts:
            self.cuts.remove((session, round_))
            return cut_after(1, words[: len(words) // 2] or " ")
        items: list[str | Part | tuple[Part, ...] | Gate | float] = []
        for place, word in enumerate((words[: len(words) // 2], words[len(words) // 2 :])):
            gate = self.gates.get((session, round_, place))
            items += [*([gate] if gate else []), self.pause, *([word] if word else [])]
        calls = _calls(round_)
        return reply(*items, *([calls] if calls else []))

    def has_answered(self, session: str, round_: int) -> bool:
        """Whether that reply of a session has begun."""
        return (session, round_) in self.answered

    def hold(self, session: str, round_: int, place: int) -> Gate:
        """Stops that reply there until the gate is opened."""
        gate = self.gates[(session, round_, place)] = Gate()
        return gate


def message_of(session: str) -> str:
    """The user's message; the script knows the session by it."""
    return f"Write a bot for {session}"


def _round(request: Request) -> int:
    """How many replies with calls the history holds since the user spoke last."""
    calls = 0
    for content in reversed(request.contents):
        if content["role"] == "user" and any(part.get("text") for part in content["parts"]):
            break
        calls += any("functionCall" in part for part in content["parts"])
    return calls
