"""Node.js bots in folders with the packages that they import, and what becomes of a run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.sandbox.node_packages import RUNNER, link_packages
from shared.tools.templates.catalog import BotType, Strategy
from shared.tools.templates.fields import as_json
from shared.tools.templates.parameters import BotParameters
from shared.tools.templates.render import Bot, render_bot
from tests.end_to_end.bot_environment import BotRun

_RUN_SECONDS = 250.0
# Not fields of a bot's configuration, or only of some bots'.
_OF_INSTANCES = ("schedule", "poll_seconds", "live_trading")


def write_bot(
    folder: Path,
    strategy: Strategy,
    *,
    bot_type: BotType = "scheduled",
    parameters: BotParameters | None = None,
    name: str = "default",
) -> Bot:
    """Writes the Node.js bot; the packages are to be linked in the folder or above it."""
    bot = Bot(
        name=name,
        strategy=strategy,
        parameters=parameters or strategy.model(),
        bot_type=bot_type,
        language="nodejs",
    )
    for filename, data in render_bot(bot).items():
        path = folder / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return bot


def configuration(parameters: BotParameters) -> dict[str, Any]:
    """The parameters as an instance's configuration gives them."""
    return {name: as_json(value) for name, value in parameters if name not in _OF_INSTANCES}


def run_node(
    *arguments: str, folder: Path, stdin: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs node in the folder, with nothing else in its environment."""
    return subprocess.run(
        ["node", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
        check=False,
    )


def run_node_bot(
    folder: Path,
    config: Any,
    *,
    by_platform: bool = False,
    environment: Mapping[str, str] | None = None,
) -> BotRun:
    """Runs main.js as a shell does, or by a program that calls it as the platform's runtime does."""
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    variables = {
        "BOT_ID": "t",
        "BOT_CONFIG": json.dumps(config),
        "CODE_MOUNT_DIR": str(folder).lstrip("/"),
        "SCRIPT_PATH": "main.js",
        **(environment or {}),
    }
    program = str(RUNNER if by_platform else folder / "main.js")
    done = run_node(program, folder=Path("/"), **variables)
    written = json.loads(result.read_text(encoding="utf-8")) if result.exists() else None
    return BotRun(done.returncode, written, done.stdout, done.stderr)


__all__ = ["configuration", "link_packages", "run_node", "run_node_bot", "write_bot"]
