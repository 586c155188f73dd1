"""The verifier of this machine."""

from __future__ import annotations

from shared.artifacts.port import Artifacts
from shared.clock import Clock
from shared.sandbox.port import Sandbox
from shared.verification.seal import RecordSeal
from shared.verification.session import SessionContexts, SessionVerifier
from shared.verification.verify import Verifier


def open_verifier(sandbox: Sandbox, *, clock: Clock) -> Verifier:
    """Verifies files in the sandbox, with a backtest."""
    from shared.backtest.backtester import SandboxBacktester

    return Verifier(sandbox=sandbox, backtester=SandboxBacktester(sandbox), clock=clock)


def open_session_verifier(
    sandbox: Sandbox, *, artifacts: Artifacts, sessions: SessionContexts, seal: RecordSeal, clock: Clock
) -> SessionVerifier:
    """Verifies the bots of sessions."""
    return SessionVerifier(
        verifier=open_verifier(sandbox, clock=clock),
        artifacts=artifacts,
        sessions=sessions,
        seal=seal,
        clock=clock,
    )
