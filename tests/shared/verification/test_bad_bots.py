"""Each planted fault is found by its rule, and the clean twins pass."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import utc_now
from shared.sandbox.port import SandboxLimits
from shared.sandbox.select import ChosenSandbox, open_sandbox
from shared.verification.verify import Verifier
from tests.shared.verification.bad_bots import BAD, GOOD, Bad

# Small, so that what never ends ends soon here.
LIMITS = SandboxLimits(
    wall_seconds=60, cpu_seconds=3, memory_bytes=512 * 1024 * 1024, output_bytes=2 * 1024 * 1024
)
# One of each kind; the whole corpus is tried by tests/faults/test_corpus_of_bots.py.
QUICK = [
    bad
    for bad in BAD
    if bad.name in ("a negative shift", "today's close at today's open", "chance", "a crash at the start",
                    "the environment told", "the network in a replay")
]  # fmt: skip


@pytest.fixture
async def sandbox() -> AsyncIterator[ChosenSandbox]:
    """The sandbox of this machine."""
    opened = open_sandbox()
    yield opened
    await opened.close()


@pytest.mark.parametrize("bad", QUICK, ids=lambda bad: bad.name)
async def test_a_planted_fault_is_found(sandbox: ChosenSandbox, bad: Bad) -> None:
    await check_found(sandbox, bad)


async def check_found(sandbox: ChosenSandbox, bad: Bad) -> None:
    """Verifies a bad bot and looks for the finding that it must get, and for no other."""
    verifier = Verifier(sandbox=sandbox, backtester=None, clock=utc_now, run_limits=LIMITS)
    done = (await verifier.verify(bad.files)).verification
    found = {one.rule: one.message for one in done.findings if one.severity != "note"}
    assert bad.rule in found, done.form()
    assert done.verdict == bad.verdict, found
    # One fault, one finding: what is not planted is not found.
    others = {rule for rule in found if not rule.startswith(bad.rule)}
    assert others <= _COMPANIONS, found


# What goes with a fault: a bot that was ended has no result, the analysis sees some faults in the text too.
_COMPANIONS = {"tests-fail", "no-result", "needs-later-candles", "busy-loop", "B310"}


@pytest.mark.parametrize("name", ["a mean", "decided on one candle, traded on the next"])
async def test_a_clean_twin_passes(sandbox: ChosenSandbox, name: str) -> None:
    await check_clean(sandbox, name)


async def check_clean(sandbox: ChosenSandbox, name: str) -> None:
    """Verifies a clean twin, which must pass without a finding."""
    verifier = Verifier(sandbox=sandbox, backtester=None, clock=utc_now, run_limits=LIMITS)
    done = (await verifier.verify(GOOD[name])).verification
    assert done.verdict == "verified", [one.form() for one in done.findings]
    # All of their code runs, but for the function `mean` where the score needs none.
    is_whole = b"mean(closes" in GOOD[name]["main.py"]
    told = [one.evidence["places"] for one in done.findings if one.rule == "code-never-ran"]
    assert told == ([] if is_whole else [["main.py:14-15 (mean)"]])
