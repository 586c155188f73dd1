"""What retention asks of the session store: old versions, deleted sessions, objects that nothing names.

A record goes before its bytes: a process that dies between leaves an object that no record names, which a
later run finds, and never a record without bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from shared.keys import ArtifactKey, SessionKey

# Longer than any read takes: what was the newest version a moment ago may be on its way to a reader.
SETTLED_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersion:
    """A version's record; `is_settled`: no turn that may still be rolled back saved it."""

    version: int
    created_at: datetime
    is_settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file with all its versions; `newest` is 0 when it has none. `is_held`: its session's hold is on."""

    key: ArtifactKey
    newest: int
    deleted_at: datetime | None
    session_deleted: bool
    is_held: bool
    versions: tuple[FileVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePage:
    """Some files, and the place from which the next page goes on (None at the end)."""

    files: tuple[KeptFile, ...]
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedSessionPage:
    """Deleted sessions that are not held and not yet emptied; `after` as of `FilePage`."""

    sessions: tuple[SessionKey, ...]
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptiedSession:
    """What one call removed: object keys of the versions, and how the session is now.

    `spared`: it is live or held, and keeps what it has.
    """

    object_keys: tuple[str, ...]
    state: Literal["more", "empty", "spared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """Which versions may go at a moment: those older than `keep`, but the newest of a file that is there."""

    now: datetime
    keep: timedelta

    def removable(self, file: KeptFile) -> tuple[int, ...]:
        """The versions that may go, in order.

        One that was the newest within the last hour stays, as does one that a turn has replaced which may
        still be rolled back. A file deleted longer than `keep` ago goes whole.
        """
        if file.is_held or file.session_deleted:
            return ()
        oldest = self.now - self.keep
        is_gone = file.deleted_at is not None and file.deleted_at <= oldest
        if is_gone and all(version.is_settled for version in file.versions):
            return tuple(each.version for each in file.versions if each.created_at <= oldest)
        settled = (
            each.version
            for each in file.versions
            if each.is_settled and each.created_at <= self.now - SETTLED_AFTER
        )
        newest = min(max(settled, default=0), file.newest)
        return tuple(
            each.version for each in file.versions if each.version < newest and each.created_at <= oldest
        )


class RetentionStore(Protocol):
    """Records whose time is over, gone through in a fixed order, a bounded number at a time."""

    async def list_files(self, *, after: str | None, limit: int) -> FilePage:
        """The files of all users and sessions, also deleted ones.

        Raises:
            InvalidRequestError: `after` is no place that a call gave.
        """
        ...

    async def remove_versions(self, *, key: ArtifactKey, policy: RetentionPolicy) -> tuple[str, ...]:
        """Removes the records of the file's versions that the policy lets go, and gives their object keys.

        Numbers are not given again. Nothing goes when the session is not there, deleted or held.
        """
        ...

    async def list_deleted_sessions(self, *, after: str | None, limit: int) -> DeletedSessionPage:
        """Sessions to empty; raises as `list_files`."""
        ...

    async def empty_session(self, *, key: SessionKey, now: datetime, limit: int) -> EmptiedSession:
        """Removes up to about `limit` versions' records of a deleted session; at the end all its other rows.

        What stays is its key and that it was deleted, so that its id, and the object keys and revisions that
        go with it, never come again; events that are not yet published stay until they are. A session that is
        live or held keeps everything.
        """
        ...

    async def recorded_objects(self, *, object_keys: tuple[str, ...]) -> frozenset[str]:
        """Those of the object keys that a version's record names."""
        ...

    async def hold_session(self, *, key: SessionKey, held: bool, now: datetime) -> None:
        """Puts the legal hold on a session, also a deleted one, or takes it off: retention leaves it alone.

        Raises:
            SessionNotFoundError: the user has, and had, no such session, or it was emptied.
        """
        ...


class WorkPlaces(Protocol):
    """How far work that goes over several calls has come."""

    async def load_place(self, *, name: str) -> str | None:
        """Where the work of that name goes on; None at its beginning."""
        ...

    async def save_place(self, *, name: str, place: str | None) -> None:
        """Remembers it; None when the work came to its end."""
        ...


class Retention(RetentionStore, WorkPlaces, Protocol):
    """All that retention asks of the store."""
