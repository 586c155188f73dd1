"""The planner's own tables agree with the catalogue that the tool builds from, and with one another."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from shared.model.offline.extract_strategy import TITLES, find_strategies
from shared.model.offline.extract_timeframe import TIMEFRAMES
from shared.model.offline.intent import Intent
from shared.model.offline.phrases import COMMON_NAMES, OWN_NAMES
from shared.model.offline.plan import PLANS
from shared.model.offline.utterance import canonical, slug
from shared.model.offline.wording import RULES
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.parameters import BotParameters, Timeframe
from shared.tools.templates.render import bot_name


def test_strategies_are_those_of_the_catalogue() -> None:
    assert set(TITLES) == set(RULES) == set(OWN_NAMES) == set(STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_parameter_of_a_strategy_has_words_and_no_other_has(strategy: str) -> None:
    assert OWN_NAMES[strategy] == set(STRATEGIES[strategy].own_parameters)


def test_common_parameters_are_those_of_the_catalogue() -> None:
    assert set(BotParameters.model_fields) == COMMON_NAMES


def test_timeframes_are_those_of_the_catalogue() -> None:
    assert get_args(Timeframe) == TIMEFRAMES


@pytest.mark.parametrize(
    ("strategy", "alias"), [(s.name, alias) for s in STRATEGIES.values() for alias in s.aliases]
)
def test_the_catalogues_words_for_a_strategy_are_known(strategy: str, alias: str) -> None:
    assert find_strategies(canonical(alias)).sure == (strategy,)


def test_every_intent_has_a_plan() -> None:
    assert set(PLANS) == set(Intent)


@pytest.mark.parametrize("text", ["My Fancy Bot!", "  Ünïcode bot ", "a" * 80, "rsi--30"])
def test_names_become_what_the_tool_makes_of_them(text: str) -> None:
    assert slug(text) == bot_name(text)


def test_the_planner_knows_tools_by_their_schemas_alone(repository: Path) -> None:
    for file in (repository / "shared" / "model" / "offline").glob("*.py"):
        imported = {
            node.module or ""
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom)
        }
        assert not [name for name in imported if name.startswith(("shared.tools", "shared.agent"))], file.name
