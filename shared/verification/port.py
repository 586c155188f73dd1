"""What a verification asks of a backtester, and what it finds in general."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

# A failure rejects the bot, a warning is a weakness that the user should know of, a note is no fault.
Severity = Literal["failure", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found out about a bot.

    `rule` is stable and in kebab-case; `advice` says what to do; `evidence` is JSON that shows it.
    """

    rule: str
    severity: Severity
    message: str
    advice: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def form(self) -> dict[str, Any]:
        """The finding as JSON, without what is empty."""
        form: dict[str, Any] = {"rule": self.rule, "severity": self.severity, "message": self.message}
        if self.advice:
            form["advice"] = self.advice
        if self.evidence:
            form["evidence"] = dict(self.evidence)
        return form


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtested:
    """What a backtest says: findings of its honesty checks and the figures that a reader looks for first.

    `covers_decisions` says that look-ahead and warm-up were tried on the strategy itself. `files` are the
    evidence, named below `backtest/`.
    """

    findings: tuple[Finding, ...]
    figures: Mapping[str, Any] = field(default_factory=dict, hash=False)
    files: Mapping[str, bytes] = field(default_factory=dict, hash=False, repr=False)
    covers_decisions: bool = False


class Backtester(Protocol):
    """Backtests a bot with costs and checks whether the result can be believed."""

    @property
    def version(self) -> str:
        """What changes when its verdicts may."""
        ...

    async def backtest(self, *, files: Mapping[str, bytes], config: Mapping[str, Any]) -> Backtested | None:
        """The backtest of the bot on its own candles; None when the bot has no form that can be.

        Raises:
            SandboxUnavailableError: nothing here isolates code well enough.
        """
        ...
