"""Artifacts: named files of a session with immutable, numbered versions."""

from __future__ import annotations

import mimetypes
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from shared.clock import to_wire
from shared.errors import UnprocessableError
from shared.keys import ArtifactKey

ArtifactType = Literal["bot_code", "bot_config", "bot_schema", "documentation", "backtest", "data", "other"]

MAX_FILENAME_BYTES = 255
MAX_SEGMENTS = 8

_CODE = (".py", ".js", ".mjs", ".cjs", ".ts", ".rs", ".cpp", ".hpp", ".cs", ".scala", ".hs")
_DATA = (".csv", ".parquet", ".jsonl", ".ndjson", ".tsv")
_BUILD_FILES = ("requirements.txt", "package.json", "pyproject.toml", ".the0ignore")
_MIME = {
    ".py": "text/x-python",
    ".ts": "text/typescript",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".json": "application/json",
    ".txt": "text/plain",
    ".toml": "application/toml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One version of one file: what is known about it, without its bytes.

    `turn_id` is the turn whose tool saved it, None when a caller did: a turn that is rolled back takes its
    versions with it.
    """

    key: ArtifactKey
    version: int
    type: ArtifactType
    mime_type: str
    size: int
    sha256: str
    created_at: datetime
    object_key: str
    quality_score: int | None = None
    findings: tuple[dict[str, Any], ...] = field(default=(), hash=False)
    turn_id: str | None = None

    @property
    def filename(self) -> str:
        """The file's name inside its session."""
        return self.key.filename

    def wire(self) -> dict[str, Any]:
        """The artifact object of contract section 4."""
        wire: dict[str, Any] = {
            "filename": self.key.filename,
            "version": self.version,
            "type": self.type,
            "mime_type": self.mime_type,
            "size": self.size,
            "sha256": self.sha256,
            "created_at": to_wire(self.created_at),
        }
        if self.quality_score is not None:
            wire["quality_score"] = self.quality_score
        if self.findings:
            wire["findings"] = list(self.findings)
        return wire


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactContent:
    """One version with its bytes."""

    artifact: Artifact
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedArtifact:
    """What a save did: a first version, a further one, or nothing as the bytes were the newest already."""

    artifact: Artifact
    outcome: Literal["created", "updated", "unchanged"]


def check_filename(name: str) -> str:
    """The name in NFC, when it is a relative POSIX path that the contract allows.

    Raises:
        UnprocessableError: says which rule the name breaks.
    """
    normal = unicodedata.normalize("NFC", name)
    if not normal:
        raise UnprocessableError("a filename must not be empty")
    try:
        encoded = normal.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnprocessableError("a filename must be valid Unicode") from error
    if len(encoded) > MAX_FILENAME_BYTES:
        raise UnprocessableError(f"a filename has at most {MAX_FILENAME_BYTES} bytes")
    if "\\" in normal:
        raise UnprocessableError("a filename must not contain backslashes")
    is_plain = normal.isascii() and normal.isprintable()
    if not is_plain and any(unicodedata.category(char) in ("Cc", "Cs") for char in normal):
        raise UnprocessableError("a filename must not contain control characters")
    segments = normal.split("/")
    if len(segments) > MAX_SEGMENTS:
        raise UnprocessableError(f"a filename has at most {MAX_SEGMENTS} segments")
    if any(segment in ("", ".", "..") for segment in segments):
        raise UnprocessableError("a filename is a relative path without '.', '..' or empty segments")
    return normal


def artifact_type(filename: str) -> ArtifactType:
    """The kind of file, by the platform's own names first and the ending then."""
    base = filename.rsplit("/", 1)[-1]
    lower = base.lower()
    if base in ("bot-config.yaml", "bot-config.yml"):
        return "bot_config"
    if base == "bot-schema.json":
        return "bot_schema"
    if filename.startswith("backtest/") or base == "verification.json":
        return "backtest"
    if lower.endswith(".md"):
        return "documentation"
    if lower.endswith(_CODE) or base in _BUILD_FILES:
        return "bot_code"
    if lower.endswith(_DATA):
        return "data"
    return "other"


def mime_type(filename: str) -> str:
    """The media type by the file's ending, `application/octet-stream` when unknown."""
    dot = filename.rfind(".")
    ending = filename[dot:].lower() if dot > filename.rfind("/") else ""
    return _MIME.get(ending) or mimetypes.guess_type(filename)[0] or "application/octet-stream"
