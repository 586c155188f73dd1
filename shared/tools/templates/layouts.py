"""The files of a bot in each language, and how a value is written in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.tools.templates.catalog import Language

# Rendered beside the templates, alike in every language.
SCHEMA_FILE = "bot-schema.json"
SAMPLE_FILE = "sample.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One language: the folder of its templates, and the files that are made of them (`<file>.j2`)."""

    folder: str
    title: str
    templates: tuple[str, ...]

    @property
    def files(self) -> frozenset[str]:
        """Every file of a bot in this language."""
        return frozenset((*self.templates, SCHEMA_FILE, SAMPLE_FILE))


_ALIKE = ("bot-config.yaml", "README.md")
_MODULES = ("main", "strategy", "parameters", "trading", "risk", "orders", "data")

LAYOUTS: dict[Language, Layout] = {
    "python": Layout(
        folder="python",
        title="Python",
        templates=(
            *(f"{module}.py" for module in _MODULES),
            *_ALIKE,
            "requirements.txt",
            "tests/conftest.py",
            "tests/test_strategy.py",
        ),
    ),
    # Laid out by hand, so that no formatter runs: a test holds it against prettier.
    "nodejs": Layout(
        folder="nodejs",
        title="Node.js",
        templates=(
            *(f"{module}.js" for module in (*_MODULES, "money")),
            *_ALIKE,
            "package.json",
            "tests/strategy.test.js",
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
