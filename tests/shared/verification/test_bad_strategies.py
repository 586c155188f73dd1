"""The whole pipeline over bots with one planted fault in their strategy."""

from __future__ import annotations

import pytest

from shared.backtest.backtester import SandboxBacktester
from shared.clock import utc_now
from shared.sandbox.select import ChosenSandbox
from shared.verification.verify import Verifier
from tests.shared.backtest.bots import FOLLOW, bot
from tests.shared.verification.bad_bots import Bad
from tests.shared.verification.bad_strategies import BAD_STRATEGIES, form_bot
from tests.shared.verification.test_bad_bots import LIMITS, sandbox

__all__ = ["sandbox"]
# One of each kind; all of them are tried by tests/faults/test_corpus_of_bots.py.
QUICK = [
    bad
    for bad in BAD_STRATEGIES
    if bad.name
    in ("an hour that knows its day's close", "fitted to its candles", "trading as if it were free")
]
# What goes with a fault: dates are known to what is fitted to candles, too.
_COMPANIONS = {
    "fitted to its candles": {"calendar"},
    "a memory of its own": {"not-repeatable", "look-ahead", "warm-up"},
    "a loop without an end": {"busy-loop"},
}


@pytest.mark.parametrize("bad", QUICK, ids=lambda bad: bad.name)
async def test_a_planted_strategy_is_rejected(sandbox: ChosenSandbox, bad: Bad) -> None:
    await check_rejected(sandbox, bad)


async def check_rejected(sandbox: ChosenSandbox, bad: Bad) -> None:
    """Verifies a bot whose strategy is bad: its fault, and no other one, rejects it."""
    done = (await verifier(sandbox).verify(bad.files)).verification
    failures = {one.rule for one in done.findings if one.severity == "failure"}
    assert bad.rule in failures, done.form()
    assert done.verdict == "rejected"
    # The analysis sees some of these faults in the text, under names that begin alike.
    others = {rule for rule in failures if not rule.startswith(bad.rule)}
    assert others <= _COMPANIONS.get(bad.name, set()), [one.form() for one in done.findings]


async def test_the_same_bot_with_a_sound_strategy_is_not_rejected(sandbox: ChosenSandbox) -> None:
    done = (await verifier(sandbox).verify(form_bot(bot(FOLLOW)))).verification
    assert done.verdict != "rejected", [one.form() for one in done.findings]


def verifier(sandbox: ChosenSandbox) -> Verifier:
    """The whole pipeline, with limits at which what never ends ends soon."""
    return Verifier(sandbox=sandbox, backtester=SandboxBacktester(sandbox), clock=utc_now, run_limits=LIMITS)
