"""The files of a bot in each language, and how a value is written in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.tools.templates.catalog import Form, Language

# Rendered beside the templates, alike in every language.
SCHEMA_FILE = "bot-schema.json"
SAMPLE_FILE = "sample.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One language: the folder of its templates, and each form's files by the template that makes them."""

    folder: str
    title: str
    forms: Mapping[Form, Mapping[str, str]]

    @property
    def files(self) -> frozenset[str]:
        """Every file that a bot in this language may have."""
        return frozenset(
            (SCHEMA_FILE, SAMPLE_FILE, *(name for files in self.forms.values() for name in files))
        )


def _forms(
    ending: str, *more: str, tests: str, of_quotes: str, of_markets: str, of_portfolio: str
) -> dict[Form, dict[str, str]]:
    """The files of each form: what every bot has, and what those that quote or trade several markets have."""
    modules = ("main", "strategy", "parameters", "trading", "risk", "orders", "data")
    names = (*(f"{module}{ending}" for module in modules), "bot-config.yaml", "README.md", *more)
    one = {name: f"{name}.j2" for name in (*names, tests)}
    further = {
        "quotes": (f"trader{ending}", f"quotes{ending}", of_quotes),
        "several": (f"trader{ending}", f"portfolio{ending}", of_portfolio),
    }
    quotes, several = ({**one, **{name: f"{name}.j2" for name in further[form]}} for form in further)
    return {"one": one, "quotes": quotes, "several": {**several, tests: f"{of_markets}.j2"}}


LAYOUTS: dict[Language, Layout] = {
    "python": Layout(
        folder="python",
        title="Python",
        forms=_forms(
            ".py",
            "requirements.txt",
            "tests/conftest.py",
            tests="tests/test_strategy.py",
            of_quotes="tests/test_quotes.py",
            of_markets="tests/test_markets.py",
            of_portfolio="tests/test_portfolio.py",
        ),
    ),
    # Laid out by hand, so that no formatter runs: a test holds it against prettier.
    "nodejs": Layout(
        folder="nodejs",
        title="Node.js",
        forms=_forms(
            ".js",
            "money.js",
            "trader.js",
            "package.json",
            tests="tests/strategy.test.js",
            of_quotes="tests/quotes.test.js",
            of_markets="tests/markets.test.js",
            of_portfolio="tests/portfolio.test.js",
        ),
    ),
}


def python_literal(value: Any) -> str:
    """The value as Python source that evaluates to it, and to nothing else."""
    if isinstance(value, Decimal):
        return f'Decimal("{value.normalize():f}")'
    if value is None or isinstance(value, (str, bool, int, float, tuple)):
        return repr(value)
    raise TypeError(f"no Python literal for {type(value).__name__}")


def javascript_literal(value: Any) -> str:
    """The value as JavaScript source that evaluates to it, and to nothing else; decimals by `Decimal`."""
    if isinstance(value, Decimal):
        return f'new Decimal("{value.normalize():f}")'
    if isinstance(value, float):
        return f"{Decimal(repr(value)).normalize():f}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(javascript_literal, value))}]"
    if value is None or isinstance(value, (str, bool, int)):
        return json.dumps(value)
    raise TypeError(f"no JavaScript literal for {type(value).__name__}")


def camel(name: str) -> str:
    """`stopLossPct` of `stop_loss_pct`, as the Node.js bots do it."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


__all__ = ["LAYOUTS", "Layout", "SAMPLE_FILE", "SCHEMA_FILE", "camel", "javascript_literal", "python_literal"]
