"""Which documents are a user's, and how they are found: what emptying and erasing go through.

A new kind of record joins here, with a field `session` (the id of its session's document) or `user` alone.
Parts of large bodies go with their owners, versions with their files.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.sessions.firestore.client import Query
from shared.sessions.firestore.names import to_name


class OfSession(NamedTuple):
    """A collection whose documents go with their session, and the name that its records are counted by.

    `runs_out`: when a session is only emptied they go by their own time.
    """

    collection: str
    kind: str
    # Turns are ordered by their number wherever they are found: another index would cost each write.
    has_numbers: bool = False
    runs_out: bool = False

    def query(self, session: str, limit: int | None = None) -> Query:
        """The documents of the session whose document has this id."""
        if self.has_numbers:
            return Query(
                collection=self.collection,
                order="number",
                equal=(("session", session),),
                descending=True,
                limit=limit,
            )
        same = ((">=", session), ("<=", session))
        return Query(collection=self.collection, order="session", range=same, limit=limit)


TURNS = OfSession("turns", "turns", has_numbers=True)
OF_SESSION = (
    TURNS,
    OfSession("deployments", "deployments"),
    OfSession("bot_events", "bot_events"),
    OfSession("bot_facts", "bot_facts"),
    OfSession("tool_calls", "tool_calls", runs_out=True),
    OfSession("outbox", "events", runs_out=True),
)
OF_ACCOUNT = {
    "keys": "idempotency_keys",
    "permits": "permits",
    "reservations": "reservations",
    "secrets": "secrets",
    "usage_days": "usage_days",
}


def of_user(collection: str, user_id: str, limit: int | None = None) -> Query:
    """The user's documents of one of OF_ACCOUNT."""
    name = to_name(user_id)
    return Query(collection=collection, order="user", range=((">=", name), ("<=", name)), limit=limit)
