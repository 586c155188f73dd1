"""The whole corpus: each bad bot is caught by its rule, and clean twins pass."""

from __future__ import annotations

import pytest

from shared.sandbox.select import ChosenSandbox
from tests.shared.verification.bad_bots import BAD, GOOD, Bad
from tests.shared.verification.bad_strategies import BAD_STRATEGIES
from tests.shared.verification.node_bots import BAD_NODE, GOOD_NODE
from tests.shared.verification.test_bad_bots import check_clean, check_found, sandbox
from tests.shared.verification.test_bad_node_bots import check_clean_node
from tests.shared.verification.test_bad_strategies import check_rejected

pytestmark = [pytest.mark.long, pytest.mark.bots]
__all__ = ["sandbox"]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
async def test_a_planted_fault_is_found(sandbox: ChosenSandbox, bad: Bad) -> None:
    await check_found(sandbox, bad)


@pytest.mark.parametrize("bad", BAD_STRATEGIES, ids=lambda bad: bad.name)
async def test_a_planted_strategy_is_rejected(sandbox: ChosenSandbox, bad: Bad) -> None:
    await check_rejected(sandbox, bad)


@pytest.mark.parametrize("bad", BAD_NODE, ids=lambda bad: bad.name)
async def test_a_fault_planted_in_a_node_bot_is_found(sandbox: ChosenSandbox, bad: Bad) -> None:
    await check_found(sandbox, bad)


@pytest.mark.parametrize("name", GOOD_NODE)
async def test_a_clean_node_bot_passes(sandbox: ChosenSandbox, name: str) -> None:
    await check_clean_node(sandbox, name)


@pytest.mark.parametrize("name", GOOD)
async def test_a_clean_twin_passes(sandbox: ChosenSandbox, name: str) -> None:
    await check_clean(sandbox, name)
