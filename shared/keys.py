"""Full keys: user and id always travel together, so that no read can reach another user's things."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKey:
    """One session of one user; the same session_id of two users is two sessions."""

    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactKey:
    """One named file of one session."""

    session: SessionKey
    filename: str
