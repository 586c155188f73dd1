"""Node.js bots of no form of ours: planted faults are found, clean twins pass, idle code is told."""

from __future__ import annotations

import pytest

from shared.clock import utc_now
from shared.sandbox.select import ChosenSandbox
from shared.verification.verify import Verifier
from tests.shared.verification.bad_bots import Bad
from tests.shared.verification.node_bots import BAD_NODE, GOOD_NODE, node_bot
from tests.shared.verification.test_bad_bots import LIMITS, check_found, sandbox

__all__ = ["sandbox"]
# The rest is tried by tests/faults/test_corpus_of_bots.py.
QUICK = [bad for bad in BAD_NODE if "next close" in bad.name or "window" in bad.name or "middle" in bad.name]


@pytest.mark.parametrize("bad", QUICK, ids=lambda bad: bad.name)
async def test_a_planted_fault_is_found(sandbox: ChosenSandbox, bad: Bad) -> None:
    await check_found(sandbox, bad)


@pytest.mark.parametrize("name", ["a mean, CommonJS"])
async def test_a_clean_twin_passes(sandbox: ChosenSandbox, name: str) -> None:
    await check_clean_node(sandbox, name)


async def check_clean_node(sandbox: ChosenSandbox, name: str) -> None:
    """Verifies a clean twin, which must pass without a finding."""
    verifier = Verifier(sandbox=sandbox, backtester=None, clock=utc_now, run_limits=LIMITS)
    done = (await verifier.verify(GOOD_NODE[name])).verification
    assert done.verdict == "verified", [one.form() for one in done.findings]
    assert [one for one in done.findings if one.severity != "note"] == []


async def test_code_that_never_ran_is_told(sandbox: ChosenSandbox) -> None:
    before = "  if (config.short) {\n    held = null;\n  }\n"
    verifier = Verifier(sandbox=sandbox, backtester=None, clock=utc_now, run_limits=LIMITS)
    done = (await verifier.verify(node_bot(module=True, before=before))).verification
    (note,) = [one for one in done.findings if one.rule == "code-never-ran"]
    line = node_bot(module=True, before=before)["main.js"].decode().splitlines().index("    held = null;") + 1
    assert note.severity == "note"
    assert note.evidence["places"] == [f"main.js:{line}-{line + 1}"]
