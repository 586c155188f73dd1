"""Names to places: object keys from artifact keys, local paths from object keys."""

from __future__ import annotations

from pathlib import Path

from shared.keys import ArtifactKey

_MAX_NAME_BYTES = 255
_CONTINUED = "%+"


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

    The last name ends in a bare `%`, and `%` elsewhere is written `%25`. A segment too long for a name is
    spread over nested folders, all but its last name ending in `%+`.
    """
    *folders, leaf = (_names(part) for part in key.split("/"))
    path = root.joinpath(*(name for names in folders for name in names), *leaf)
    return path.with_name(f"{path.name}%")


def key_of(root: Path, path: Path) -> str:
    """The object key whose file this is; the reverse of `local_path`."""
    names = "/".join(path.relative_to(root).parts)
    return names[:-1].replace(f"{_CONTINUED}/", "").replace("%25", "%")


def _names(part: str) -> list[str]:
    """The segment as names of at most 255 bytes each, the last with room for one more."""
    if part in ("", ".", ".."):
        raise ValueError("an object key has no empty or relative segments")
    names = [""]
    room = _MAX_NAME_BYTES - len(_CONTINUED)
    for char in part.replace("%", "%25"):
        if len(names[-1].encode()) + len(char.encode()) > room:
            names.append("")
        names[-1] += char
    return [*(f"{name}{_CONTINUED}" for name in names[:-1]), names[-1]]
