"""What an assistant is told of each tool beside its schema: title, effects, whether it works on a session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """MCP's tool annotations, and `session`: whether the tool works on a session's files.

    `destructive` says that something may be lost; saving a file is not, as every version is kept.
    `open_world` says that the tool reaches beyond this system and its documentation.
    """

    title: str
    read_only: bool = True
    destructive: bool = False
    idempotent: bool = True
    open_world: bool = False
    session: bool = False


# The names of contract section 5; a tool that is not deployed is not in the catalogue and costs nothing here.
HINTS: dict[str, Hints] = {
    "search_documentation": Hints(title="Search the documentation"),
    "list_documentation": Hints(title="List documentation pages"),
    "get_documentation": Hints(title="Read a documentation page"),
    "browse_web": Hints(title="Read a web page", open_world=True),
    "search_web": Hints(title="Search the web", open_world=True),
    "create_bot_template": Hints(title="Build a trading bot", read_only=False, session=True),
    "analyze_code": Hints(title="Check bot code", session=True),
    "analyze_market": Hints(
        title="Analyse a market", read_only=False, idempotent=False, open_world=True, session=True
    ),
    "backtest_bot": Hints(
        title="Backtest a bot", read_only=False, idempotent=False, open_world=True, session=True
    ),
    "verify_bot": Hints(title="Verify a bot", read_only=False, idempotent=False, session=True),
    "save_artifact": Hints(title="Save a file", read_only=False, session=True),
    "edit_artifact": Hints(title="Edit a file", read_only=False, idempotent=False, session=True),
    "read_artifact": Hints(title="Read a file", session=True),
    "list_artifacts": Hints(title="List files", session=True),
    "deploy_bot": Hints(
        title="Deploy a bot",
        read_only=False,
        destructive=True,
        idempotent=False,
        open_world=True,
        session=True,
    ),
    "bot_history": Hints(title="Read a bot's history", open_world=True, session=True),
    "suggest_bot": Hints(title="Suggest a bot", read_only=False, idempotent=False, session=True),
}


def hints_of(name: str) -> Hints:
    """The tool's hints; for one that has no entry, MCP's own defaults, which promise nothing."""
    return HINTS.get(name) or Hints(
        title=name.replace("_", " ").capitalize(),
        read_only=False,
        destructive=True,
        idempotent=False,
        open_world=True,
        session=True,
    )
