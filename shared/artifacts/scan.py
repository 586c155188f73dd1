"""Looks at a file before it is kept: credentials, ways out of the sandbox, false names, archives.

The rules are those of shared/analysis, asked only where a quick look (suspects.py) finds something that
they might mean. Findings say rule, line and kind, never what stands in the file.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.artifact import ArtifactType, artifact_type, mime_type
from shared.artifacts.archives import UnopenedError, members
from shared.artifacts.content import Content, content_of, text_of
from shared.artifacts.text_checks import (
    CODE,
    KEPT_SEVERITIES,
    finding_of,
    findings_in,
    may_hold_findings,
)
from shared.errors import FindingsError

MAX_FINDINGS = 20
_CACHED = 1024
# Half a millisecond of looking.
_LOOKED_AT = 16 * 1024

_TEXT_NAMES = (*CODE, ".md", ".txt", ".json", ".yaml", ".yml", ".toml", ".csv", ".tsv", ".jsonl", ".ini")
_TEXT_TYPES = ("bot_code", "bot_config", "bot_schema", "documentation")


@dataclass(frozen=True, slots=True)
class Scan:
    """What the bytes are and what was found in them, worst first; `findings` are as artifacts carry them."""

    type: ArtifactType
    mime_type: str
    findings: tuple[dict[str, Any], ...]


class Scanner:
    """Scans files; what it said of the last thousand is remembered. May be shared between threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Scan] = OrderedDict()
        self._lock = threading.Lock()

    def look(self, filename: str, data: bytes, sha256: str) -> Scan | None:
        """What `scan` would say of a small text in which nothing is; None: ask it. Takes less than a hop."""
        if len(data) > _LOOKED_AT:
            return None
        with self._lock:
            known = self._known.get((filename, sha256))
        if known is not None:
            return None if known.findings else known
        if content_of(data).kind != "text":
            return None
        text = text_of(data)
        if text is None or may_hold_findings(filename, text):
            return None
        return self._keep((filename, sha256), Scan(artifact_type(filename), mime_type(filename), ()))

    def scan(self, filename: str, data: bytes, sha256: str) -> Scan:
        """What is to be said of the file; blocks, so call it in a thread.

        Raises:
            FindingsError: it holds what must not be kept; `findings` in its details says what and where.
        """
        place = (filename, sha256)
        with self._lock:
            known = self._known.get(place)
        if known is None:
            known = self._keep(place, _scan(filename, data))
        critical = [finding for finding in known.findings if finding["severity"] == "critical"]
        if critical:
            first = critical[0]
            raise FindingsError(
                f"the file was not saved: line {first['line']}: {first['message']} {first['advice']}".strip(),
                findings=list(known.findings),
            )
        return known

    def _keep(self, place: tuple[str, str], scan: Scan) -> Scan:
        with self._lock:
            self._known[place] = scan
            while len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return scan


def _scan(filename: str, data: bytes) -> Scan:
    content = content_of(data)
    findings = list(_found(filename, data, content))
    findings.sort(key=lambda finding: (KEPT_SEVERITIES.index(finding["severity"]), finding["line"]))
    mime, kind = mime_type(filename), artifact_type(filename)
    if content.kind in ("archive", "program", "media") or (
        content.kind == "bytes" and _is_named_text(filename)
    ):
        mime = content.mime_type
    if content.kind != "text" and kind in _TEXT_TYPES and data:
        kind = "other"
    return Scan(kind, mime, tuple(findings[:MAX_FINDINGS]))


def _found(filename: str, data: bytes, content: Content) -> Iterator[dict[str, Any]]:
    if content.kind in ("archive", "program") and _is_named_text(filename):
        # Python runs a zip by any name, and a loader asks for no ending.
        yield finding_of(
            "disguised-content",
            "critical",
            f"Named as text, but holds {_WORDS[content.kind]}.",
            "Give it the name of what it is, or save the text itself.",
        )
    elif content.kind == "program":
        yield finding_of(
            "program",
            "high",
            "Holds a compiled program, which nobody can check.",
            "Keep its source code instead.",
        )
    if content.kind == "archive":
        yield from _in_archive(data, content.mime_type)
    text = text_of(data)
    if text is not None:
        yield from findings_in(filename, text)


_WORDS = {"archive": "an archive", "program": "a compiled program"}


def _in_archive(data: bytes, kind: str) -> Iterator[dict[str, Any]]:
    try:
        for name, content in members(data, kind):
            inner = content_of(content)
            if inner.kind in ("archive", "program"):
                yield finding_of(
                    "archive",
                    "high",
                    f"The archive holds {_WORDS[inner.kind]}.",
                    "Keep the files themselves.",
                )
            text = text_of(content)
            for finding in findings_in(name, text) if text is not None else ():
                yield {**finding, "message": f"Inside the archive: {finding['message']}"}
    except UnopenedError:
        yield finding_of(
            "archive", "high", "An archive that was not looked into.", "Keep the files themselves."
        )


def _is_named_text(filename: str) -> bool:
    return filename.lower().endswith(_TEXT_NAMES)
