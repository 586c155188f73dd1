"""The tool create_bot_template: what it saves, names, versions, refuses and notes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from shared.clock import utc_now
from shared.errors import ToolInputError
from shared.keys import ArtifactKey, SessionKey
from shared.messages import ToolCall
from shared.settings import Settings
from shared.tools.create_bot_template import create_bot_template
from shared.tools.port import ToolContext, ToolServices
from shared.tools.runner import LocalToolRunner
from shared.tools.templates.catalog import STRATEGIES, find_strategy
from tests.shared.tools.session_files import SessionFiles

SESSION = SessionKey(user_id="u", session_id="s")


class NoHosts:
    """A resolver for tools that open no connection."""

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        raise OSError(host)

    def is_allowed(self, address: str) -> bool:
        return False


class Bench:
    """The tool over one session's files."""

    def __init__(self) -> None:
        self.files = SessionFiles()
        self.services = ToolServices(
            artifacts=self.files, settings=Settings(), resolver=NoHosts(), clock=utc_now
        )

    def context(self, session: SessionKey | None = SESSION) -> ToolContext:
        return ToolContext(call_id="c", session=session, services=self.services)

    async def create(self, strategy_type: str, parameters: dict[str, Any] | None = None, **more: Any) -> Any:
        return await create_bot_template.function(
            self.context(), strategy_type=strategy_type, parameters=parameters, **more
        )

    async def text(self, filename: str) -> str:
        return (await self.files.read(key=ArtifactKey(session=SESSION, filename=filename))).data.decode()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def versions(created: Any) -> dict[str, int]:
    return {file.filename: file.version for file in created.files}


async def test_saves_the_whole_bot(bench: Bench) -> None:
    context = bench.context()
    created = await create_bot_template.function(
        context,
        strategy_type="rsi_momentum",
        parameters={"symbol": "BTC/USDT", "timeframe": "1h", "buy_below": 30, "sell_above": 70},
    )
    assert created.name == "rsi-momentum-btc-usdt"
    assert created.version == "1.0.0"
    names = [file.filename for file in created.files]
    assert names == context.saved == sorted(names)
    assert set(names) == {
        "README.md",
        "bot-config.yaml",
        "bot-schema.json",
        "data.py",
        "main.py",
        "orders.py",
        "parameters.py",
        "requirements.txt",
        "risk.py",
        "sample.csv",
        "strategy.py",
        "tests/conftest.py",
        "tests/test_strategy.py",
        "trading.py",
    }
    assert {file.outcome for file in created.files} == {"created"}
    assert created.parameters["buy_below"] == 30
    assert created.parameters["live_trading"] is False
    assert created.parameters["schedule"] == "1 * * * *"


async def test_the_same_call_changes_nothing(bench: Bench) -> None:
    first = await bench.create("grid", {"symbol": "eth-usd"}, bot_type="realtime")
    again = await bench.create("grid", {"symbol": "eth-usd"}, bot_type="realtime")
    assert {file.outcome for file in again.files} == {"unchanged"}
    assert (again.name, again.version) == (first.name, "1.0.0")


async def test_a_change_writes_only_what_differs_and_raises_the_version(bench: Bench) -> None:
    await bench.create("rsi_momentum", {"buy_below": 30})
    changed = await bench.create("rsi_momentum", {"buy_below": 25, "stop_loss_pct": 2})
    updated = {file.filename for file in changed.files if file.outcome == "updated"}
    assert updated == {"README.md", "bot-config.yaml", "bot-schema.json", "parameters.py"}
    assert changed.version == "1.0.1"
    assert versions(changed)["parameters.py"] == 2
    assert versions(changed)["main.py"] == 1
    assert yaml.safe_load(await bench.text("bot-config.yaml"))["version"] == "1.0.1"
    assert '"version": "1.0.1"' in await bench.text("README.md")
    defaults = json.loads(await bench.text("bot-schema.json"))["properties"]
    assert defaults["buy_below"]["default"] == 25
    assert defaults["stop_loss_pct"]["default"] == 2


async def test_another_strategy_under_the_same_name_is_a_breaking_change(bench: Bench) -> None:
    await bench.create("rsi_momentum", name="mine")
    assert (await bench.create("breakout", name="mine")).version == "2.0.0"
    assert (await bench.create("breakout", name="other")).version == "1.0.0"


async def test_the_name_stays_when_numbers_change(bench: Bench) -> None:
    first = await bench.create("sma_crossover", {"fast_period": 5, "timeframe": "1h"})
    second = await bench.create("sma_crossover", {"fast_period": 9, "timeframe": "4h"})
    assert first.name == second.name == "sma-crossover-btc-usdt"


async def test_a_name_given_once_is_kept(bench: Bench) -> None:
    await bench.create("dca", name="my-savings")
    later = await bench.create("dca", {"amount": 75, "symbol": "ETH/USDT"})
    assert (later.name, later.version) == ("my-savings", "1.0.1")
    other = await bench.create("grid")
    assert other.name == "grid-btc-usdt"


async def test_a_derived_name_follows_the_symbol(bench: Bench) -> None:
    await bench.create("dca", {"symbol": "BTC/USDT"})
    later = await bench.create("dca", {"symbol": "ETH/USDT"})
    assert (later.name, later.version) == ("dca-eth-usdt", "1.0.0")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("My Bot!", "my-bot"),
        ("Ünï  cödé", "uni-code"),
        ("x", "x-bot"),
        ("比特币", "bot"),
        ("--", "bot"),
        ("a" * 80, "a" * 50),
        ("a'; DROP TABLE bots; --", "a-drop-table-bots"),
    ],
)
async def test_odd_names_are_made_to_fit_and_it_is_said(bench: Bench, given: str, expected: str) -> None:
    created = await bench.create("rsi_momentum", name=given)
    assert created.name == expected
    assert any(expected in note for note in created.notes)


@pytest.mark.parametrize(
    ("given", "written", "name"),
    [
        ("BTC/USDT", "BTC/USDT", "breakout-btc-usdt"),
        ("btc-usd", "BTC/USD", "breakout-btc-usd"),
        ("1000PEPE/USDT:USDT", "1000PEPE/USDT:USDT", "breakout-1000pepe-usdt-usdt"),
        ("BRK.B", "BRK.B", "breakout-brk-b"),
        ("ethusdt", "ETH/USDT", "breakout-eth-usdt"),
        ("AAPL", "AAPL", "breakout-aapl"),
    ],
)
async def test_odd_symbols(bench: Bench, given: str, written: str, name: str) -> None:
    created = await bench.create("breakout", {"symbol": given})
    assert created.parameters["symbol"] == written
    assert created.name == name
    assert any("symbol" in note for note in created.notes) == (given != written)


async def test_the_legs_of_a_pair_are_perpetuals_and_it_is_said(bench: Bench) -> None:
    created = await bench.create("pairs_arbitrage", {"symbol": "ETH/USDT", "second_symbol": "btcusdt"})
    assert created.parameters["symbol"] == "ETH/USDT:USDT"
    assert created.parameters["second_symbol"] == "BTC/USDT:USDT"
    assert sum("can be sold short" in note for note in created.notes) == 2


async def test_a_basket_may_be_a_list_and_is_held_in_equal_shares(bench: Bench) -> None:
    basket = ["eth/usdt", "SOL-USDT", "ADA/USDT", "ETH/USDT"]
    created = await bench.create("momentum_rotation", {"other_symbols": basket, "top_count": 2})
    assert created.parameters["other_symbols"] == "ETH/USDT,SOL/USDT,ADA/USDT"
    assert created.parameters["max_position_pct"] == 50


@pytest.mark.parametrize(
    ("strategy", "first", "change"),
    [
        ("macd_trend", {}, {"signal_period": 7}),
        ("pairs_arbitrage", {}, {"entry_z": 2.5}),
        ("market_making", {}, {"spread_pct": 0.4}),
        ("volatility_targeting", {}, {"target_volatility_pct": 30}),
        ("momentum_rotation", {}, {"momentum_period": 30}),
        ("funding_carry", {}, {"entry_funding_pct": 0.02}),
    ],
)
async def test_changed_numbers_leave_the_code_alone(
    bench: Bench, strategy: str, first: dict[str, Any], change: dict[str, Any]
) -> None:
    await bench.create(strategy, first)
    changed = await bench.create(strategy, change)
    updated = {file.filename for file in changed.files if file.outcome == "updated"}
    assert updated == {"README.md", "bot-config.yaml", "bot-schema.json", "parameters.py"}
    assert versions(changed)["parameters.py"] == 2
    assert versions(changed)["strategy.py"] == 1


@pytest.mark.parametrize("symbol", ["比特币", "A B", "", "BTC/USDT\nX", 'X"; import os #', "$" * 5, "A" * 51])
async def test_impossible_symbols_are_refused_with_an_example(bench: Bench, symbol: str) -> None:
    with pytest.raises(ToolInputError, match=r"symbol.*BTC/USDT"):
        await bench.create("breakout", {"symbol": symbol})
    assert bench.files.stored == {}


@pytest.mark.parametrize(
    ("strategy", "parameters", "message"),
    [
        ("rsi_momentum", {"buy_bellow": 30}, "no 'buy_bellow'.*mean buy_below.*sell_above"),
        ("rsi_momentum", {"buy_below": 80, "sell_above": 20}, "buy_below must be less than sell_above"),
        ("rsi_momentum", {"rsi_period": 1}, "rsi_period: .*from 2 to 60"),
        ("rsi_momentum", {"rsi_period": True}, "rsi_period"),
        ("rsi_momentum", {"rsi_period": "many"}, "rsi_period: .*integer from 2 to 60"),
        ("rsi_momentum", {"buy_below": float("nan")}, "buy_below"),
        (
            "sma_crossover",
            {"fast_period": 30, "slow_period": 10},
            "fast_period must be less than slow_period",
        ),
        ("mean_reversion", {"bollinger_period": 5, "bollinger_std": 2}, "at most 1.90"),
        ("mean_reversion", {"exit_band": "top"}, "exit_band.*'middle' or 'upper'"),
        ("dca", {"interval_hours": 1, "timeframe": "1d"}, "interval_hours must be at least"),
        ("grid", {"lower_price": 10}, "lower_price and upper_price go together"),
        ("grid", {"lower_price": 10, "upper_price": 5}, "lower_price must be less"),
        ("breakout", {"timeframe": "7m"}, "timeframe.*'15m'"),
        ("breakout", {"exchange": "Nowhere!"}, "exchange"),
        ("breakout", {"schedule": "soon"}, "schedule.*five fields"),
        ("breakout", {"max_position_pct": 101}, "max_position_pct: .*from 0.1 to 100"),
        ("breakout", {"paper_balance": "1234567890.1234567"}, "15 digits"),
        ("moon", {}, "strategy_type: must be one of rsi_momentum"),
        ("macd_trend", {"fast_period": 30, "slow_period": 20}, "fast_period must be less than slow_period"),
        ("pairs_arbitrage", {"symbol": "BRK.B"}, "symbol: must be a perpetual.*ETH/USDT:USDT"),
        ("pairs_arbitrage", {"second_symbol": "eth/usdt"}, "another market than symbol"),
        ("pairs_arbitrage", {"entry_z": 5}, "entry_z: .*from 0.5 to 4"),
        ("pairs_arbitrage", {"exit_z": 2}, "exit_z must be less than entry_z"),
        ("market_making", {"amount": 600}, "amount must be at most max_inventory"),
        ("volatility_targeting", {"target_volatility_pct": 0}, "target_volatility_pct: .*from 1 to 300"),
        ("momentum_rotation", {"top_count": 4}, "top_count must be less than the number of markets"),
        ("momentum_rotation", {"other_symbols": "BTC/USDT"}, "must not hold symbol"),
        ("momentum_rotation", {"other_symbols": []}, "other_symbols"),
        ("momentum_rotation", {"max_position_pct": 50}, "max_position_pct times top_count"),
        ("funding_carry", {"symbol": "AAPL"}, "symbol: must be a spot market"),
        ("funding_carry", {"timeframe": "1d"}, "timeframe must be at most 8h"),
        ("funding_carry", {"exit_funding_pct": 0.01}, "exit_funding_pct must be less"),
    ],
)
async def test_wrong_parameters_are_refused_by_name(
    bench: Bench, strategy: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ToolInputError, match=message):
        await bench.create(strategy, parameters)
    assert bench.files.stored == {}


async def test_other_languages_are_refused_in_words(bench: Bench) -> None:
    with pytest.raises(ToolInputError, match="python and nodejs"):
        await bench.create("dca", language="rust")


async def test_keys_never_enter_a_bot(bench: Bench) -> None:
    with pytest.raises(ToolInputError, match="API keys never go into") as caught:
        await bench.create("dca", {"api_key": "k-123456"})
    assert "k-123456" not in caught.value.message


async def test_needs_a_session(bench: Bench) -> None:
    with pytest.raises(ToolInputError, match="session_id"):
        await create_bot_template.function(bench.context(session=None), strategy_type="dca")


async def test_says_what_it_ignores(bench: Bench) -> None:
    created = await bench.create(
        "dca",
        {"live_trading": True, "schedule": "0 9 * * 1", "amount": 5000},
        bot_type="realtime",
    )
    text = " ".join(created.notes)
    assert "live_trading stays off" in text
    assert "schedule is ignored" in text
    assert "let one buy spend 500.00, not 5000" in text
    assert '"default": false' in (await bench.text("bot-schema.json")).split("live_trading")[1]


async def test_a_chosen_schedule_goes_to_the_instance_in_the_readme(bench: Bench) -> None:
    await bench.create("dca", {"schedule": "0 9 * * 1-5"})
    assert '"schedule": "0 9 * * 1-5"' in await bench.text("README.md")
    assert "schedule" not in json.loads(await bench.text("bot-schema.json"))["properties"]


@pytest.mark.parametrize("spoilt", [b"\xff", b"- 1", b"name: [", b"version: 1", b"name: x\nmetadata: 3"])
async def test_a_spoilt_configuration_is_replaced(bench: Bench, spoilt: bytes) -> None:
    await bench.files.save(key=ArtifactKey(session=SESSION, filename="bot-config.yaml"), data=spoilt)
    assert (await bench.create("dca")).version == "1.0.0"


async def test_runs_through_the_runner_with_a_small_result(bench: Bench) -> None:
    runner = LocalToolRunner(tools=(create_bot_template,), services=bench.services)
    call = ToolCall(
        id="1", name="create_bot_template", arguments={"strategy_type": "dca", "parameters": {"risk": 1}}
    )
    refused = await runner.run(call=call, session=SESSION)
    assert refused.error is not None
    assert "risk_per_trade_pct" in refused.error.message
    call = ToolCall(id="2", name="create_bot_template", arguments={"strategy_type": "dca"})
    result = await runner.run(call=call, session=SESSION)
    assert result.status == "ok"
    assert len(result.artifacts) == 14
    assert len(json.dumps(result.result)) < 2500
    assert (await runner.catalogue())[0].input_schema["required"] == ["strategy_type"]


def test_the_catalogue_describes_every_parameter() -> None:
    for strategy in STRATEGIES.values():
        assert strategy.own_parameters == tuple(strategy.parameters)[: len(strategy.own_parameters)]
        for parameter in strategy.parameters.values():
            assert parameter.description
            assert parameter.aliases
            if parameter.kind in ("integer", "number"):
                assert parameter.minimum is not None
                assert parameter.maximum is not None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Build me an RSI momentum bot", "rsi_momentum"),
        ("a golden cross of moving averages", "sma_crossover"),
        ("Bollinger mean reversion", "mean_reversion"),
        ("Donchian breakout", "breakout"),
        ("dollar-cost averaging into BTC", "dca"),
        ("a grid bot", "grid"),
        ("a MACD bot", "macd_trend"),
        ("pairs trading on ETH and BTC", "pairs_arbitrage"),
        ("make markets on SOL", "market_making"),
        ("volatility targeting", "volatility_targeting"),
        ("momentum rotation over a basket", "momentum_rotation"),
        ("collect funding on BTC", "funding_carry"),
    ],
)
def test_strategies_are_found_by_what_people_call_them(text: str, name: str) -> None:
    found = find_strategy(text)
    assert found is not None
    assert found.name == name


def test_no_strategy_in_other_words() -> None:
    assert find_strategy("what is the weather") is None
