"""The verification of a session's bot: read its files, try them, keep the record and what it is about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.artifact_set import VERIFICATION_FILE, bot_artifacts
from shared.artifacts.port import Artifacts
from shared.clock import Clock, to_wire
from shared.errors import FindingsError, UnprocessableError
from shared.keys import ArtifactKey, SessionKey
from shared.session import Session
from shared.verification.record import Verification
from shared.verification.seal import RecordSeal
from shared.verification.verify import Verified, Verifier

MAX_REPAIRS = 3
CONTEXT_MEMBER = "verification"
_MAX_BYTES = 32 * 1024 * 1024
_READS = 8


class SessionContexts(Protocol):
    """The part of the session store that is needed: `SessionStore` has it."""

    async def load_session(self, *, key: SessionKey) -> Session:
        """See `SessionStore`."""
        ...

    async def patch_context(self, *, key: SessionKey, patch: dict[str, Any], now: Any) -> Session:
        """See `SessionStore`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionVerification:
    """What came of it; `repairs_left` is how often the turn may still change the bot and verify again."""

    verification: Verification
    saved: tuple[str, ...]
    repairs_left: int


class SessionVerifier:
    """Verifies bots of sessions and keeps their records."""

    def __init__(
        self,
        *,
        verifier: Verifier,
        artifacts: Artifacts,
        sessions: SessionContexts,
        seal: RecordSeal,
        clock: Clock,
    ) -> None:
        self._verifier = verifier
        self._artifacts = artifacts
        self._sessions = sessions
        self._seal = seal
        self._clock = clock

    async def verify(
        self, session: SessionKey, *, config: Mapping[str, Any] | None = None, turn_id: str | None = None
    ) -> SessionVerification:
        """Tries the session's bot as it is now and saves `verification.json` and the evidence.

        Raises:
            SessionNotFoundError: the user has no such session.
            UnprocessableError: there is nothing to verify, or the turn has used its repairs.
            SandboxUnavailableError, StoreUnavailableError.
        """
        round_number = await self._round(session, turn_id)
        files = await self._files(session)
        verified = await self._verifier.verify(files, config=config)
        saved = await self._save(session, verified, turn_id)
        await self._note(session, verified.verification, turn_id, round_number)
        return SessionVerification(
            verification=verified.verification, saved=saved, repairs_left=MAX_REPAIRS - round_number
        )

    async def _round(self, session: SessionKey, turn_id: str | None) -> int:
        """How many of the turn's verifications have rejected the bot so far."""
        known = (await self._sessions.load_session(key=session)).context.get(CONTEXT_MEMBER)
        if turn_id is None or not isinstance(known, dict) or known.get("turn_id") != turn_id:
            return 0
        rounds = known.get("rejections")
        count = rounds if isinstance(rounds, int) and known.get("verdict") == "rejected" else 0
        if count > MAX_REPAIRS:
            raise UnprocessableError(
                f"the bot was repaired {MAX_REPAIRS} times in this turn and is still rejected: stop here and "
                "tell the user what remains"
            )
        return count

    async def _files(self, session: SessionKey) -> dict[str, bytes]:
        artifacts = bot_artifacts(await self._artifacts.list(session=session))
        if not artifacts:
            raise UnprocessableError("the session has no files of a bot: create_bot_template writes one")
        if sum(one.size for one in artifacts) > _MAX_BYTES:
            raise UnprocessableError(f"the bot's files have over {_MAX_BYTES:,} bytes and are not run")
        reads = asyncio.Semaphore(_READS)

        async def read(filename: str, version: int) -> bytes:
            async with reads:
                key = ArtifactKey(session=session, filename=filename)
                return (await self._artifacts.read(key=key, version=version)).data

        contents = await asyncio.gather(*(read(one.filename, one.version) for one in artifacts))
        return {one.filename: content for one, content in zip(artifacts, contents, strict=True)}

    async def _save(self, session: SessionKey, verified: Verified, turn_id: str | None) -> tuple[str, ...]:
        form = verified.verification.form()
        try:
            saved = [await self._write(session, VERIFICATION_FILE, self._seal.signed(form), turn_id)]
        except FindingsError:
            # What a bot printed looks like a secret: it is not kept.
            plain = self._seal.signed(_without_evidence(form))
            saved = [await self._write(session, VERIFICATION_FILE, plain, turn_id)]
        for name, content in verified.evidence.items():
            saved.append(await self._write(session, name, content, turn_id))
        return tuple(name for name, is_new in saved if is_new)

    async def _write(
        self, session: SessionKey, name: str, content: bytes, turn_id: str | None
    ) -> tuple[str, bool]:
        key = ArtifactKey(session=session, filename=name)
        saved = await self._artifacts.save(key=key, data=content, turn_id=turn_id)
        return name, saved.outcome != "unchanged"

    async def _note(
        self, session: SessionKey, verification: Verification, turn_id: str | None, rejections: int
    ) -> None:
        is_rejected = verification.verdict == "rejected"
        noted = {
            "verdict": verification.verdict,
            "artifacts_sha256": verification.artifacts_sha256,
            "time": to_wire(verification.ended_at),
            "turn_id": turn_id,
            "rejections": rejections + 1 if is_rejected else None,
        }
        await self._sessions.patch_context(key=session, patch={CONTEXT_MEMBER: noted}, now=self._clock())


def _without_evidence(form: dict[str, Any]) -> dict[str, Any]:
    stages = [
        {**stage, "findings": [{**one, "evidence": {}} for one in stage["findings"]]}
        for stage in form["stages"]
    ]
    return {**form, "stages": stages}
