"""The whole corpus: each bad bot is caught by its rule, clean twins and templates pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from shared.backtest.backtester import SandboxBacktester
from shared.clock import utc_now
from shared.sandbox.select import ChosenSandbox
from shared.tools.create_bot_template import _read_parameters
from shared.tools.templates.catalog import STRATEGIES, BotType, Language
from shared.tools.templates.render import Bot, render_bot
from shared.verification.port import Backtested
from shared.verification.verify import Verifier
from tests.shared.verification.bad_bots import BAD, GOOD, Bad
from tests.shared.verification.bad_strategies import BAD_STRATEGIES
from tests.shared.verification.node_bots import BAD_NODE, GOOD_NODE
from tests.shared.verification.test_bad_bots import check_clean, check_found, sandbox
from tests.shared.verification.test_bad_node_bots import check_clean_node
from tests.shared.verification.test_bad_strategies import check_rejected

pytestmark = pytest.mark.long
__all__ = ["sandbox"]
# What a sample of four hundred generated candles may lack; it is no fault of the bot.
_OF_THE_SAMPLE = {"few-trades", "one-trade", "costs", "over-fitting", "never-signals", "survivorship"}


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


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("name", STRATEGIES)
async def test_a_template_passes_as_each_type(sandbox: ChosenSandbox, name: str, language: Language) -> None:
    strategy, backtester = STRATEGIES[name], OncePerStrategy(SandboxBacktester(sandbox))
    for bot_type in get_args(BotType):
        bot = Bot(
            name="a-template",
            strategy=strategy,
            parameters=_read_parameters(strategy, {}),
            bot_type=bot_type,
            language=language,
        )
        verifier = Verifier(sandbox=sandbox, backtester=backtester, clock=utc_now)
        done = (await verifier.verify(render_bot(bot))).verification
        assert done.verdict != "rejected", done.form()
        assert {one.rule for one in done.findings if one.severity == "warning"} <= _OF_THE_SAMPLE
        # Told only where the run that is watched for it tells the same as the first; what is for an exchange
        # never runs in a replay.
        assert "code-never-ran" in {one.rule for one in done.findings}
    assert backtester.runs == 1


class OncePerStrategy:
    """A backtester that does not run the same strategy, limits and candles twice.

    A bot's type changes when it looks, not what it decides; its parameters differ in when it runs alone.
    """

    def __init__(self, inner: SandboxBacktester) -> None:
        self._inner = inner
        self._known: dict[bytes, Backtested | None] = {}
        self.runs = 0

    @property
    def version(self) -> str:
        """See the port."""
        return self._inner.version

    async def backtest(self, *, files: Mapping[str, bytes], config: Mapping[str, Any]) -> Backtested | None:
        """See the port."""
        deciding = ("strategy.", "risk.", "money.", "sample.csv")
        key = b"|".join(data for name, data in sorted(files.items()) if name.startswith(deciding))
        if key not in self._known:
            self.runs += 1
            self._known[key] = await self._inner.backtest(files=files, config=config)
        return self._known[key]
