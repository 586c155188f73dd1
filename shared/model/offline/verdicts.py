"""What a verification's result is worth in words: whether a bot may be called ready, and what remains."""

from __future__ import annotations

from typing import Any

from shared.model.offline.conversation import Done
from shared.model.offline.reply import bullets, paragraphs
from shared.model.offline.wording import facts

TOOL = "verify_bot"
_MOST_FINDINGS = 8
_READY = ("verified", "verified_with_warnings")


def is_ready(done: Done | None) -> bool:
    """Whether a verification says that the bot works."""
    return done is not None and done.ok and _value(done).get("verdict") in _READY


def describe_verification(done: Done | None) -> str:
    """The verdict, the stages, the figures and all that speaks against the bot."""
    if done is None:
        return (
            "**Verification**: none, as there is no tool for it here: run the bot's tests and a replay first."
        )
    if not done.ok:
        return f"**Verification**: it could not be tried: {done.problem}"
    value = _value(done)
    words = {
        "verified": "**Verified**: it ran in a sandbox, and nothing speaks against it.",
        "verified_with_warnings": "**Verified, with warnings**: it ran in a sandbox; know its weaknesses.",
    }
    return paragraphs(
        words.get(str(value.get("verdict")), "**Rejected**: do not let it trade before this is repaired."),
        _findings(value),
        _figures(value),
    )


def _findings(value: dict[str, Any]) -> str | None:
    found = value.get("findings")
    lines = [
        f"{one.get('stage')}: {one.get('message')} {one.get('advice', '')}".strip()
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, dict)
    ]
    more = len(lines) - _MOST_FINDINGS
    lines = lines[:_MOST_FINDINGS] + ([f"and {more} more in verification.json"] if more > 0 else [])
    return bullets(lines) or None


def _figures(value: dict[str, Any]) -> str | None:
    figures = value.get("figures")
    shown = facts(figures) if isinstance(figures, dict) else ""
    return f"Backtest on its own candles, with costs:\n\n{shown}" if shown else None


def _value(done: Done) -> dict[str, Any]:
    return done.value if isinstance(done.value, dict) else {}
