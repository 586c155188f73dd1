"""Which files of a session are the bot, and the one hash that approvals and verifications are bound to.

What was found out about a bot lies beside it and is not part of it: saving the evidence changes nothing that
was approved or verified, and it is not deployed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from shared.artifact import Artifact

VERIFICATION_FILE = "verification.json"
_EVIDENCE_FOLDER = "backtest/"

_Content = TypeVar("_Content")


def is_evidence(filename: str) -> bool:
    """Whether a file tells of the bot instead of being part of it."""
    return filename == VERIFICATION_FILE or filename.startswith(_EVIDENCE_FOLDER)


def bot_artifacts(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """The artifacts that are the bot."""
    return tuple(one for one in artifacts if not is_evidence(one.filename))


def bot_files(files: Mapping[str, _Content]) -> dict[str, _Content]:
    """The files that are the bot, by name."""
    return {name: content for name, content in files.items() if not is_evidence(name)}


def set_sha256(artifacts: Iterable[Artifact]) -> str:
    """The hash of the bot among these artifacts: names and hashes of bytes, in the order of names."""
    return _sha256({one.filename: one.sha256 for one in artifacts})


def files_sha256(files: Mapping[str, bytes]) -> str:
    """The same hash of the same files, from their bytes."""
    return _sha256({name: hashlib.sha256(content).hexdigest() for name, content in files.items()})


def _sha256(hashes: Mapping[str, str]) -> str:
    lines = sorted(f"{name}\0{sha256}\n" for name, sha256 in bot_files(hashes).items())
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
