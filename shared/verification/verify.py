"""A whole verification: all stages side by side, one record."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.artifact_set import bot_files, files_sha256
from shared.clock import Clock
from shared.sandbox.packages import versions
from shared.sandbox.port import Sandbox, SandboxLimits
from shared.verification.bot import TriedBot, tried_bot
from shared.verification.bot_run import RUN_LIMITS, run_bot
from shared.verification.port import Backtester, Finding
from shared.verification.probe import probe
from shared.verification.record import Stage, Verification
from shared.verification.stages import check_code, check_configuration, check_run, run_backtest, run_tests
from shared.version import VERSION

# Raise it when a verdict may change for the same bot.
CHECKERS_VERSION = "3"
# A strategy that the backtester tried for itself is looked at as a whole at one point more.
_CUTS, _CUTS_BESIDE_BACKTEST = 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The outcome: the record, and the evidence that goes with it (`backtest/...`)."""

    verification: Verification
    evidence: Mapping[str, bytes] = field(repr=False, hash=False)


class Verifier:
    """Verifies bots in a sandbox; `backtester` None leaves the backtest out, and says so."""

    def __init__(
        self,
        *,
        sandbox: Sandbox,
        backtester: Backtester | None,
        clock: Clock,
        run_limits: SandboxLimits = RUN_LIMITS,
    ) -> None:
        self._sandbox = sandbox
        self._run_limits = run_limits
        self._backtester = backtester
        self._clock = clock

    async def verify(
        self, files: Mapping[str, bytes], *, config: Mapping[str, Any] | None = None
    ) -> Verified:
        """Tries the bot that the files are; `config` overrides the defaults of its schema.

        A bot that fails is a record with the verdict `rejected`, not an error.

        Raises:
            SandboxUnavailableError: nothing here isolates code well enough.
        """
        started = self._clock()
        own = bot_files(files)
        bot = tried_bot(own, config)
        configuration = await asyncio.to_thread(check_configuration, own)
        evidence: Mapping[str, bytes] = {}
        if bot is None:
            stages: tuple[Stage, ...] = (configuration, await check_code(own), _nothing_to_run())
        else:
            ran, evidence = await self._try(bot)
            stages = (configuration, *ran)
        verification = Verification(
            artifacts_sha256=files_sha256(own),
            config=_without_secrets(bot.config if bot is not None else {}),
            stages=stages,
            checkers=self._checkers(),
            isolation=self._sandbox.isolation,
            started_at=started,
            ended_at=self._clock(),
        )
        return Verified(verification=verification, evidence=evidence)

    async def _try(self, bot: TriedBot) -> tuple[tuple[Stage, ...], Mapping[str, bytes]]:
        analysed = asyncio.create_task(check_code(bot.files))
        tested = asyncio.create_task(run_tests(self._sandbox, bot))
        try:
            first = await run_bot(self._sandbox, bot, limits=self._run_limits)
            ran = check_run(bot, first)
            if ran.outcome == "failed" and first.run.exit_code != 0:
                return (ran, *(await asyncio.gather(analysed, tested))), {}
            backtest, evidence, covered = await run_backtest(self._backtester, bot)
            probed = await probe(
                self._sandbox,
                bot,
                first,
                cuts=_CUTS_BESIDE_BACKTEST if covered else _CUTS,
                limits=self._run_limits,
            )
            count = probed.facts.get("runs", 1)
            probing = Stage(
                name="probe",
                summary=f"Run {count} times on whole, cut and changed candles.",
                findings=probed.findings,
                facts=probed.facts,
                not_applicable=count == 1,
            )
            return (ran, *(await asyncio.gather(analysed, tested)), probing, backtest), evidence
        finally:
            for task in (analysed, tested):
                task.cancel()
            await asyncio.gather(analysed, tested, return_exceptions=True)

    def _checkers(self) -> dict[str, str]:
        found = {"the0-agent": VERSION, "verification": CHECKERS_VERSION, "python": sys.version.split()[0]}
        if self._backtester is not None:
            found["backtest"] = self._backtester.version
        return {**found, **versions()}


def _nothing_to_run() -> Stage:
    finding = Finding(
        rule="no-entry-point",
        severity="failure",
        message="There is no file to start the bot with.",
        advice="Name it in bot-config.yaml (entrypoints.bot), or call it main.py.",
    )
    return Stage(name="run", summary="Nothing was run.", findings=(finding,))


def _without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as a record may show it."""
    hidden = ("key", "secret", "password", "token", "passphrase")
    return {
        name: "***" if value and any(word in name.lower() for word in hidden) else value
        for name, value in config.items()
    }
