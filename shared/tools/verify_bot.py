"""The tool `verify_bot`."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from shared.errors import (
    FindingsError,
    SandboxUnavailableError,
    SessionNotFoundError,
    ToolFailedError,
    ToolInputError,
    UnprocessableError,
)
from shared.tools.port import ToolContext, tool
from shared.verification.port import Finding
from shared.verification.record import Stage, Verification

_MOST_FINDINGS = 15
_MESSAGE = 300


class StageLine(TypedDict):
    """One stage: passed, warned, failed or not_applicable."""

    stage: str
    outcome: str
    summary: str


class FindingLine(TypedDict):
    """One finding; failures reject the bot."""

    stage: str
    rule: str
    severity: str
    message: str
    advice: NotRequired[str]


class VerifiedBot(TypedDict):
    """The verdict and why; `next` says what to do now."""

    verdict: str
    stages: list[StageLine]
    findings: list[FindingLine]
    omitted: int
    figures: dict[str, Any]
    files: list[str]
    next: str


@tool(timeout=240.0, read_only=False, untrusted=True)
async def verify_bot(
    context: ToolContext,
    config: dict[str, Any] | None = None,
) -> VerifiedBot:
    """Proves the session's bot in a sandbox: run, tests, backtest. Only a verified bot is ready."""
    session, verifier = context.require_session(), context.services.verifier
    if verifier is None:
        raise ToolFailedError("bots cannot be verified from here: tell the user")
    try:
        done = await verifier.verify(session, config=config, turn_id=context.turn_id)
    except (SessionNotFoundError, FindingsError) as error:
        raise ToolInputError(error.message) from error
    except (UnprocessableError, SandboxUnavailableError) as error:
        raise ToolFailedError(error.message) from error
    context.saved += done.saved
    findings = _findings(done.verification)
    return VerifiedBot(
        verdict=done.verification.verdict,
        stages=[_stage(one) for one in done.verification.stages],
        findings=findings[:_MOST_FINDINGS],
        omitted=max(0, len(findings) - _MOST_FINDINGS),
        figures=_figures(done.verification),
        files=list(done.saved),
        next=_next(done.verification, done.repairs_left),
    )


def _stage(stage: Stage) -> StageLine:
    return StageLine(stage=stage.name, outcome=stage.outcome, summary=stage.summary[:_MESSAGE])


def _findings(verification: Verification) -> list[FindingLine]:
    """Failures first, then warnings; notes are in the record."""
    pairs = [(stage.name, one) for stage in verification.stages for one in stage.findings]
    ranked = sorted((pair for pair in pairs if pair[1].severity != "note"), key=lambda pair: pair[1].severity)
    return [_line(stage, one) for stage, one in ranked]


def _line(stage: str, finding: Finding) -> FindingLine:
    line = FindingLine(
        stage=stage, rule=finding.rule, severity=finding.severity, message=finding.message[:_MESSAGE]
    )
    if finding.advice:
        line["advice"] = finding.advice[:_MESSAGE]
    return line


def _figures(verification: Verification) -> dict[str, Any]:
    return dict(next((one.facts for one in verification.stages if one.name == "backtest"), {}))


def _next(verification: Verification, repairs_left: int) -> str:
    if verification.verdict == "verified":
        return "The bot is ready: say so, with the figures."
    if verification.verdict == "verified_with_warnings":
        return "The bot works; tell the user each warning."
    if repairs_left > 0:
        return f"Not ready. Repair the failures and call verify_bot again; {repairs_left} repairs are left."
    return "Not ready, and no repair is left: tell the user what remains."
