"""Reads the Dockerfile: its stages and their instructions, as far as ours uses the language."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_KNOWN = frozenset(
    (
        *("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN"),
        *("STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    )
)
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


class DockerfileError(ValueError):
    """What this reader does not know, or what cannot be right."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its word in capitals, and its text with lines joined."""

    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """The text as a list: in JSON form as it stands, else split as a shell splits it."""
        if self.text.startswith("["):
            found: list[str] = json.loads(self.text)
            return found
        return shlex.split(self.text)


@dataclass(slots=True)
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, word: str) -> Instruction | None:
        """The instruction that counts where the last one does."""
        return next((one for one in reversed(self.instructions) if one.word == word), None)

    def all(self, word: str) -> list[Instruction]:
        """All instructions of this word, in order."""
        return [one for one in self.instructions if one.word == word]


def read_dockerfile(text: str) -> list[Stage]:
    """The stages in order.

    Raises:
        DockerfileError: an instruction is not one that we know, or stands before the first FROM.
    """
    stages: list[Stage] = []
    for line in _lines(text):
        word, _, rest = line.partition(" ")
        word, rest = word.upper(), rest.strip()
        if word not in _KNOWN:
            raise DockerfileError(f"{word}: is no instruction that is used here")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base.strip(), name.strip() or str(len(stages))))
        elif not stages:
            raise DockerfileError(f"{word}: stands before the first FROM")
        else:
            stages[-1].instructions.append(Instruction(word, rest))
    return stages


def pairs(instruction: Instruction) -> dict[str, str]:
    """The names and values of ENV, LABEL or ARG; a value may be missing in ARG alone."""
    return {name: value for name, _, value in (one.partition("=") for one in shlex.split(instruction.text))}


def filled(text: str, variables: Mapping[str, str]) -> str:
    """The text with its variables; those that are not known are empty, as Docker has it."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), text)


def _lines(text: str) -> list[str]:
    """Instructions, one a line: comments left out, continued lines joined."""
    kept = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return re.sub(r"\\\n\s*", "", "\n".join(line.rstrip() for line in kept)).splitlines()
