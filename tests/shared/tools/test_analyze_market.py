"""The tool `analyze_market` through the runner, as a model calls it."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from shared.artifact import SavedArtifact
from shared.errors import TooLargeError
from shared.keys import ArtifactKey, SessionKey
from shared.market import read_candles_csv
from shared.messages import ToolCall, ToolResult
from shared.settings import Settings
from shared.tools.analyze_market import analyze_market
from shared.tools.port import ToolServices
from shared.tools.registry import TOOLS
from shared.tools.runner import LocalToolRunner
from shared.tools.templates.sample import sample_csv
from tests.servers.agent import Agent
from tests.servers.exchange import ExchangeServer, answer, binance, kraken
from tests.servers.sites import Sites
from tests.shared.tools.session_files import SessionFiles

NOW = datetime(2026, 1, 10, 0, 30, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
SESSION = SessionKey(user_id="u", session_id="s")
MEASURES = (
    "trend", "regime", "volatility", "drawdown", "rsi", "macd", "bollinger", "adx", "volume", "levels",
)  # fmt: skip


@pytest.fixture
async def sites() -> AsyncIterator[Sites]:
    async with Sites() as opened:
        yield opened
        assert opened.strays == []


@pytest.fixture
async def server(sites: Sites) -> ExchangeServer:
    bases = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "AVAX", "LINK", "DOT", "TRX")
    return await binance(sites, now=NOW_MS, symbols=bases)


@pytest.fixture
def files() -> SessionFiles:
    return SessionFiles()


async def call(
    sites: Sites, files: SessionFiles, *, session: SessionKey | None = SESSION, **arguments: Any
) -> ToolResult:
    """What the runner gives for one call, its result checked against the declared schema and for NaN."""
    services = ToolServices(
        artifacts=files, settings=Settings(), resolver=sites, clock=lambda: NOW, dialer=sites
    )
    runner = LocalToolRunner(tools=(analyze_market,), services=services)
    result = await runner.run(
        call=ToolCall(id="c1", name="analyze_market", arguments=arguments), session=session
    )
    if result.status == "ok":
        jsonschema.validate(result.result, analyze_market.spec.output_schema)
        json.dumps(result.result, allow_nan=False)
    return result


async def refusal(sites: Sites, files: SessionFiles, **arguments: Any) -> str:
    """The message of a call whose arguments do not fit."""
    result = await call(sites, files, **arguments)
    assert result.error is not None
    assert result.error.code == "invalid_arguments"
    return result.error.message


async def keep_sample(files: SessionFiles, text: str | None = None) -> None:
    text = text or sample_csv(minutes=60, start_price=Decimal(42_000))
    await files.save(key=ArtifactKey(session=SESSION, filename="sample.csv"), data=text.encode())


async def test_a_market_of_an_exchange(sites: Sites, server: ExchangeServer, files: SessionFiles) -> None:
    found = await call(sites, files, symbol="btcusdt", timeframe="1h", exchange="binance", days=30)
    value = found.result
    assert (value["symbol"], value["source"], value["timeframe"]) == ("BTC/USDT", "binance", "1h")
    assert (value["candles"], value["last_candle"]) == (720, "2026-01-09T23:00:00Z")
    assert value["notes"] == []
    for name in MEASURES:
        assert value[name]["label"] != "unknown"
        assert value[name]["sentence"].endswith(".")
    assert 29_000 < value["last_close"] < 82_000
    assert found.untrusted is False


async def test_the_chart_and_its_data_are_saved_once(
    sites: Sites, server: ExchangeServer, files: SessionFiles
) -> None:
    names = ("analysis/BTC-USDT-4h.png", "analysis/BTC-USDT-4h.csv")
    first = await call(sites, files, symbol="BTC/USDT", timeframe="4h")
    again = await call(sites, files, symbol="BTC/USDT", timeframe="4h")
    assert first.artifacts == names
    assert again.artifacts == ()
    assert again.result["files"] == list(names)
    png, data = (files.stored[ArtifactKey(session=SESSION, filename=name)][0].data for name in names)
    assert png.startswith(b"\x89PNG")
    candles = read_candles_csv(data)
    assert len(candles) == first.result["candles"] == 300
    header, last = data.decode().splitlines()[0], data.decode().splitlines()[-1]
    assert header.endswith("ema20,ema50,ema200,bollinger_upper,bollinger_lower,rsi14")
    assert float(last.rsplit(",", 1)[1]) == pytest.approx(first.result["rsi"]["values"]["rsi14"], abs=0.01)


async def test_without_a_session_there_are_numbers_only(
    sites: Sites, server: ExchangeServer, files: SessionFiles
) -> None:
    found = await call(sites, files, session=None, symbol="BTC/USDT")
    assert (found.result["files"], found.artifacts, files.stored) == ([], (), {})
    assert found.result["notes"] == ["No chart was drawn: that needs a session_id."]


async def test_ten_markets_are_correlated_within_2000_tokens(
    sites: Sites, server: ExchangeServer, files: SessionFiles
) -> None:
    others = ["ETH/USDT", "SOL/USDT", "xrp/usdt", "ADA/USDT", "DOGE/USDT", "LTC/USDT", "AVAX/USDT"]
    symbols = [*others, "LINK/USDT", "DOT/USDT", "btc/usdt"]
    found = await call(sites, files, symbol="BTC/USDT", symbols=symbols)
    pairs = found.result["correlation"]["values"]
    assert len(pairs) == 45
    assert all(-1 <= value <= 1 for value in pairs.values())
    # Of one wave with one phase each: names of the same length move alike.
    assert pairs["BTC/USDT ETH/USDT"] == 1.0
    assert found.result["correlation"]["label"] in ("high", "moderate", "low")
    # Two and a half characters a token is less than any tokenizer needs for such text.
    assert len(json.dumps(found.result, separators=(",", ":"))) < 5000


async def test_candles_of_the_session_s_own_file(sites: Sites, files: SessionFiles) -> None:
    await keep_sample(files)
    found = await call(sites, files, artifact="sample.csv")
    assert (found.result["symbol"], found.result["timeframe"]) == ("sample", "1h")
    assert found.result["candles"] == 400
    assert found.artifacts == ("analysis/sample-1h.png", "analysis/sample-1h.csv")
    shorter = await call(sites, files, artifact="sample.csv", symbol="BTC/USDT", days=5)
    assert (shorter.result["candles"], shorter.result["symbol"]) == (120, "BTC/USDT")
    # The candles before the window settle the averages.
    assert shorter.result["trend"] == found.result["trend"] | {"values": shorter.result["trend"]["values"]}
    assert sites.lookups == []


async def test_a_file_s_open_candle_and_future_are_left_out(sites: Sites, files: SessionFiles) -> None:
    lines = ["time,open,high,low,close,volume"]
    lines += [f"{NOW_MS + (place - 50) * 3_600_000},10,11,9,10,1" for place in range(60)]
    await keep_sample(files, "\n".join(lines))
    found = await call(sites, files, artifact="sample.csv")
    assert (found.result["candles"], found.result["last_candle"]) == (50, "2026-01-09T23:30:00Z")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "give a market such as BTC/USDT"),
        ({"symbol": "  "}, "give a market"),
        ({"symbol": "BTC/USDT", "exchange": "mtgox"}, "not served.*binance"),
        ({"symbol": "BTC/USDT", "exchange": "evil.example"}, "not served"),
        ({"symbol": "BTC/USDT", "timeframe": "7m"}, "choose one of 1m"),
        ({"symbol": "BTC/USDT", "timeframe": "1m", "days": 365}, "525,600 1m candles.*take 3 days"),
        ({"symbol": "BTC/USDT", "timeframe": "1d", "days": 1}, "take more days or a shorter timeframe"),
        ({"symbol": "BTC/USDT", "days": 0}, "days"),
        ({"symbol": "BTC/USDT", "days": 10_000}, "days"),
        ({"symbol": "A", "symbols": list("BCDEFGHIJK")}, "at most 10 markets"),
        ({"artifact": "missing.csv"}, "list_artifacts"),
        ({"artifact": "sample.csv", "symbols": ["ETH/USDT"]}, "leave artifact out"),
        ({"symbol": "NOPE/USDT"}, "no spot market 'NOPE/USDT'; the nearest are"),
    ],
)
async def test_arguments_that_do_not_fit_are_told_what_does(
    sites: Sites, server: ExchangeServer, files: SessionFiles, arguments: dict[str, Any], words: str
) -> None:
    message = await refusal(sites, files, **arguments)
    assert re.search(words, message), message
    assert files.stored == {}


async def test_a_file_without_a_session_asks_for_one(sites: Sites, files: SessionFiles) -> None:
    assert "session_id" in await refusal(sites, files, session=None, artifact="sample.csv")


async def test_a_file_that_is_no_candles_is_refused_by_its_line(sites: Sites, files: SessionFiles) -> None:
    await keep_sample(files, "time,open,high,low,close,volume\n0,1,1,1,1,1\n1,x,1,1,1,1\n")
    assert "line 3" in await refusal(sites, files, artifact="sample.csv")
    await keep_sample(files, "time,open,high,low,close,volume\n0,1,1,1,1,1\n")
    assert "2 are the least" in await refusal(sites, files, artifact="sample.csv")


async def test_a_failing_exchange_can_be_tried_again(
    sites: Sites, server: ExchangeServer, files: SessionFiles
) -> None:
    server.instead = lambda path, query: answer({"code": -1003}, status=429)
    found = await call(sites, files, symbol="BTC/USDT")
    assert found.error is not None
    assert (found.error.code, found.error.retryable) == ("rate_limited", True)


async def test_fewer_candles_than_asked_for_are_told(sites: Sites, files: SessionFiles) -> None:
    await kraken(sites, now=NOW_MS)
    found = await call(sites, files, symbol="BTC/USD", exchange="kraken", days=60)
    assert found.result["candles"] == 719
    assert found.result["notes"] == ["kraken gave 719 of the 1,440 candles of that time."]


async def test_a_full_session_still_gets_the_numbers(sites: Sites, server: ExchangeServer) -> None:
    class Full(SessionFiles):
        async def save(
            self,
            *,
            key: ArtifactKey,
            data: bytes,
            expected_version: int | None = None,
            quality_score: int | None = None,
            turn_id: str | None = None,
        ) -> SavedArtifact:
            raise TooLargeError("a session has at most 200 files")

    found = await call(sites, Full(), symbol="BTC/USDT")
    assert found.result["files"] == []
    assert found.result["notes"] == ["The chart could not be saved: a session has at most 200 files."]


def test_over_http_a_saved_file_becomes_an_analysis_and_a_chart_to_fetch(agent: Agent) -> None:
    session = uuid.uuid4().hex
    with agent.client() as client:
        file = {"filename": "data/sample.csv", "content": sample_csv(minutes=60, start_price=Decimal(42_000))}
        client.post(
            "/tools/save_artifact", json={"arguments": file, "session_id": session}
        ).raise_for_status()
        answer = client.post(
            "/tools/analyze_market",
            json={"arguments": {"artifact": "data/sample.csv"}, "session_id": session},
        ).json()
        assert answer["status"] == "ok", answer
        assert answer["result"]["files"] == ["analysis/sample-1h.png", "analysis/sample-1h.csv"]
        chart = client.get(f"/artifacts/session/{session}/analysis/sample-1h.png").json()
    assert (chart["mime_type"], chart["encoding"]) == ("image/png", "base64")
    assert base64.b64decode(chart["content"]).startswith(b"\x89PNG")


def test_the_tool_is_offered_and_says_that_it_writes() -> None:
    assert analyze_market in TOOLS
    assert (analyze_market.read_only, analyze_market.untrusted) == (False, False)
    assert {"symbol", "timeframe", "exchange", "days"} <= analyze_market.spec.input_schema[
        "properties"
    ].keys()


def test_importing_the_tool_loads_nothing_heavy() -> None:
    program = (
        "import sys, shared.tools.analyze_market\n"
        "heavy = {'ccxt', 'aiohttp', 'numpy', 'talib', 'matplotlib', 'httpx'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
