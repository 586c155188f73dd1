"""Every template in both languages through the whole verification, as each type."""

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
from shared.verification.bot import tried_bot
from shared.verification.bot_run import RUN_LIMITS, run_bot
from shared.verification.port import Backtested
from shared.verification.record import Stage
from shared.verification.stages import check_code, check_configuration, check_run, run_tests
from shared.verification.verify import Verifier
from tests.shared.verification.test_bad_bots import sandbox

pytestmark = [pytest.mark.long, pytest.mark.bots]
__all__ = ["sandbox"]
# What a sample of four hundred generated candles may lack; it is no fault of the bot.
_OF_THE_SAMPLE = {"few-trades", "one-trade", "costs", "over-fitting", "never-signals", "survivorship"}
# One strategy of each form: what a bot's type changes in the code is the same for all of a form.
WHOLE = ("rsi_momentum", "market_making", "pairs_arbitrage")


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("name", STRATEGIES)
async def test_a_template_passes_as_each_type(sandbox: ChosenSandbox, name: str, language: Language) -> None:
    backtester = OncePerStrategy(SandboxBacktester(sandbox))
    verifier = Verifier(sandbox=sandbox, backtester=backtester, clock=utc_now)
    one, other = (template(name, language, bot_type) for bot_type in get_args(BotType))
    done = (await verifier.verify(one)).verification
    assert done.verdict != "rejected", done.form()
    if name in WHOLE:
        again = (await verifier.verify(other)).verification
        assert again.verdict != "rejected", again.form()
        stages = (*done.stages, *again.stages)
    else:
        stages = (*done.stages, *await without_probes(sandbox, other))
    assert "failed" not in {stage.outcome for stage in stages}
    warned = {one.rule for stage in stages for one in stage.findings if one.severity == "warning"}
    assert warned <= _OF_THE_SAMPLE
    # Told only where the run that is watched for it tells the same as the first; what is for an exchange
    # never runs in a replay.
    assert "code-never-ran" in {found.rule for found in done.findings}
    assert backtester.runs == 1


def template(name: str, language: Language, bot_type: BotType) -> dict[str, bytes]:
    """The files of a strategy's bot with its default parameters."""
    strategy = STRATEGIES[name]
    parameters = _read_parameters(strategy, {})
    made = Bot(
        name="a-template", strategy=strategy, parameters=parameters, bot_type=bot_type, language=language
    )
    return render_bot(made)


async def without_probes(sandbox: ChosenSandbox, files: Mapping[str, bytes]) -> tuple[Stage, ...]:
    """A bot of the other type is read, analysed, run and tested; its decisions were probed already."""
    bot = tried_bot(files, None)
    assert bot is not None
    ran = check_run(bot, await run_bot(sandbox, bot, limits=RUN_LIMITS, covered=True))
    tested = await run_tests(sandbox, bot)
    return (check_configuration(files), await check_code(files), ran, tested)


@pytest.mark.parametrize("language", get_args(Language))
def test_a_type_changes_in_each_strategy_what_it_changes_in_one_that_is_probed_as_both(
    language: Language,
) -> None:
    def changed(name: str) -> dict[str, tuple[bytes, bytes]]:
        one, other = (template(name, language, bot_type) for bot_type in get_args(BotType))
        assert one.keys() == other.keys()
        code = [each for each in one if each.endswith((".py", ".js"))]
        return {each: (one[each], other[each]) for each in code if one[each] != other[each]}

    forms = []
    for name in WHOLE:
        form = changed(name)
        # Its numbers are its own: a schedule, or how often to look.
        del form[next(each for each in form if each.startswith("parameters."))]
        assert len(form) == 1
        forms.append(form)
    for name in STRATEGIES:
        own = changed(name)
        assert any(own.items() >= form.items() and len(own) == 2 for form in forms), name


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
