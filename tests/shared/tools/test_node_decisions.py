"""Each strategy decides the same in Python and in Node.js: drawn parameters, drawn candles, every holding."""

from __future__ import annotations

import importlib
import json
import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from shared.tools.templates.catalog import STRATEGIES, Language, Strategy
from shared.tools.templates.parameters import BotParameters
from shared.tools.templates.render import Bot, render_bot
from tests.shared.tools.node_bots import configuration, link_packages, run_node
from tests.shared.tools.test_create_bot_template_property import parameter_sets

SETS = 12
HERE = Path(__file__).parent
MONDAY_MS = 1_704_067_200_000
# Sizes that come from logarithms and square roots: the last digit that is kept may differ.
FROM_FLOATS = ("pairs_arbitrage", "volatility_targeting")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("both")
    link_packages(folder)
    return folder


@contextmanager
def python_strategy(folder: Path) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The bot's modules strategy and parameters, which leave no trace among this process's modules."""
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("strategy"), importlib.import_module("parameters")
    finally:
        sys.path.remove(str(folder))
        for name in ("strategy", "parameters"):
            sys.modules.pop(name, None)


def write(strategy: Strategy, language: Language, root: Path) -> Path:
    bot = Bot(
        name="default",
        strategy=strategy,
        parameters=strategy.model(),
        bot_type="scheduled",
        language=language,
    )
    folder = root / strategy.name / language
    for name, data in render_bot(bot).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def drawn(strategy: Strategy) -> list[BotParameters]:
    """Parameter sets, the defaults first."""
    sets: list[BotParameters] = [strategy.model()]

    @settings(
        max_examples=SETS,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(parameter_sets(strategy))
    def draw(parameters: BotParameters) -> None:
        sets.append(parameters)

    draw()
    return sets


def rows(source: random.Random, count: int, step_ms: int, start: float) -> list[list[Any]]:
    """A walk with calm stretches, jumps and flat ones; prices are texts, so that both read the same."""
    price, made = start, []
    for index in range(count):
        kind = source.random()
        change = 0.0 if kind < 0.2 else source.gauss(0, 0.004 if kind < 0.7 else 0.03)
        closed = price * (1 + change)
        high, low = max(price, closed) * (1 + abs(source.gauss(0, 0.002))), min(price, closed) * 0.999
        rate = f"{source.gauss(0.0001, 0.0002):.8f}" if source.random() < 0.4 else "0"
        cells = [f"{value:.6g}" for value in (price, high, low, closed)]
        made.append([MONDAY_MS + index * step_ms, *map(plain, cells), "1", rate])
        price = max(closed, start / 100)
    return made


def plain(text: str) -> str:
    return f"{Decimal(text):f}"


def first_price(parameters: Any) -> float:
    """Where the walk begins: in the grid where it has one."""
    bounds = (getattr(parameters, name, None) for name in ("centre_price", "lower_price"))
    return float(next((bound for bound in bounds if bound), 100))


def cases(
    strategy: Strategy, folder: Path, modules: tuple[ModuleType, ModuleType]
) -> Iterator[dict[str, Any]]:
    code, settings_module = modules
    source = random.Random(f"{strategy.name}")
    for chosen in drawn(strategy):
        config = configuration(chosen)
        parameters = settings_module.Parameters.from_config(config)
        needed = code.candles_needed(parameters)
        names = code.symbols(parameters) if hasattr(code, "symbols") else (parameters.symbol,)
        start = first_price(parameters)
        base = rows(source, needed + 8, parameters.candle_ms, start)
        count, step = needed + 8, parameters.candle_ms
        markets = {
            name: base if source.random() < 0.1 else rows(source, count, step, start) for name in names
        }
        last, price = base[-1], plain(f"{start:.6g}")
        held = [
            [quantity, price, last[4], last[0] - source.randrange(0, 3) * parameters.candle_ms * 40]
            for quantity in ("0.37", "-0.37" if len(names) > 1 else "12.5")
        ]
        nothing = ["0", "0", "0", 0]
        holdings = [
            dict.fromkeys(names, nothing),
            {name: held[index % 2] for index, name in enumerate(names)},
        ]
        holdings.append({name: held[(index + 1) % 2] for index, name in enumerate(names)})
        holdings.append({name: held[0] if index == 0 else nothing for index, name in enumerate(names)})
        ends = [max(0, needed - 1), *range(needed, needed + 9)]
        yield {
            "folder": str(folder),
            "config": config,
            "markets": markets,
            "holdings": holdings,
            "ends": ends,
        }


def decided(case: dict[str, Any], modules: tuple[ModuleType, ModuleType]) -> list[dict[str, Any]]:
    """What the Python strategy decides on the case."""
    code, settings_module = modules
    parameters = settings_module.Parameters.from_config(case["config"])
    candles = {
        name: [code.Candle(row[0], *map(Decimal, row[1:])) for row in all_rows]
        for name, all_rows in case["markets"].items()
    }
    answers = []
    for end in case["ends"]:
        for held in case["holdings"]:
            holdings = {n: code.Holding(*map(Decimal, one[:3]), one[3]) for n, one in held.items()}
            seen = {name: some[:end] for name, some in candles.items()}
            if hasattr(code, "decide_all"):
                answers.append(code.decide_all(seen, parameters, holdings))
            else:
                (name,) = seen
                answers.append({name: code.decide(seen[name], parameters, holdings[name])})
    return answers


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_both_languages_decide_alike(name: str, root: Path) -> None:
    strategy = STRATEGIES[name]
    exact = name not in FROM_FLOATS
    node = write(strategy, "nodejs", root)
    with python_strategy(write(strategy, "python", root)) as modules:
        asked = list(cases(strategy, node, modules))
        expected = [decided(case, modules) for case in asked]
    done = run_node(
        str(HERE / "node_decisions.mjs"), folder=root, stdin="".join(json.dumps(c) + "\n" for c in asked)
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line)["answers"] for line in done.stdout.splitlines()]
    assert [len(answers) for answers in told] == [len(answers) for answers in expected]
    seen = set()
    for ours, theirs in zip(chain(*expected), chain(*told), strict=True):
        # JavaScript puts keys that are whole numbers first: `700` is a symbol at some places.
        assert set(ours) == set(theirs)
        for symbol, signal in ours.items():
            assert_alike(signal, theirs[symbol], exact)
            seen.add((signal.action, bool(signal.quotes)))
    assert len(seen) >= 2, "the cases try one branch alone"


def assert_alike(ours: Any, theirs: dict[str, Any], exact: bool) -> None:
    """The same decision: sizes to the last digit, what is told about it as far as it is rounded."""
    assert ours.action == theirs["action"], (ours, theirs)
    assert same_size(ours.amount, theirs["amount"], exact), (ours, theirs)
    assert same_size(ours.share, theirs["share"], exact), (ours, theirs)
    assert [quote.side for quote in ours.quotes] == [quote["side"] for quote in theirs["quotes"]]
    for one, other in zip(ours.quotes, theirs["quotes"], strict=True):
        assert same_size(one.price, other["price"], exact)
        assert same_size(one.amount, other["amount"], exact)
    assert NUMBER.sub("#", ours.reason) == NUMBER.sub("#", theirs["reason"])
    told = zip(NUMBER.findall(ours.reason), NUMBER.findall(theirs["reason"]), strict=True)
    assert all(abs(float(one) - float(other)) <= 1.01 for one, other in told)
    assert dict(ours.values) == pytest.approx(theirs["values"], rel=1e-9, abs=1.1e-4)


def same_size(ours: Decimal | None, theirs: str | None, exact: bool) -> bool:
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if exact:
        return ours == Decimal(theirs)
    return abs(ours - Decimal(theirs)) <= Decimal("1e-5") * max(Decimal(1), abs(ours))
