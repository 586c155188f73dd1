"""Names of files inside an export: safe to unpack, and no two at one place."""

from __future__ import annotations

from urllib.parse import quote

from shared.artifact import Artifact


class MemberNames:
    """Gives each version of a session's files a place below a folder: `v<version>/<filename>`.

    Where a name would be another's folder (`a` and `a/b`), one of them gets a `_`.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def of(self, artifact: Artifact) -> str:
        """The member's name."""
        place = f"v{artifact.version}/{artifact.filename}"
        while not self._is_free(place):
            parent, _, last = place.rpartition("/")
            clash = next((each for each in _parents(place) if each in self._files), None)
            # A file stands where a folder of this one is to be: that part of the name makes way.
            place = f"{clash}_{place[len(clash) :]}" if clash else f"{parent}/_{last}"
        self._files.add(place)
        self._folders.update(_parents(place))
        return f"{self._folder}{place}"

    def _is_free(self, place: str) -> bool:
        taken = place in self._files or place in self._folders
        return not taken and not any(parent in self._files for parent in _parents(place))


def segment_of(session_id: str) -> str:
    """A session's id as the name of a folder."""
    coded = quote(session_id.encode("utf-8", "surrogatepass"), safe="")
    # Dots are left alone by the coding, and two of them lead upwards.
    return coded.replace(".", "%2E") if set(coded) == {"."} else coded


def _parents(place: str) -> list[str]:
    parts = place.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
