"""The verification of a session's bot: its record, what the session knows of it, and the bound on repairs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from shared.artifacts.port import Artifacts
from shared.errors import SandboxUnavailableError, UnprocessableError
from shared.keys import ArtifactKey, SessionKey
from shared.sandbox.port import Sandbox, SandboxJob, SandboxRun
from shared.session import Session
from shared.verification.port import Backtested, Finding
from shared.verification.seal import RecordSeal
from shared.verification.session import SessionVerifier
from shared.verification.verify import Verifier
from tests.shared.tools.session_files import SessionFiles
from tests.shared.verification.bots import free_bot

KEY = SessionKey(user_id="alice", session_id="s")
SEAL = RecordSeal((b"key",))
NOW = datetime(2026, 11, 28, tzinfo=UTC)


class Contexts:
    """The contexts of sessions."""

    def __init__(self) -> None:
        self.context: dict[str, Any] = {}

    async def load_session(self, *, key: SessionKey) -> Session:
        return Session(key=key, title="", context=self.context, created_at=NOW, updated_at=NOW, revision=1)

    async def patch_context(self, *, key: SessionKey, patch: dict[str, Any], now: Any) -> Session:
        self.context = {**self.context, **patch}
        return await self.load_session(key=key)


class Told:
    """A sandbox in which each run ends as told, with nothing run."""

    isolation = "told"

    def __init__(self, run: SandboxRun) -> None:
        self.told = run

    async def run(self, *, job: SandboxJob) -> SandboxRun:
        return self.told


class Evidence:
    """A backtester with evidence."""

    version = "1"

    async def backtest(self, *, files: Mapping[str, bytes], config: Mapping[str, Any]) -> Backtested:
        return Backtested(
            findings=(Finding(rule="few-trades", severity="warning", message="Few."),),
            figures={"trades": 3},
            files={"backtest/report.html": b"<p>report</p>"},
            covers_decisions=True,
        )


def ended(result: dict[str, str], stdout: bytes = b"") -> SandboxRun:
    """A run that ended with this result."""
    return SandboxRun(
        exit_code=0,
        limit=None,
        stdout=stdout,
        stderr=b"",
        truncated=False,
        files={"result.json": json.dumps(result).encode()},
        wall_seconds=0.1,
        cpu_seconds=0.1,
    )


async def verifier(run: SandboxRun, contexts: Contexts) -> tuple[SessionVerifier, SessionFiles]:
    """A session with a bot, and what verifies it."""
    files = SessionFiles()
    for name, content in free_bot().items():
        await files.save(key=ArtifactKey(session=KEY, filename=name), data=content)
    inner = Verifier(sandbox=cast(Sandbox, Told(run)), backtester=Evidence(), clock=lambda: NOW)
    made = SessionVerifier(
        verifier=inner, artifacts=cast(Artifacts, files), sessions=contexts, seal=SEAL, clock=lambda: NOW
    )
    return made, files


async def _state(files: SessionFiles) -> str:
    listed = await files.list(session=KEY)
    contents = {one.filename: (await files.read(key=one.key)).data for one in listed}
    return SEAL.state(contents).state


async def test_the_record_is_saved_and_the_session_knows_it() -> None:
    contexts = Contexts()
    made, files = await verifier(ended({"status": "success"}), contexts)
    done = await made.verify(KEY, turn_id="t")
    assert done.verification.verdict == "verified_with_warnings"
    assert set(done.saved) == {"verification.json", "backtest/report.html"}
    assert await _state(files) == "verified_with_warnings"
    noted = contexts.context["verification"]
    assert (noted["verdict"], noted["artifacts_sha256"]) == (
        "verified_with_warnings",
        done.verification.artifacts_sha256,
    )
    # A second verification of the same bytes is of the same bytes: its evidence is no part of them.
    again = await made.verify(KEY, turn_id="t")
    assert again.verification.artifacts_sha256 == done.verification.artifacts_sha256


async def test_one_changed_byte_makes_the_session_unverified() -> None:
    made, files = await verifier(ended({"status": "success"}), Contexts())
    await made.verify(KEY)
    await files.save(key=ArtifactKey(session=KEY, filename="main.py"), data=b"print(2)\n")
    assert await _state(files) == "unverified"


async def test_a_turn_has_three_repairs() -> None:
    contexts = Contexts()
    made, _ = await verifier(ended({"status": "error", "message": "no"}), contexts)
    lefts = [(await made.verify(KEY, turn_id="t")).repairs_left for _ in range(4)]
    assert lefts == [3, 2, 1, 0]
    with pytest.raises(UnprocessableError, match="tell the user what remains"):
        await made.verify(KEY, turn_id="t")
    # The user's next message begins anew, and calls outside of turns are not counted.
    assert (await made.verify(KEY, turn_id="u")).repairs_left == 3
    assert (await made.verify(KEY)).repairs_left == 3


async def test_a_session_without_a_bot_and_a_machine_without_a_sandbox() -> None:
    class None_(Told):
        async def run(self, *, job: SandboxJob) -> SandboxRun:
            raise SandboxUnavailableError("nothing here isolates")

    made, files = await verifier(ended({}), Contexts())
    for name in free_bot():
        await files.delete(key=ArtifactKey(session=KEY, filename=name))
    with pytest.raises(UnprocessableError, match="no files of a bot"):
        await made.verify(KEY)
    inner = Verifier(sandbox=cast(Sandbox, None_(ended({}))), backtester=None, clock=lambda: NOW)
    with pytest.raises(SandboxUnavailableError):
        await inner.verify(free_bot())
