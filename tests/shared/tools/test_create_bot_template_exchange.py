"""Generated bots at an exchange: closed candles only, orders only when live, none twice, no secret told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from shared.tools.templates.catalog import STRATEGIES, BotType
from shared.tools.templates.render import Bot, render_bot
from tests.end_to_end.bot_environment import BotRun, run_bot

KEYS = {"api_key": "KEY-4711", "api_secret": "SECRET-4712"}
LIVE = {"live_trading": True, **KEYS}

# Plays ccxt's part: what the bot uses of it, answering from the scene file and noting calls in a log.
FAKE_CCXT = """
import json, os
exchanges = ["binance"]
class BaseError(Exception): pass
class NetworkError(BaseError): pass
class ExchangeError(BaseError): pass
class InsufficientFunds(ExchangeError): pass
class InvalidOrder(ExchangeError): pass
class OrderNotFound(InvalidOrder): pass
HOUR = 3600000
NOW = 1704067200000 + 1000 * HOUR + 1800000
class binance:
    def __init__(self, options):
        self.scene = json.load(open(os.environ["SCENE"]))
        self.note("open", **{k: options.get(k) for k in ("apiKey", "secret")})
    def note(self, call, **data):
        with open(os.environ["SCENE"] + ".log", "a") as log:
            log.write(json.dumps({"call": call, **data}) + "\\n")
    def milliseconds(self): return NOW
    def fetch_ohlcv(self, symbol, timeframe, since, limit):
        if self.scene.get("down"):
            raise NetworkError("GET https://x.test/k?signature=abc&key=KEY-4711 timed out")
        first = -(-since // HOUR) * HOUR
        rows = [[t, 100, 101, 99, 100, 5] for t in range(first, NOW + 1, HOUR)][:limit]
        if rows and rows[-1][0] + HOUR > NOW: rows[-1][4] = self.scene.get("last", 100)
        return rows
    def load_markets(self):
        limits = {"cost": {"min": self.scene.get("min", 5)}}
        market = {"spot": True, "base": "BTC", "quote": "USDT", "limits": limits}
        return {"BTC/USDT": market, "BTC/USDT:USDT": {**market, "spot": False}}
    def fetch_balance(self):
        return {"USDT": {"free": 1000.0}, "BTC": {"free": self.scene.get("btc", 0.0)}}
    def amount_to_precision(self, symbol, amount): return f"{amount:.4f}"
    def create_order(self, symbol, kind, side, amount, price, params):
        self.note("order", side=side, kind=kind, amount=amount, id=params["clientOrderId"])
        if self.scene.get("refuse"): raise InsufficientFunds("balance of KEY-4711 too low")
        if self.scene.get("lost"): raise NetworkError("timed out")
        return {"id": "7", "filled": amount, "average": 100.5}
    def fetch_order(self, name, symbol, params=None):
        self.note("look", id=name)
        if self.scene.get("never"): raise OrderNotFound(name)
        return {"id": "7", "filled": 0.5, "average": 100.25, "status": "closed"}
"""


class Stage:
    """One bot, a scripted exchange and the bot's state."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "ccxt.py").write_text(FAKE_CCXT)
        self.scene = root / "scene.json"
        self.set()
        self.build("dca")

    def build(self, strategy: str, bot_type: BotType = "scheduled", **parameters: Any) -> None:
        chosen = STRATEGIES[strategy]
        bot = Bot(name="bot", strategy=chosen, parameters=chosen.model(**parameters), bot_type=bot_type)
        for name, data in render_bot(bot).items():
            path = self.root / "bot" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def set(self, **scene: Any) -> None:
        self.scene.write_text(json.dumps(scene))

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.root), "SCENE": str(self.scene), "STATE_DIR": str(self.root / "state")}

    def run(self, config: dict[str, Any], **environment: str) -> BotRun:
        run = run_bot(self.root / "bot", config, environment={**self.environment, **environment})
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
    first = stage.run({})
    assert (first.exit_code, first.result and first.result["status"]) == (0, "success")
    assert [one["side"] for one in metrics(first, "trade")] == ["buy"]
    second = stage.run({})
    assert metrics(second, "trade") == []
    assert second.result is not None
    assert second.result["data"]["trades"] == 1
    assert stage.calls("order") == []
    assert all(call["apiKey"] is None for call in stage.calls("open"))


def test_decides_on_closed_candles_only(stage: Stage) -> None:
    stage.set(last=500)
    run = stage.run({})
    assert metrics(run, "price")[0]["value"] == 100
    assert metrics(run, "price")[0]["market_time"] == "2024-02-11T15:00:00+00:00"
    assert metrics(run, "trade")[0]["price"] == 500


def test_live_places_one_order_within_the_limits(stage: Stage) -> None:
    run = stage.run({**LIVE, "amount": 900, "max_position_pct": 10})
    assert run.exit_code == 0
    (order,) = stage.calls("order")
    assert (order["side"], order["kind"]) == ("buy", "market")
    # 5 % of the balance of 1000 may be lost without a stop, 10 % may be held: 50 at a price of 100.
    assert order["amount"] == 0.5
    assert metrics(run, "trade")[0]["price"] == 100.5
    stage.set(btc=0.5)
    stage.run({**LIVE, "amount": 900, "max_position_pct": 10})
    assert len(stage.calls("order")) == 1


def test_live_sells_what_is_there_when_the_stop_is_hit(stage: Stage) -> None:
    stage.run({**LIVE, "stop_loss_pct": 3})
    # The exchange has kept a fee in the coin that was bought.
    stage.set(btc=0.499, last=90)
    run = stage.run({**LIVE, "stop_loss_pct": 3})
    assert [(call["side"], call["amount"]) for call in stage.calls("order")] == [
        ("buy", 0.5),
        ("sell", 0.499),
    ]
    assert metrics(run, "trade")[0]["reason"] == "stop loss"
    assert metrics(run, "position")[0]["quantity"] == 0


def test_no_live_trading_without_state(stage: Stage) -> None:
    run = stage.run(LIVE, STATE_DIR="/proc/none")
    assert run.exit_code == 1
    assert run.result is not None
    assert "state" in run.result["message"]
    assert stage.calls("order") == []


def test_paper_trading_goes_on_without_state(stage: Stage) -> None:
    run = stage.run({}, STATE_DIR="/proc/none")
    assert run.exit_code == 0
    assert "cannot be written" in run.errors


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


def test_a_refused_order_is_no_trade(stage: Stage) -> None:
    stage.set(refuse=True)
    run = stage.run(LIVE)
    assert run.exit_code == 0
    assert "refused" in run.errors
    assert metrics(run, "trade") == []
    assert stage.states()[0]["pending"] is None


def test_an_order_below_the_exchanges_minimum_is_not_sent(stage: Stage) -> None:
    stage.set(min=100)
    run = stage.run(LIVE)
    assert run.exit_code == 0
    assert "smallest order" in run.errors
    assert stage.calls("order") == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"symbol": "BTC/USDT:USDT", **LIVE}, "no spot market"),
        ({"exchange": "nowhere"}, "no exchange 'nowhere'"),
        ({"live_trading": True}, "needs api_key and api_secret"),
        ({"data_source": "../secrets.csv"}, "data_source"),
        ({"data_source": "tests/../../x.csv"}, "must lie in the bot's folder"),
        ({"data_source": "missing.csv"}, "cannot be read"),
    ],
)
def test_what_cannot_work_ends_with_a_clear_error(stage: Stage, config: dict[str, Any], message: str) -> None:
    run = stage.run(config)
    assert run.exit_code == 1
    assert run.result is not None
    assert run.result["status"] == "error"
    assert message in run.result["message"]
    assert stage.calls("order") == []


def test_an_unreachable_exchange_is_an_error_without_its_address_query(stage: Stage) -> None:
    stage.set(down=True)
    run = stage.run(KEYS)
    assert run.exit_code == 1
    assert run.result is not None
    assert run.result["message"].startswith("binance: NetworkError: GET https://x.test/k timed out")


@pytest.mark.parametrize(
    "text", ["time,open\n1,2\n", "", "time,open,high,low,close,volume\nx,1,1,1,1,1\n", "\x00"]
)
def test_a_wrong_csv_file_is_an_error(stage: Stage, text: str) -> None:
    (stage.root / "bot" / "wrong.csv").write_text(text)
    run = stage.run({"data_source": "wrong.csv"})
    assert run.exit_code == 1
    assert run.result is not None
    assert "CSV file" in run.result["message"] or "no candles" in run.result["message"]


def test_a_replay_leaves_stored_state_alone(stage: Stage) -> None:
    stage.run({"data_source": "sample.csv"})
    assert stage.states() == []
    assert stage.calls("open") == []


def test_without_variables_the_error_says_which(stage: Stage) -> None:
    run = run_bot(stage.root / "bot", {}, environment={"BOT_CONFIG": "{not json"})
    assert run.exit_code == 1
    assert run.result is not None
    assert "BOT_CONFIG" in run.result["message"]


@pytest.mark.parametrize("down", [False, True])
def test_realtime_stops_cleanly_when_told(stage: Stage, down: bool) -> None:
    stage.build("dca", "realtime")
    stage.set(down=down)
    bot = stage.root / "bot"
    environment = {
        "PATH": os.environ["PATH"],
        "BOT_ID": "t",
        "BOT_CONFIG": "{}",
        "CODE_MOUNT_DIR": str(bot),
        "PYTHONUNBUFFERED": "1",
        **stage.environment,
    }
    command = [sys.executable, str(bot / "main.py")]
    out, err = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(command, env=environment, stdout=out, stderr=err, text=True) as process:
        # A bot that does not stop is killed, which its exit code then shows.
        deadline = threading.Timer(30, process.kill)
        deadline.start()
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        code = process.wait()
        deadline.cancel()
    assert code == 0, rest
    assert json.loads((bot / "result.json").read_text())["status"] == "success"


def test_runs_as_the_platform_calls_it_in_a_thread(stage: Stage) -> None:
    """The platform loads main.py by its path and calls main in a thread, where signals cannot be handled."""
    stage.build("grid", "realtime")
    code = """
import importlib.util, sys, threading
sys.path.insert(0, sys.argv[1])
spec = importlib.util.spec_from_file_location("main", sys.argv[1] + "/main.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
thread = threading.Thread(target=module.main, args=("id", {"data_source": "sample.csv"}))
thread.start()
thread.join()
"""
    bot = stage.root / "bot"
    done = subprocess.run(
        [sys.executable, "-c", code, str(bot)],
        env={"PATH": os.environ["PATH"], "CODE_MOUNT_DIR": str(bot)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert json.loads((bot / "result.json").read_text())["status"] == "success"
