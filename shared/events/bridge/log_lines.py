"""The error lines of what a bot has logged: text of a bot, data and never instruction.

The platform publishes what was added to the log since its last look: raw lines, JSON of a structured logger
or plain, several together. An error is a line that says so in its level, or looks like one, with the lines
that belong to it: an indented one, and those of a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import orjson

from shared.events.bridge.times import moment_of

MAX_LINES = 50
MAX_LINE_CHARS = 2_000
_LEVELS = frozenset({"error", "err", "critical", "fatal", "severe", "panic", "exception", "emergency"})
# A numeric level is that of pino: 50 is error, 60 is fatal.
_PINO_ERROR = 50
_LOOKS_WRONG = re.compile(
    r"\b(ERROR|CRITICAL|FATAL|SEVERE)\b|\b(Error|Exception|panicked|panic|Fatal)\b|\w(Error|Exception)\b"
    r"|^Traceback \(most recent call last\)",
)
_LOOKS_FINE = re.compile(r"\b(DEBUG|INFO|NOTICE|WARN|WARNING)\b")
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLines:
    """The lines in order, shortened; `message` is what the first error says, `time` when it says it was."""

    message: str
    lines: tuple[str, ...]
    time: datetime | None


def error_lines(text: str) -> ErrorLines | None:
    """The errors of a piece of log, None when there are none."""
    found = list(islice(_of_errors(text), MAX_LINES))
    if not found:
        return None
    # Of a traceback the line that says what went wrong is the first at the margin after its title.
    telling = (each for each in found if each[1][0] not in " \t" and not each[1].startswith(_TRACEBACK))
    entry, line = next(telling, found[0])
    return ErrorLines(
        message=_message_of(entry, line),
        lines=tuple(line[:MAX_LINE_CHARS] for _, line in found),
        time=moment_of(entry),
    )


def _of_errors(text: str) -> Iterator[tuple[Any, str]]:
    in_error = in_traceback = False
    for line in text.splitlines():
        if not line.strip():
            continue
        entry = _entry(line)
        belongs = in_error and entry is None and (in_traceback or line[0] in " \t")
        in_error = belongs or (_says_error(entry) if entry is not None else _looks_wrong(line))
        # The last line of a traceback is the error itself, and stands at the margin as its first does.
        in_traceback = line.startswith(_TRACEBACK) or (belongs and in_traceback and line[0] in " \t")
        if in_error:
            yield entry, line


def _entry(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _says_error(entry: dict[str, Any]) -> bool:
    level = next((entry[name] for name in ("level", "levelname", "severity", "lvl") if name in entry), None)
    if isinstance(level, str):
        return level.strip().lower() in _LEVELS
    return isinstance(level, int) and level >= _PINO_ERROR


def _looks_wrong(line: str) -> bool:
    return _LOOKS_WRONG.search(line) is not None and _LOOKS_FINE.search(line) is None


def _message_of(entry: Any, line: str) -> str:
    said = None
    if entry is not None:
        said = next((entry[name] for name in ("message", "msg", "event", "error") if name in entry), None)
    return (said if isinstance(said, str) and said else line.strip())[:MAX_LINE_CHARS]
