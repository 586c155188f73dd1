"""What a crash's log tells of its place: the frames of a Python traceback or a Node stack, and the error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

_PYTHON_FRAME = re.compile(r'File "([^"\n]{1,400})", line (\d{1,7})(?:, in ([\w<>.]{1,100}))?')
_NODE_FRAME = re.compile(
    r"(?:^"
    r"|\s)at (?:(?:async )?([\w$.<>\[\] ]{1,100}) \()?(?:file://)?(/[^\s():]{1,400}):(\d{1,7})(?::\d{1,7})?\)?"
)
_ERROR = re.compile(
    r"^(?:Uncaught )?((?:[\w$]{1,60}\.){0,6}(?:[A-Z][\w$]{0,60})?(?:Error|Exception|Exceeded"
    r"|Funds|Symbol|NotAvailable"
    r"|Timeout|Denied|Order|Protection|DivisionByZero|InvalidOperation|Iteration|Exit))(?:: ?(.{0,1500}))?$"
)
_STAMP = re.compile(r"^\s{0,20}\[?\d{4}-\d\d-\d\d[T ][\d:.,]{5,20}(?:Z|[+-]\d\d:?\d\d)?\]?\s{0,3}(?=\S|\s)")
_LEVEL = re.compile(r"^(?:\[?(?:ERROR|CRITICAL|FATAL|error|stderr)\]?[:\s]{1,3})")
# Code that is not the bot's own.
_FOREIGN = ("site-packages", "dist-packages", "node_modules", "node:internal", "/lib/python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One place on the way to the error; `code` is the line as the traceback quotes it, where it does."""

    path: str
    line: int
    function: str = ""
    code: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether it is in a library."""
        return any(part in self.path for part in _FOREIGN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The frames, the innermost first, and the error that ended the run, empty where none can be read."""

    frames: tuple[Frame, ...]
    error: str
    message: str
    language: Literal["python", "node", ""]

    @property
    def headline(self) -> str:
        """The error in one line."""
        return f"{self.error}: {self.message}" if self.error and self.message else self.error or self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A frame in one of the session's files."""

    filename: str
    frame: Frame


def read_trace(lines: Sequence[str], error: str = "") -> Trace:
    """The last trace in a log; `error` is what the event named, in case that the log does not."""
    text = "\n".join(lines).replace("\\n", "\n").replace('\\"', '"')
    plain = [_without_stamp(line) for line in text.split("\n")]
    python = _python_frames(plain)
    node = () if python else _node_frames(plain)
    name, message = _error(plain) or _error(_without_stamp(line) for line in error.split("\n")) or ("", "")
    return Trace(
        frames=python or node,
        error=name.rpartition(".")[2],
        message=message or ("" if name else error.strip().split("\n")[-1]),
        language="python" if python else "node" if node else "",
    )


def find_place(trace: Trace, filenames: Sequence[str]) -> Place | None:
    """The innermost frame in one of the files; a path of the platform ends as the file is named."""
    for frame in trace.frames:
        if frame.is_foreign:
            continue
        parts = PurePosixPath(frame.path.replace("\\", "/")).parts
        matches = [name for name in filenames if parts[-len(name.split("/")) :] == tuple(name.split("/"))]
        if matches:
            return Place(filename=max(matches, key=len), frame=frame)
    return None


def _without_stamp(line: str) -> str:
    stripped = _STAMP.sub("", line, count=1)
    return _LEVEL.sub("", stripped, count=1) if stripped != line else _LEVEL.sub("", line, count=1)


def _python_frames(lines: Sequence[str]) -> tuple[Frame, ...]:
    start = max((i for i, line in enumerate(lines) if "Traceback (most recent call last)" in line), default=0)
    frames = []
    for index, line in enumerate(lines[start:], start):
        found = _PYTHON_FRAME.search(line)
        if found is None:
            continue
        after = lines[index + 1].strip() if index + 1 < len(lines) else ""
        code = "" if _PYTHON_FRAME.search(after) or _ERROR.match(after) else after
        frames.append(Frame(path=found[1], line=int(found[2]), function=found[3] or "", code=code))
    return tuple(reversed(frames))


def _node_frames(lines: Sequence[str]) -> tuple[Frame, ...]:
    found = (_NODE_FRAME.search(line) for line in lines)
    return tuple(
        Frame(path=match[2], line=int(match[3]), function=(match[1] or "").strip())
        for match in found
        if match
    )


def _error(lines: Iterable[str]) -> tuple[str, str] | None:
    """The last error that is named."""
    found = [match for line in lines if (match := _ERROR.match(line.strip()))]
    return (found[-1][1], (found[-1][2] or "").strip()) if found else None
