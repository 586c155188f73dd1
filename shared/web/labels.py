"""The values that labels of metrics may have: each is a series for good, so callers choose among few."""

from __future__ import annotations

from collections.abc import Iterable

from shared.settings import Settings

OTHER = "other"
# The contract's, section 5. A model may call what is not there, by any name.
TOOL_NAMES = frozenset(
    {
        "analyze_code",
        "analyze_market",
        "backtest_bot",
        "bot_history",
        "browse_web",
        "create_bot_template",
        "deploy_bot",
        "edit_artifact",
        "get_documentation",
        "list_artifacts",
        "list_documentation",
        "read_artifact",
        "save_artifact",
        "search_documentation",
        "search_web",
        "suggest_bot",
        "verify_bot",
    }
)
# Of requests that no model answers, and of turns that ended before one did.
NO_MODEL = ("", "none")
OFFLINE = "offline-planner"


def models_of(settings: Settings) -> frozenset[str]:
    """The models that this deployment knows: its own, those with a price, the offline planner."""
    return frozenset({settings.gemini_model, OFFLINE, *settings.model_prices} - {"*"})


def tool_label(name: str) -> str:
    """The name of a tool, `other` for one that there is not."""
    return name if name in TOOL_NAMES else OTHER


def model_label(name: str, known: Iterable[str]) -> str:
    """The model, by its name or that of the known one which it is a release of; `other` for the rest."""
    if name in NO_MODEL or name in known:
        return name
    bases = [each for each in known if name.startswith(f"{each}-")]
    return max(bases, key=len, default=OTHER)
