"""Names to places: object keys from artifact keys, local paths from object keys."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shared.keys import ArtifactKey

_MAX_NAME_BYTES = 255


def object_key(key: ArtifactKey, version: int, attempt_id: str | None = None) -> str:
    """`artifacts/{session_id}/{filename}/{version}`, where the contract puts the bytes.

    Session ids are chosen by callers and unique only per user, so that place may be taken, by another
    user's session of the same id or by an orphan; then `attempt_id` makes the key unique. The version's
    record holds the key that was used.
    """
    place = f"artifacts/{key.session.session_id}/{key.filename}/{version}"
    return f"{place}.{attempt_id}" if attempt_id else place


def local_path(root: Path, key: str) -> Path:
    """A file below `root` for any object key, such that no key's file is another key's folder.

    The last segment ends in a bare `%`, and `%` elsewhere is written `%25`. Segments too long for a file
    system become their hash.
    """
    *folders, leaf = (_segment(part) for part in key.split("/"))
    return root.joinpath(*folders, f"{leaf}%")


def key_of(root: Path, path: Path) -> str:
    """The object key whose file this is; the reverse of `local_path` but for hashed segments."""
    parts = path.relative_to(root).parts
    return "/".join(part.replace("%25", "%") for part in (*parts[:-1], parts[-1][:-1]))


def _segment(part: str) -> str:
    escaped = part.replace("%", "%25")
    if part in ("", ".", ".."):
        raise ValueError("an object key has no empty or relative segments")
    if len(escaped.encode()) < _MAX_NAME_BYTES:
        return escaped
    return "%h" + hashlib.sha256(part.encode()).hexdigest()
