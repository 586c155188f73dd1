"""What this process saved a moment ago, so that the next save of the same file need not ask which is newest.

It may be behind: other processes save too. That costs such a save a second try, and nothing else, because a
version's record is create-only and its number above all before; whatever would be answered by what is
remembered alone (the same bytes, a version expected, a turn rolled back) is asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.artifact import Artifact
from shared.keys import ArtifactKey

# Far shorter than retention lets a deleted file be.
_KEPT_FOR = timedelta(minutes=10)
_MOST = 1024


class SavedVersion(NamedTuple):
    """A version that was the newest when it was saved."""

    version: int
    sha256: str
    turn_id: str | None
    saved_at: datetime


class SavedLately:
    """The newest version of each of the last thousand files."""

    def __init__(self) -> None:
        self._versions: OrderedDict[ArtifactKey, SavedVersion] = OrderedDict()

    def note(self, artifact: Artifact) -> None:
        """Remembers a version that was just recorded."""
        self._versions[artifact.key] = SavedVersion(
            artifact.version, artifact.sha256, artifact.turn_id, artifact.created_at
        )
        self._versions.move_to_end(artifact.key)
        while len(self._versions) > _MOST:
            self._versions.popitem(last=False)

    def before(
        self, key: ArtifactKey, *, sha256: str, turn_id: str | None, now: datetime
    ) -> SavedVersion | None:
        """What a save of those bytes, by that turn, may go by; None when it has to ask."""
        found = self._versions.get(key)
        if found is None or found.sha256 == sha256 or now - found.saved_at > _KEPT_FOR:
            return None
        # What another turn saved may have been rolled back with it; what this one saved only with this save.
        return found if found.turn_id in (None, turn_id) else None
