"""A bot as the platform is given it, and what may be wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that the platform would not take: in which file, at which field ("" is the file itself)."""

    file: str
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.field}" if self.field else self.file
        return f"{place}: {self.message}"

    def wire(self) -> dict[str, str]:
        """The problem as JSON."""
        return {"file": self.file, "field": self.field, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A bot that satisfies the platform's rules.

    `config` is bot-config.yaml as the platform's API takes it: `schema.bot` and `readme` are the files'
    content in place of their names, `name` the one that was asked for. `files` are all bytes of the set.
    """

    config: dict[str, Any] = field(hash=False)
    files: Mapping[str, bytes] = field(repr=False, hash=False)

    @property
    def name(self) -> str:
        """The bot's name on the platform."""
        return str(self.config["name"])

    @property
    def version(self) -> str:
        """The version that bot-config.yaml names."""
        return str(self.config["version"])

    @property
    def entry(self) -> str:
        """The file that the platform starts."""
        return str(self.config["entrypoints"]["bot"])

    @property
    def tags(self) -> list[str]:
        """The tags of its metadata."""
        return [str(tag) for tag in (self.config.get("metadata") or {}).get("tags") or ()]
