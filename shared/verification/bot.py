"""A bot as a verification runs it: which files, by which runtime, with which configuration and candles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.artifact_set import bot_files
from shared.sandbox.port import Runtime

CONFIG_FILE, SCHEMA_FILE = "bot-config.yaml", "bot-schema.json"
_ENTRIES: dict[Runtime, tuple[str, ...]] = {
    "python": ("main.py", "bot.py"),
    "node": ("main.js", "index.js", "main.mjs"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedBot:
    """What is run. `data` names the CSV file whose candles the bot replays, None where it has none."""

    files: Mapping[str, bytes] = field(repr=False, hash=False)
    config: Mapping[str, Any] = field(hash=False)
    runtime: Runtime
    entry: str
    bot_type: str
    data: str | None

    def with_candles(self, content: bytes) -> TriedBot:
        """The same bot with other candles."""
        assert self.data is not None
        return replace(self, files={**self.files, self.data: content})


def tried_bot(files: Mapping[str, bytes], config: Mapping[str, Any] | None = None) -> TriedBot | None:
    """The bot that the files are, with the defaults of its schema; None where nothing in them can be started.

    `config` overrides the defaults. A bot whose schema has `data_source` replays the CSV file it brings.
    """
    files = bot_files(files)
    described = _described(files)
    runtime: Runtime = "node" if str(described.get("runtime", "")).startswith("node") else "python"
    entries = described.get("entrypoints")
    named = entries.get("bot") if isinstance(entries, dict) else None
    entry = next((one for one in (named, *_ENTRIES[runtime]) if isinstance(one, str) and one in files), None)
    if entry is None:
        return None
    defaults = _defaults(files)
    used = {**defaults, **(config or {})}
    data = _candles(files, used)
    if data is not None and ("data_source" in defaults or "data_source" in _properties(files)):
        used["data_source"] = data
    return TriedBot(
        files=files,
        config=used,
        runtime=runtime,
        entry=entry,
        bot_type=str(described.get("type", "scheduled")),
        data=data,
    )


def _described(files: Mapping[str, bytes]) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(files.get(CONFIG_FILE, b""))
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _properties(files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        found = json.loads(files.get(SCHEMA_FILE, b"{}"))["properties"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return (
        {str(name): one for name, one in found.items() if isinstance(one, dict)}
        if isinstance(found, dict)
        else {}
    )


def _defaults(files: Mapping[str, bytes]) -> dict[str, Any]:
    return {name: one["default"] for name, one in _properties(files).items() if "default" in one}


def _candles(files: Mapping[str, bytes], config: Mapping[str, Any]) -> str | None:
    tables = sorted(name for name in files if name.lower().endswith(".csv"))
    for name in (config.get("data_source"), "sample.csv", *tables):
        if isinstance(name, str) and name in files:
            return name
    return None
