"""Many turns in a few sessions, each with an effect: what the model says, and how they are told apart."""

from __future__ import annotations

import re
from collections import Counter

from tests.servers.gemini import Request
from tests.servers.gemini_answers import Answer, call, reply

PAUSE = 0.05
_NAME = re.compile(r"turn-\d+-\d+")


class CrowdScript:
    """Saves a file named after the turn, then says so; `begun` counts first calls by turn."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()

    def __call__(self, request: Request) -> Answer:
        found = _NAME.search(request.last_user_text)
        assert found is not None
        name = found[0]
        if request.tool_results:
            return reply(f"{name} ", PAUSE, "is done.")
        self.begun[name] += 1
        saving = call("save_artifact", {"filename": f"{name}.txt", "content": name})
        suggesting = call("suggest_bot", {"suggestion": name})
        return reply(f"{name} begins.", PAUSE, (saving, suggesting))


def answer_of(name: str) -> str:
    """What a turn says in all."""
    return f"{name} begins.\n\n{name} is done."
