"""Node.js bots at an exchange: the real ccxt against a server, and live orders against a scripted one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.clock import utc_now
from shared.tools.templates.catalog import STRATEGIES, BotType
from tests.end_to_end.bot_environment import BotRun
from tests.servers.exchange import ExchangeServer, answer, kraken
from tests.servers.sites import Reply, Sites, authority_pem
from tests.shared.tools.node_bots import link_packages, run_node_bot, write_bot

KEYS = {"api_key": "KEY-4711", "api_secret": "SECRET-4712"}
LIVE = {"live_trading": True, **KEYS}
ENDS_WITHIN = 60.0

# Leads every TLS connection to the test's server; the name stays what it is, and its certificate is checked.
DIALER = """
import tls from "node:tls";
import net from "node:net";
const { connect } = tls;
tls.connect = (options, ...more) =>
  connect({ ...options, host: "127.0.0.1", port: Number(process.env.PORT), lookup: undefined }, ...more);
"""

# Plays ccxt's part: what the bots use of it, answering from the scene file and noting calls in a log.
FAKE_CCXT = """
import { appendFileSync, readFileSync } from "node:fs";
class BaseError extends Error {}
class NetworkError extends BaseError {}
class ExchangeError extends BaseError {}
class BadRequest extends ExchangeError {}
class InsufficientFunds extends ExchangeError {}
class InvalidOrder extends ExchangeError {}
class OrderNotFound extends InvalidOrder {}
const HOUR = 3600000;
const NOW = 1704067200000 + 1000 * HOUR + 1800000;
class binance {
  has = {};
  constructor(options) {
    this.scene = JSON.parse(readFileSync(process.env.SCENE, "utf8"));
    this.note("open", { apiKey: options.apiKey ?? null });
  }
  note(call, data) { appendFileSync(`${process.env.SCENE}.log`, JSON.stringify({ call, ...data }) + "\\n"); }
  milliseconds() { return NOW; }
  async fetchOHLCV(symbol, timeframe, since, limit) {
    if (this.scene.down) throw new NetworkError("GET https://x.test/k?signature=abc&key=KEY-4711 timed out");
    const rows = [];
    for (let t = Math.ceil(since / HOUR) * HOUR; t <= NOW && rows.length < limit; t += HOUR) {
      rows.push([t, 100, 101, 99, 100, 5]);
    }
    if (rows.length && rows.at(-1)[0] + HOUR > NOW) rows.at(-1)[4] = this.scene.last ?? 100;
    return rows;
  }
  async loadMarkets() {
    const one = { base: "BTC", quote: "USDT", limits: { cost: { min: this.scene.min ?? 5 } } };
    const swap = { ...one, symbol: "BTC/USDT:USDT", spot: false, swap: true, linear: true, settle: "USDT" };
    return { "BTC/USDT": { ...one, symbol: "BTC/USDT", spot: true }, "BTC/USDT:USDT": swap };
  }
  async fetchBalance() {
    const held = this.scene.btc ?? 0;
    return { USDT: { free: 1000 }, BTC: { free: held, total: held } };
  }
  amountToPrecision(symbol, amount) { return amount.toFixed(4); }
  priceToPrecision(symbol, price) { return price.toFixed(2); }
  async createOrder(symbol, kind, side, amount, price, params) {
    const { clientOrderId: id, postOnly: post = false } = params;
    this.note("order", { symbol, side, kind, amount, price, id, post });
    if (this.scene.refuse) throw new InsufficientFunds("balance of KEY-4711 too low");
    if (this.scene.lost) throw new NetworkError("timed out");
    return { id: "7", filled: amount, average: 100.5 };
  }
  async cancelOrder(id) { this.note("cancel", { id }); }
  async fetchOrder(id) {
    this.note("look", { id });
    if (this.scene.never) throw new OrderNotFound(id);
    return { id: "7", filled: this.scene.filled ?? 0.5, average: 100.25, status: "closed" };
  }
}
const refusals = { InsufficientFunds, InvalidOrder, OrderNotFound };
const errors = { BaseError, NetworkError, ExchangeError, BadRequest, ...refusals };
export default { exchanges: ["binance"], binance, ...errors };
"""


class Stage:
    """One bot, a scripted exchange and the bot's state."""

    def __init__(self, root: Path) -> None:
        self.root = root
        link_packages(root)
        ccxt = root / "node_modules" / "ccxt"
        ccxt.mkdir()
        (ccxt / "package.json").write_text('{"name": "ccxt", "type": "module", "exports": "./index.js"}')
        (ccxt / "index.js").write_text(FAKE_CCXT)
        self.scene = root / "scene.json"
        self.set()
        self.build("dca")

    def build(self, strategy: str, bot_type: BotType = "scheduled") -> None:
        write_bot(self.root / "bot", STRATEGIES[strategy], bot_type=bot_type)

    def set(self, **scene: Any) -> None:
        self.scene.write_text(json.dumps(scene))

    def run(self, config: dict[str, Any], **environment: str) -> BotRun:
        variables = {"SCENE": str(self.scene), "STATE_DIR": str(self.root / "state"), **environment}
        run = run_node_bot(self.root / "bot", config, environment=variables)
        told = run.output + run.errors + json.dumps(run.result) + "".join(map(str, self.states()))
        assert not any(secret in told for secret in (*KEYS.values(), "signature="))
        return run

    def calls(self, kind: str) -> list[dict[str, Any]]:
        log = Path(f"{self.scene}.log")
        lines = log.read_text().splitlines() if log.exists() else []
        return [call for call in map(json.loads, lines) if call["call"] == kind]

    def states(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted((self.root / "state").glob("*.json"))]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def metrics(run: BotRun, kind: str) -> list[dict[str, Any]]:
    return [one for one in map(json.loads, run.output.splitlines()) if one["_metric"] == kind]


def test_on_paper_no_order_leaves_and_the_account_is_kept(stage: Stage) -> None:
    stage.set(last=500)
    first = stage.run({})
    assert (first.exit_code, first.result and first.result["status"]) == (0, "success")
    assert [(one["side"], one["price"]) for one in metrics(first, "trade")] == [("buy", 500)]
    # The candle that is still open decides nothing.
    assert metrics(first, "price")[0]["value"] == 100
    second = stage.run({})
    assert metrics(second, "trade") == []
    assert second.result is not None
    assert second.result["data"]["trades"] == 1
    assert stage.calls("order") == []
    assert all(call["apiKey"] is None for call in stage.calls("open"))


def test_live_places_one_order_within_the_limits_and_sells_what_is_there(stage: Stage) -> None:
    config = {**LIVE, "amount": 900, "max_position_pct": 10, "stop_loss_pct": 3}
    run = stage.run(config)
    assert run.exit_code == 0, run.errors
    # A tenth of the balance of 1000 at a price of 100.
    assert [(call["side"], call["amount"]) for call in stage.calls("order")] == [("buy", 1)]
    assert metrics(run, "trade")[0]["price"] == 100.5
    # The exchange has kept a fee in the coin that was bought.
    stage.set(btc=0.999, last=90)
    run = stage.run(config)
    assert [(call["side"], call["amount"]) for call in stage.calls("order")][1:] == [("sell", 0.999)]
    assert metrics(run, "trade")[0]["reason"] == "stop loss"


def test_no_live_trading_without_state_and_paper_goes_on(stage: Stage) -> None:
    nowhere = str(stage.scene / "state")
    run = stage.run(LIVE, STATE_DIR=nowhere)
    assert run.exit_code == 1
    assert run.result is not None
    assert "state" in run.result["message"]
    assert stage.calls("order") == []
    paper = stage.run({}, STATE_DIR=nowhere)
    assert paper.exit_code == 0
    assert "cannot be written" in paper.errors


def test_an_account_that_cannot_be_read_is_not_begun_anew(stage: Stage) -> None:
    stage.run({})
    (path,) = (stage.root / "state").glob("*.json")
    path.write_text("{")
    variables = {"SCENE": str(stage.scene), "STATE_DIR": str(stage.root / "state")}
    run = run_node_bot(stage.root / "bot", {}, environment=variables)
    assert run.result == {"status": "error", "message": "The bot's state cannot be read"}


@pytest.mark.parametrize(("never", "trades"), [(False, 1), (True, 0)])
def test_an_order_whose_answer_was_lost_is_looked_up_not_repeated(
    stage: Stage, never: bool, trades: int
) -> None:
    stage.set(lost=True)
    assert stage.run(LIVE).exit_code == 1
    stage.set(never=never, btc=0.5)
    run = stage.run(LIVE)
    assert run.exit_code == 0
    assert len(stage.calls("order")) == 1
    assert stage.calls("look")[0]["id"] == stage.calls("order")[0]["id"]
    assert run.result is not None
    assert run.result["data"]["trades"] == trades


@pytest.mark.parametrize(("scene", "said"), [({"refuse": True}, "refused"), ({"min": 100}, "smallest order")])
def test_a_refused_order_is_no_trade(stage: Stage, scene: dict[str, Any], said: str) -> None:
    stage.set(**scene)
    run = stage.run(LIVE)
    assert run.exit_code == 0
    assert said in run.errors
    assert metrics(run, "trade") == []
    assert stage.states()[0]["pending"] is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"symbol": "BTC/USDT:USDT", **LIVE}, "no spot market"),
        ({"exchange": "nowhere"}, "no exchange 'nowhere'"),
    ],
)
def test_what_cannot_be_traded_is_an_error(stage: Stage, config: dict[str, Any], message: str) -> None:
    run = stage.run(config)
    assert run.exit_code == 1
    assert run.result is not None
    assert message in run.result["message"]
    assert stage.calls("order") == []


def test_an_unreachable_exchange_is_an_error_without_its_address_query(stage: Stage) -> None:
    stage.set(down=True)
    run = stage.run(KEYS)
    assert run.exit_code == 1
    assert run.result is not None
    assert run.result["message"].startswith("binance: NetworkError: GET https://x.test/k timed out")


def test_quotes_rest_at_the_exchange_and_are_replaced(stage: Stage) -> None:
    stage.build("market_making")
    stage.set(filled=0)
    run = stage.run(LIVE)
    assert run.exit_code == 0, run.errors
    (quote,) = stage.calls("order")
    assert (quote["side"], quote["kind"], quote["post"]) == ("buy", "limit", True)
    (resting,) = stage.states()[0]["resting"]
    assert resting["id"] == quote["id"]


async def started(stage: Stage, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    bot = stage.root / "bot"
    variables = {
        "PATH": os.environ["PATH"],
        "BOT_ID": "t",
        "BOT_CONFIG": "{}",
        "CODE_MOUNT_DIR": str(bot)[1:],
        "SCENE": str(stage.scene),
        "STATE_DIR": str(stage.root / "state"),
        **environment,
    }
    out, err = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    return await asyncio.create_subprocess_exec(
        "node", *arguments, str(bot / "main.js"), env=variables, stdout=out, stderr=err
    )


async def stopped(stage: Stage, process: asyncio.subprocess.Process) -> tuple[str, dict[str, Any]]:
    """What a bot printed until it ended after its first line and SIGTERM, and its result."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(ENDS_WITHIN):
            first = await process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            rest = await process.stdout.read()
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = (first + rest).decode()
    assert process.returncode == 0, said
    result: dict[str, Any] = json.loads((stage.root / "bot" / "result.json").read_text())
    return said, result


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("strategy", ["dca", "market_making"])
async def test_realtime_stops_cleanly_when_told(stage: Stage, strategy: str, down: bool) -> None:
    stage.build(strategy, "realtime")
    stage.set(down=down)
    _, result = await stopped(stage, await started(stage))
    assert (result["status"], result["message"]) == ("success", "Stopped as asked")
    assert all(state.get("resting", []) == [] for state in stage.states())


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[tuple[ExchangeServer, dict[str, str]]]:
    """Kraken on a server of its own, and the variables that lead node to it."""

    def assets(path: str, query: dict[str, str]) -> Reply | None:
        return answer({"error": [], "result": {}}) if path == "/0/public/Assets" else None

    async with Sites() as sites:
        server = await kraken(sites, now=int(utc_now().timestamp() * 1000))
        server.instead = assets
        (tmp_path / "authority.pem").write_text(authority_pem())
        (tmp_path / "dialer.mjs").write_text(DIALER)
        _, port = sites.endpoint(server.site.addresses[0], 443)
        yield server, {"NODE_EXTRA_CA_CERTS": str(tmp_path / "authority.pem"), "PORT": str(port)}


@pytest.mark.parametrize("bot_type", ["scheduled", "realtime"])
async def test_the_real_ccxt_reads_an_exchange(
    tmp_path: Path, exchange: tuple[ExchangeServer, dict[str, str]], bot_type: BotType
) -> None:
    server, variables = exchange
    (tmp_path / "stage").mkdir()
    stage = Stage(tmp_path / "stage")
    fake = stage.root / "node_modules" / "ccxt"
    for path in fake.iterdir():
        path.unlink()
    fake.rmdir()
    link_packages(stage.root, "ccxt")
    stage.build("dca", bot_type)
    config = json.dumps({"exchange": "kraken", "symbol": "BTC/USD"})
    dialer = f"--import={tmp_path / 'dialer.mjs'}"
    process = await started(stage, dialer, BOT_CONFIG=config, **variables)
    if bot_type == "realtime":
        said, result = await stopped(stage, process)
    else:
        async with asyncio.timeout(ENDS_WITHIN):
            said = (await process.communicate())[0].decode()
        result = json.loads((stage.root / "bot" / "result.json").read_text())
    assert result["status"] == "success", said
    assert result["data"]["trades"] == 1, said
    assert result["data"]["price"] > 20_000
    assert "OHLC" in server.paths()
