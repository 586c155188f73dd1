"""The signature of verification records, and what a record is worth for given files.

A record lies among the session's files, where the user and his tools may write: only one that this
deployment's key has signed says anything. HMAC-SHA-256 over all other members; keys in rotation.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.artifact_set import VERIFICATION_FILE, files_sha256
from shared.verification.record import SCHEMA_VERSION

State = Literal["verified", "verified_with_warnings", "rejected", "unverified"]
_SIGNATURE = "signature"
_GOOD: tuple[State, ...] = ("verified", "verified_with_warnings")
_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationState:
    """What is known of a bot: its verdict, or `unverified`, and why."""

    state: State
    reason: str

    @property
    def is_ready(self) -> bool:
        """Whether the bot may be called ready, and be deployed without further words."""
        return self.state in _GOOD


class RecordSeal:
    """Signs records and reads signed ones."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys

    def signed(self, form: Mapping[str, Any]) -> bytes:
        """The record as the bytes of `verification.json`."""
        signed = {**form, _SIGNATURE: _sign(self._keys[0], form)}
        return json.dumps(signed, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"

    def state(self, files: Mapping[str, bytes]) -> VerificationState:
        """What the record among these files says about exactly these files."""
        return self.state_of(artifacts_sha256=files_sha256(files), record=files.get(VERIFICATION_FILE))

    def state_of(self, *, artifacts_sha256: str, record: bytes | None) -> VerificationState:
        """What this record says about the files of this hash."""
        if record is None:
            return _unverified("this bot has not been verified")
        form = self._read(record)
        if form is None:
            return _unverified(f"{VERIFICATION_FILE} was not written by a verification here")
        if form["artifacts_sha256"] != artifacts_sha256:
            return _unverified("the files have changed since they were verified")
        reasons = "; ".join(str(one) for one in form["reasons"][:5])
        return VerificationState(state=form["verdict"], reason=reasons or "no finding")

    def _read(self, record: bytes) -> dict[str, Any] | None:
        if len(record) > _MOST_BYTES:
            return None
        try:
            form = json.loads(record)
            signature = form.pop(_SIGNATURE)
            is_signed = any(hmac.compare_digest(_sign(key, form), signature) for key in self._keys)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return form if is_signed and form.get("schema_version") == SCHEMA_VERSION else None


def verification_state(
    files: Mapping[str, bytes], record: bytes | None, seal: RecordSeal
) -> VerificationState:
    """What a record says about exactly these files; one changed byte makes them unverified."""
    return seal.state_of(artifacts_sha256=files_sha256(files), record=record)


def _unverified(reason: str) -> VerificationState:
    return VerificationState(state="unverified", reason=reason)


def _sign(key: bytes, form: Mapping[str, Any]) -> str:
    text = json.dumps(form, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode("ascii"), "sha256")).decode().rstrip("=")
