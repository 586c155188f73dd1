"""Drawn parameter sets of each strategy: the platform takes each bot, it runs, its tests pass."""

from __future__ import annotations

import json
import re
import string
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from ruff import find_ruff_bin  # type: ignore[import-untyped]  # the package has no types

from shared.analysis import analyse_files
from shared.tools.templates.catalog import STRATEGIES, BotType, Parameter, Strategy
from shared.tools.templates.fields import as_json
from shared.tools.templates.parameters import TIMEFRAME_MINUTES, BotParameters, write_symbol
from shared.tools.templates.render import NAME_PATTERN, Bot, bot_name, derived_name, render_bot

# All 20 are drawn in `make test-faults`: each bot runs whole, with its tests.
FEW, ALL = 2, 20
ODD_SYMBOLS = [
    "BTC/USDT",
    "btc-usd",
    "1000PEPE/USDT:USDT",
    "BRK.B",
    "ethusdt",
    "X",
    "kPEPE/USDC:USDC",
    "A_B",
    "1/2",
]
FORKS = Path(__file__).with_name("bot_forks.py")

symbols = st.sampled_from(ODD_SYMBOLS) | st.builds(
    "".join,
    st.tuples(
        st.sampled_from(string.ascii_letters + string.digits),
        st.text(string.ascii_letters + string.digits + "._/:-", max_size=20),
    ),
)
names = (
    st.none()
    | st.text(max_size=60)
    | st.sampled_from(["My Bot!", "比特币", "a" * 99, "-", "{{ name }}", '"\n#'])
)


def values(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Allowed values of one parameter, its limits among them."""
    if parameter.name == "symbol":
        return symbols
    if parameter.name == "second_symbol":
        return st.sampled_from(["sol-usdt", "ETH/BTC", "1000PEPE/USDC:USDC"])
    if parameter.name == "other_symbols":
        return st.lists(symbols, min_size=1, max_size=19)
    if parameter.name == "exchange":
        return st.sampled_from(["binance", "kraken", "Coinbase", "okx2"])
    if parameter.name == "schedule":
        return st.none() | st.sampled_from(["0 9 * * 1-5", "*/5 * * * *"])
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if parameter.kind == "boolean":
        return st.booleans()
    assert parameter.minimum is not None
    assert parameter.maximum is not None
    least, most = parameter.minimum, parameter.maximum
    if parameter.kind == "integer":
        whole = st.integers(int(least), int(most)) | st.sampled_from([int(least), int(most)])
        return st.none() | whole if parameter.nullable else whole
    # Prices and amounts over twenty orders of magnitude; the rest by its range.
    steps = st.decimals(Decimal(str(least)), Decimal(str(most)), places=8 if parameter.unit == "quote" else 2)
    numbers = st.sampled_from([least, most]) | steps.filter(lambda value: len(value.as_tuple().digits) <= 15)
    return st.none() | numbers if parameter.nullable else numbers


@st.composite
def parameter_sets(draw: st.DrawFn, strategy: Strategy) -> BotParameters:
    """Parameters of the strategy, some drawn and some left at their defaults, that fit together."""
    drawn = {
        name: draw(values(parameter))
        for name, parameter in strategy.parameters.items()
        if draw(st.booleans())
    }
    return strategy.model.model_validate(fitting(strategy.name, drawn))


def fitting(strategy: str, drawn: dict[str, Any]) -> dict[str, Any]:
    """The drawn values, changed where the strategy's own rules ask for it."""
    fitted = dict(drawn)
    if strategy == "rsi_momentum":
        low, high = sorted((float(fitted.get("buy_below", 30)), float(fitted.get("sell_above", 70))))
        low = min(low, 98.0)
        fitted.update(buy_below=low, sell_above=high if high > low else low + 0.5)
    if strategy in ("sma_crossover", "macd_trend"):
        most, fast, slow = (300, 10, 30) if strategy == "sma_crossover" else (60, 12, 26)
        fast, slow = sorted((fitted.get("fast_period", fast), fitted.get("slow_period", slow)))
        fitted.update(fast_period=min(fast, most), slow_period=max(slow, min(fast, most) + 1))
    if strategy == "mean_reversion":
        widest = round(0.95 * (fitted.get("bollinger_period", 20) - 1) ** 0.5 - 0.005, 2)
        fitted["bollinger_std"] = min(float(fitted.get("bollinger_std", 2)), widest)
    if strategy == "dca":
        fitted["interval_hours"] = max(fitted.get("interval_hours", 24), 168)
    if strategy == "grid":
        lower, upper = fitted.pop("lower_price", None), fitted.pop("upper_price", None)
        if lower is not None and upper is not None and lower != upper:
            fitted.update(lower_price=min(lower, upper), upper_price=max(lower, upper), centre_price=None)
    if strategy in FITTINGS:
        FITTINGS[strategy](fitted)
    return fitted


def fit_quotes(fitted: dict[str, Any]) -> None:
    """A quote that fits into the inventory."""
    fitted["max_inventory"] = max(fitted.get("max_inventory", 500), fitted.get("amount", 100))


def fit_pair(fitted: dict[str, Any]) -> None:
    """Two perpetuals that differ, thresholds that rise."""
    if "symbol" in fitted:
        fitted["symbol"] = "kPEPE/USDC" if len(fitted["symbol"]) % 2 else "XRP/USDT:USDT"
    entry = float(fitted.get("entry_z", 2))
    fitted.update(entry_z=entry, exit_z=min(float(fitted.get("exit_z", 0.5)), entry - 0.1))
    if fitted.get("stop_z", 4) is not None:
        fitted["stop_z"] = max(float(fitted.get("stop_z", 4)), entry + 0.1)


def fit_basket(fitted: dict[str, Any]) -> None:
    """Markets that differ, of which some stay out; shares and intervals that fit."""
    first = write_symbol(fitted.get("symbol", "BTC/USDT"))
    others = [write_symbol(one) for one in fitted.get("other_symbols", ["ETH/USDT", "SOL/USDT", "ADA/USDT"])]
    fitted["other_symbols"] = [one for one in dict.fromkeys(others) if one != first] or ["ODD/USDT"]
    fitted["top_count"] = min(fitted.get("top_count", 3), len(fitted["other_symbols"]))
    if "max_position_pct" in fitted:
        fitted["max_position_pct"] = min(fitted["max_position_pct"], 100 // fitted["top_count"])
    fitted["interval_hours"] = max(fitted.get("interval_hours", 720), 168)


def fit_carry(fitted: dict[str, Any]) -> None:
    """A spot market, short candles, thresholds that rise."""
    fitted["symbol"] = "1000PEPE/USDT" if "symbol" in fitted else "BTC/USDT:USDT"
    if TIMEFRAME_MINUTES[fitted.get("timeframe", "8h")] > 480:
        fitted["timeframe"] = "4h"
    entry = float(fitted.get("entry_funding_pct", 0.01))
    fitted.update(
        entry_funding_pct=entry,
        exit_funding_pct=min(float(fitted.get("exit_funding_pct", 0)), round(entry - 0.01, 2)),
    )


FITTINGS = {
    "market_making": fit_quotes,
    "pairs_arbitrage": fit_pair,
    "momentum_rotation": fit_basket,
    "funding_carry": fit_carry,
}


def check_platform_rules(files: dict[str, bytes], bot: Bot) -> None:
    """The rules by which the platform takes a bot."""
    config = yaml.safe_load(files["bot-config.yaml"])
    assert NAME_PATTERN.match(config["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", config["version"])
    assert config["type"] == bot.bot_type
    assert config["runtime"] == "python3.11"
    assert config["author"]
    assert config["description"]
    assert config["entrypoints"]["bot"] in files
    assert 50 <= len(files[config["readme"]].decode()) <= 10_000
    schema = json.loads(files[config["schema"]["bot"]])
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema)
    validator = Draft7Validator(schema)
    defaults = {name: one["default"] for name, one in schema["properties"].items()}
    validator.validate({})
    validator.validate(defaults)
    assert defaults["live_trading"] is False
    for name, value in dict(bot.parameters).items():
        if name in defaults and name != "live_trading":
            assert defaults[name] == as_json(value)
    assert not validator.is_valid({"unknown": 1})


def check_quality(folder: Path) -> None:
    """Our own analysis must find nothing to fear in what we generate."""
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    report = analyse_files({str(path.relative_to(folder)): path.read_text() for path in paths})
    assert report.security_issues == ()
    assert report.quality_score >= 80, report.findings


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Unpacks the bot."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def drawn_bots(strategy: Strategy, sets: int, root: Path) -> list[str]:
    """Folders of so many bots of drawn parameters: the platform takes each, our analysis fears none."""
    folders: list[str] = []

    @settings(
        max_examples=sets,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(parameter_sets(strategy), st.sampled_from(["scheduled", "realtime"]), names)
    def build(parameters: BotParameters, bot_type: BotType, name: str | None) -> None:
        chosen = (
            derived_name(strategy=strategy.name, symbol=parameters.symbol) if name is None else bot_name(name)
        )
        bot = Bot(name=chosen, strategy=strategy, parameters=parameters, bot_type=bot_type)
        files = render_bot(bot)
        check_platform_rules(files, bot)
        folder = root / str(len(folders))
        write(folder, files)
        folders.append(str(folder))

    build()
    assert len(folders) == sets
    for folder in folders:
        check_quality(Path(folder))
    return folders


def check_runs(folders: list[str]) -> None:
    """Each bot runs on its sample candles, and its tests pass."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(FORKS), *folders],
        capture_output=True,
        text=True,
        timeout=500,
        check=True,
    )
    missing = list(folders)
    for outcome in map(json.loads, done.stdout.splitlines()):
        assert outcome["tests"] == 0, outcome["folder"] + outcome["output"][-3000:]
        assert outcome["run"] == 0, outcome
        assert outcome["result"]["status"] == "success"
        missing.remove(outcome["folder"])
    assert missing == []


@pytest.mark.timeout(600)
def test_a_few_drawn_bots_of_each_strategy_are_valid_run_and_pass_their_tests(tmp_path: Path) -> None:
    # All by one process: that pytest and the SDK are imported takes as long as a bot.
    check_runs(
        [
            folder
            for strategy in STRATEGIES.values()
            for folder in drawn_bots(strategy, FEW, tmp_path / strategy.name)
        ]
    )


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=lambda strategy: strategy.name)
def test_drawn_bots_are_valid_run_and_pass_their_tests(strategy: Strategy, tmp_path: Path) -> None:
    check_runs(drawn_bots(strategy, ALL, tmp_path))


@pytest.fixture(scope="module")
def default_bots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One bot of each strategy and type, with its default parameters."""
    root = tmp_path_factory.mktemp("bots")
    folders = []
    for strategy in STRATEGIES.values():
        for bot_type in ("scheduled", "realtime"):
            bot = Bot(
                name="default",
                strategy=strategy,
                parameters=strategy.model(),
                bot_type=bot_type,
            )
            folder = root / strategy.name / bot_type
            write(folder, render_bot(bot))
            folders.append(folder)
    return folders


def test_generated_code_is_clean_for_ruff_and_bandit(default_bots: list[Path]) -> None:
    root, bots = default_bots[0].parent.parent, [str(folder) for folder in default_bots]
    select = "E,F,W,I,UP,B,DTZ,RUF,C90,SIM,PL,PT,BLE001"
    accepted = "PLR0913,PLR2004,PLC0415,BLE001"
    ruff = [
        find_ruff_bin(),
        "check",
        "--isolated",
        "--no-cache",
        "--line-length",
        "110",
        "--config",
        f"src = {bots}",
    ]
    for command in (
        [*ruff, "--select", select, "--ignore", accepted, str(root)],
        [find_ruff_bin(), "format", "--isolated", "--no-cache", "--check", str(root)],
        [sys.executable, "-m", "bandit", "-q", "-r", *bots[1::2], "-x", "*/tests/*"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_generated_code_is_typed(strategy: str, default_bots: list[Path], tmp_path_factory: Any) -> None:
    folder = next(one for one in default_bots if one.parent.name == strategy and one.name == "realtime")
    cache = tmp_path_factory.getbasetemp() / "mypy"
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--ignore-missing-imports",
        "--cache-dir",
        str(cache),
    ]
    done = subprocess.run(
        [*command, "main.py", "tests/test_strategy.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_our_own_analysis_finds_no_fault(default_bots: list[Path]) -> None:
    for folder in default_bots[::3]:
        check_quality(folder)


def test_the_same_bot_has_the_same_bytes() -> None:
    strategy = STRATEGIES["grid"]
    bot = Bot(name="same", strategy=strategy, parameters=strategy.model(), bot_type="realtime")
    assert render_bot(bot) == render_bot(bot)


def test_replays_trade_in_every_regime(default_bots: list[Path]) -> None:
    """The sample candles are of use only if the default bots find something in them."""
    done = subprocess.run(
        [sys.executable, str(FORKS), "--no-tests", *map(str, default_bots)],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == len(default_bots)
    assert all(outcome["result"]["data"]["trades"] >= 5 for outcome in outcomes)
