"""backtest_bot over a real store, the real sandbox and a stand-in of an exchange."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from functions.tools.mcp_endpoint.tokens import compact_json, tokens
from shared.messages import ToolCall, ToolResult
from shared.sandbox.port import Sandbox
from shared.sandbox.select import open_sandbox
from shared.settings import Settings
from shared.tools.backtest_bot import backtest_bot
from shared.tools.port import ToolServices
from shared.tools.runner import LocalToolRunner
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.render import Bot, render_bot
from tests.servers.exchange import binance
from tests.servers.sites import Sites
from tests.shared.backtest.bots import FOLLOW, bot
from tests.shared.backtest.rows import candles_csv
from tests.shared.tools.tool_bench import ToolBench, tool_bench

NOW = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture
async def bench(tmp_path: Path, sqlite_url: str) -> AsyncIterator[ToolBench]:
    async with tool_bench(tmp_path, sqlite_url, (backtest_bot,)) as opened:
        yield opened


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    opened = open_sandbox()
    yield opened
    await opened.close()


@pytest.fixture
async def sites() -> AsyncIterator[Sites]:
    async with Sites() as opened:
        yield opened
        assert opened.strays == []


async def _call(bench: ToolBench, sites: Sites, sandbox: Sandbox | None, **arguments: Any) -> ToolResult:
    services = ToolServices(
        artifacts=bench.artifacts,
        settings=Settings(),
        resolver=sites,
        dialer=sites,
        clock=lambda: NOW,
        sandbox=sandbox,
    )
    runner = LocalToolRunner(tools=(backtest_bot,), services=services)
    call = ToolCall(id="c1", name="backtest_bot", arguments=arguments)
    result = await runner.run(call=call, session=bench.session)
    if result.status == "ok":
        jsonschema.validate(result.result, backtest_bot.spec.output_schema)
    return result


async def _keep(bench: ToolBench, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        await bench.save(name, data)


async def test_a_bot_of_a_template_gets_a_report(bench: ToolBench, sites: Sites, sandbox: Sandbox) -> None:
    strategy = STRATEGIES["sma_crossover"]
    made = Bot(name="my-crossover", strategy=strategy, parameters=strategy.model(), bot_type="scheduled")
    await _keep(bench, render_bot(made))
    found = await _call(bench, sites, sandbox, config={"fast_period": 5}, fee_pct=0.2)
    value = found.result
    assert found.artifacts == ("backtest/report.html", "backtest/result.json", "backtest/equity.png")
    assert value["files"] == list(found.artifacts)
    assert value["candles"] == "400 of sample.csv"
    assert "look_ahead" in value["passed"]
    assert all(check["severity"] != "finding" for check in value["checks"])
    assert tokens(compact_json(value)) < 2000

    result = json.loads(await bench.content("backtest/result.json"))
    assert (result["schema_version"], result["config"], result["costs"]["taker_pct"]) == (
        1,
        {"fast_period": 5},
        0.2,
    )
    assert result["measures"]["return_pct"] == pytest.approx(value["return_pct"], abs=1e-4)
    assert len(result["trades"]) >= value["trades"]
    page = (await bench.content("backtest/report.html")).decode()
    assert "my-crossover" in page
    assert (await bench.content("backtest/equity.png")).startswith(b"\x89PNG")
    # What a backtest writes is not part of the bot: a second one finds the same files.
    again = await _call(bench, sites, sandbox, config={"fast_period": 5}, fee_pct=0.2)
    assert json.loads(await bench.content("backtest/result.json"))["files_sha256"] == result["files_sha256"]
    assert again.artifacts == ()


async def test_candles_of_a_file_and_a_bot_that_crashes_on_them(
    bench: ToolBench, sites: Sites, sandbox: Sandbox
) -> None:
    crashing = FOLLOW.replace("    rise =", "    1 / (candles[-1].close - 13)\n    rise =")
    await _keep(bench, bot(crashing) | {"prices.csv": candles_csv([float(price) for price in range(10, 60)])})
    found = await _call(bench, sites, sandbox, candles="prices.csv")
    assert found.result["candles"] == "50 of prices.csv"
    assert found.result["checks"][0]["check"] == "crash"
    assert "Do not trust" in found.result["verdict"]
    assert "DivisionByZero" in (await bench.content("backtest/report.html")).decode()


async def test_candles_of_an_exchange(bench: ToolBench, sites: Sites, sandbox: Sandbox) -> None:
    await binance(sites, now=round(NOW.timestamp() * 1000), symbols=("BTC",))
    await _keep(bench, bot(FOLLOW))
    found = await _call(bench, sites, sandbox, symbol="BTC/USDT", timeframe="4h", days=20)
    assert found.result["candles"] == "120 of binance BTC/USDT 4h"
    assert found.result["return_pct"] is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"candles": "none.csv"}, "list_artifacts tells what there is"),
        ({"candles": "strategy.py"}, "lacks the columns"),
        ({"candles": "few.csv"}, "has 5 candles, and 30 are the least"),
        ({"timeframe": "7h"}, "choose one of"),
        ({"days": 3650, "timeframe": "1m"}, "take 30 to 10,000"),
        ({"exchange": "mtgox"}, "mtgox"),
        ({"fee_pct": 6}, "fee_pct is at most 5"),
        ({}, "brings no candles"),
    ],
)
async def test_what_is_wrong_is_told(
    bench: ToolBench, sites: Sites, sandbox: Sandbox, arguments: dict[str, Any], said: str
) -> None:
    files = bot(FOLLOW)
    if "candles" in arguments:
        files["few.csv"] = candles_csv([1.0, 2.0, 3.0, 4.0, 5.0])
    await _keep(bench, files)
    found = await _call(bench, sites, sandbox, **arguments)
    assert found.error is not None
    assert said in found.error.message


async def test_a_bot_of_another_form_is_sent_to_verify_bot(
    bench: ToolBench, sites: Sites, sandbox: Sandbox
) -> None:
    await _keep(bench, {"main.py": b"print(1)"})
    found = await _call(bench, sites, sandbox)
    assert found.error is not None
    assert "verify_bot" in found.error.message


async def test_without_a_sandbox_no_bot_is_run(bench: ToolBench, sites: Sites) -> None:
    await _keep(bench, bot(FOLLOW))
    found = await _call(bench, sites, None)
    assert found.error is not None
    assert "no sandbox" in found.error.message
