"""The session's context as the system prompt shows it: facts to answer from, never orders."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_FENCED = re.compile(
    r'# Session context\n<untrusted_data source="session context">\n(.*?)\n</untrusted_data>', re.DOTALL
)


def context_in(system: str) -> dict[str, Any]:
    """The context; empty where there is none, or where it was too long to be shown whole."""
    found = _FENCED.search(system)
    if found is None:
        return {}
    try:
        value = json.loads(found[1])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def bots_in(context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The bots that events told of, by id, the one that changed last first."""
    bots = context.get("bots")
    if not isinstance(bots, dict):
        return {}
    known = {bot_id: bot for bot_id, bot in bots.items() if isinstance(bot, dict)}
    order = sorted(known, key=lambda bot_id: str(known[bot_id].get("status_since", "")), reverse=True)
    return {bot_id: known[bot_id] for bot_id in order}


def named_bots(text: str, bots: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The ids of the bots that a text names, by id or by name."""
    lowered = text.lower()
    found = []
    for bot_id, bot in bots.items():
        names = (bot_id, bot.get("name"), bot.get("custom_bot"))
        words = [re.escape(str(name).lower()) for name in names if name and len(str(name)) > 2]
        if words and re.search(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", lowered):
            found.append(bot_id)
    return found
