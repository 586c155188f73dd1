"""Approvals: a user's yes to one tool call, bound by signature to what was asked.

Two tokens are signed over the same facts: the one of the question, kept in the turn's record until the
user answers, and the one of the grant, made of a yes and shown to whatever runs the tool, here or in the
tools function. Changing the tool, the call's id, an argument, a byte of the session's files or the
time it ends makes either worthless. HMAC-SHA-256; keys in rotation, the first signs.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.clock import to_wire
from shared.errors import ApprovalConflictError
from shared.keys import SessionKey

Purpose = Literal["question", "grant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a yes is about; `artifacts_sha256` is `artifact_set.set_sha256` of the session's files."""

    session: SessionKey
    turn_id: str
    call_id: str
    name: str
    arguments: dict[str, Any]
    artifacts_sha256: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A yes as the runner of the tool gets it; worth something with its token only."""

    turn_id: str
    call_id: str
    artifacts_sha256: str
    expires_at: datetime
    token: str


class ApprovalSigner:
    """Signs questions and grants."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys

    def question(self, asked: Asked) -> str:
        """The token of a question."""
        return _sign(self._keys[0], "question", asked)

    def grant(self, asked: Asked) -> Grant:
        """The grant of a yes."""
        return Grant(
            turn_id=asked.turn_id,
            call_id=asked.call_id,
            artifacts_sha256=asked.artifacts_sha256,
            expires_at=asked.expires_at,
            token=_sign(self._keys[0], "grant", asked),
        )

    def check(self, purpose: Purpose, asked: Asked, token: str, now: datetime) -> None:
        """Returns when the token was signed for exactly this and its time is not over.

        Raises:
            ApprovalConflictError: otherwise.
        """
        if not any(hmac.compare_digest(_sign(key, purpose, asked), token) for key in self._keys):
            raise ApprovalConflictError("this approval was given for something else")
        if now >= asked.expires_at:
            raise ApprovalConflictError("this approval has expired; ask again")


def _sign(key: bytes, purpose: Purpose, asked: Asked) -> str:
    facts = [
        purpose,
        asked.session.user_id,
        asked.session.session_id,
        asked.turn_id,
        asked.call_id,
        asked.name,
        asked.arguments,
        asked.artifacts_sha256,
        to_wire(asked.expires_at),
    ]
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode("ascii"), "sha256")).decode().rstrip("=")
