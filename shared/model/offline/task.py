"""One message with all that was read from it: what a plan is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.model.offline.conversation import Conversation
from shared.model.offline.intent import Intent
from shared.model.offline.toolbox import Toolbox
from shared.model.offline.utterance import Utterance
from shared.model.offline.wish import BotWish


@dataclass(frozen=True, kw_only=True)
class Task:
    """The user's message understood; `request` is its canonical text without polite openings.

    `context` is the session's, as far as it is shown to a model: facts from outside.
    """

    intent: Intent
    utterance: Utterance
    request: str
    wish: BotWish
    conversation: Conversation
    tools: Toolbox
    context: dict[str, Any] = field(default_factory=dict, hash=False)
