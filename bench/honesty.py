"""Scores the honesty checks: python -m bench.honesty [--pairs N] [--seed N] [--misses].

Recall is the share of leaks with a finding, the false-alarm rate that of clean twins with one. Every strategy
runs in the sandbox.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.honesty_corpus import Case, corpus
from shared.backtest.candles import read_market_csv
from shared.backtest.request import BacktestRequest
from shared.backtest.run import run_backtest
from shared.sandbox.port import Sandbox
from shared.sandbox.select import open_sandbox

RECALL, FALSE_ALARMS = 0.95, 0.02


@dataclass(slots=True)
class Score:
    """Which cases had findings; `found` counts the checks that found the leaks."""

    leaks: int = 0
    caught: int = 0
    clean: int = 0
    alarms: int = 0
    missed: list[str] = field(default_factory=list)
    alarmed: list[str] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float:
        """The share of leaks that were caught."""
        return self.caught / self.leaks if self.leaks else 1.0

    @property
    def false_alarm_rate(self) -> float:
        """The share of clean twins with a finding."""
        return self.alarms / self.clean if self.clean else 0.0

    def add(self, case: Case, findings: list[str]) -> None:
        """Counts one case."""
        if case.leaks:
            self.leaks += 1
            self.caught += bool(findings)
            self.found.update(findings[:1])
            if not findings:
                self.missed.append(case.name)
        else:
            self.clean += 1
            self.alarms += bool(findings)
            if findings:
                self.alarmed.append(f"{case.name}: {', '.join(findings)}")


async def score(sandbox: Sandbox, cases: Iterable[Case]) -> Score:
    """Runs the decision checks on every case, two at a time."""
    total, places = Score(), asyncio.Semaphore(2)

    async def one(case: Case) -> None:
        async with places:
            candles = read_market_csv(case.files["sample.csv"], source="sample.csv")
            request = BacktestRequest(files=case.files, candles=candles)
            backtest = await run_backtest(sandbox, request, decisions_only=True)
        findings = [check.check for check in backtest.checks if check.severity == "finding"]
        if "crash" in findings:
            raise RuntimeError(f"{case.name} did not run: {backtest.checks[0].message}")
        total.add(case, findings)

    async with asyncio.TaskGroup() as group:
        for case in cases:
            group.create_task(one(case))
    return total


async def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="pairs of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", help="these kinds only")
    arguments = parser.parse_args()
    sandbox = open_sandbox()
    began = time.perf_counter()
    options = {"kinds": tuple(arguments.kinds)} if arguments.kinds else {}
    try:
        total = await score(sandbox, corpus(pairs=arguments.pairs, seed=arguments.seed, **options))
    finally:
        await sandbox.close()
    print(f"{total.leaks} leaks, {total.clean} clean twins, {time.perf_counter() - began:.0f} s")
    print(f"recall {total.recall:.3f} (target {RECALL}), missed: {', '.join(total.missed) or 'none'}")
    alarmed = "; ".join(total.alarmed) or "none"
    print(f"false alarms {total.false_alarm_rate:.3f} (target {FALSE_ALARMS}): {alarmed}")
    print("first finding: " + ", ".join(f"{name} {count}" for name, count in total.found.most_common()))


if __name__ == "__main__":
    asyncio.run(main())
