"""What was heard of a session's bots: what events tell stands before what was written into the context."""

from __future__ import annotations

from shared.clock import utc_now
from shared.deployment.evidence import ContextEvidence
from shared.keys import SessionKey
from shared.session import Session

KEY = SessionKey(user_id="u", session_id="s")


class OneSession:
    """The part of the store that is asked, with one session."""

    async def load_session(self, *, key: SessionKey) -> Session:
        now = utc_now()
        running = {"status": "running", "evidence": {"type": "by hand", "time": "2026-11-02T08:00:00Z"}}
        return Session(
            key=key,
            title="",
            context={"bots": {"b-1": running}},
            derived={"bots": {"b-1": {"status": "failed", "status_since": "2026-11-02T09:00:00Z"}}},
            created_at=now,
            updated_at=now,
            revision=1,
        )


async def test_events_tell_how_a_bot_is() -> None:
    known = await ContextEvidence(OneSession()).of(session=KEY)
    assert (known["b-1"].status, known["b-1"].since) == ("failed", "2026-11-02T09:00:00Z")
