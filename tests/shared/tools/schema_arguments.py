"""Hypothesis strategies for a tool's arguments: valid by its JSON Schema, and valid but for one thing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

# What gets a call past its first check: files of the test's session, markets, pages, words of the domain.
WORDS = (
    "main.py",
    "prices.csv",
    "chart.png",
    "empty.txt",
    "../main.py",
    "BTC/USDT",
    "ETH/USDT:USDT",
    "1h",
    "kraken",
    "python",
    "javascript",
    "scheduled",
    "deployment",
    "cli.md",
    "https://github.com/a/b",
    "http://169.254.169.254/latest",
    "https://docs.the0.dev:444/x",
    "import os\n",
    "def run(config):\n    return eval(config)\n",
    "time,open,high,low,close,volume\n1,2,3,1,2,9\n",
    "rsi crossover strategy",
    "0 * * * *",
)

_text = st.text(st.characters(exclude_categories=()), max_size=40)
_scalar = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | _text
    | st.sampled_from(WORDS)
)
any_json = st.recursive(
    _scalar,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=8,
)


def valid(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema allows; knows the keywords that pydantic writes."""
    return _of(schema, schema.get("$defs", {}))


@st.composite
def mutated(draw: st.DrawFn, schema: dict[str, Any]) -> dict[str, Any]:
    """Arguments that were valid before one change: a member dropped, added, or replaced by any JSON value."""
    arguments: dict[str, Any] = copy.deepcopy(draw(valid(schema)))
    known = list(schema.get("properties", {}))
    match draw(st.sampled_from(("drop", "add", "replace", "inside"))):
        case "drop" if arguments:
            del arguments[draw(st.sampled_from(sorted(arguments)))]
        case "add":
            arguments[draw(_text)] = draw(any_json)
        case "inside" if containers := [value for value in arguments.values() if value and _holds(value)]:
            _spoil(draw, draw(st.sampled_from(containers)))
        case _ if known:
            arguments[draw(st.sampled_from(known))] = draw(any_json)
    return arguments


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _spoil(draw: st.DrawFn, container: Any) -> None:
    """Replaces one member, at any depth, by any JSON value."""
    key = draw(st.sampled_from(sorted(container) if isinstance(container, dict) else range(len(container))))
    if container[key] and _holds(container[key]) and draw(st.booleans()):
        _spoil(draw, container[key])
    else:
        container[key] = draw(any_json)


def _of(schema: dict[str, Any], named: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _of(named[schema["$ref"].rpartition("/")[2]], named)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([_of(each, named) for each in schema[several]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    make = _TYPES.get(schema.get("type", ""))
    return any_json if make is None else make(schema, named)


def _object(schema: dict[str, Any], named: dict[str, Any]) -> st.SearchStrategy[Any]:
    properties = {name: _of(each, named) for name, each in schema.get("properties", {}).items()}
    if not properties:
        return st.dictionaries(
            st.sampled_from(("symbol", "timeframe", "amount")) | _text, any_json, max_size=4
        )
    required = {name: properties.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=properties)


def _array(schema: dict[str, Any], named: dict[str, Any]) -> st.SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", 4), least + 4)
    return st.lists(_of(schema.get("items", {}), named), min_size=least, max_size=most)


def _string(schema: dict[str, Any], named: dict[str, Any]) -> st.SearchStrategy[Any]:
    least: int = schema.get("minLength", 0)
    most: int = schema.get("maxLength", 10_000)

    def fits(text: str) -> bool:
        return least <= len(text) <= most

    if "pattern" in schema:
        return st.from_regex(schema["pattern"]).filter(fits)
    words = [word for word in WORDS if fits(word)]
    free = st.text(min_size=least, max_size=min(most, least + 40))
    return free | st.sampled_from(words) if words else free


def _number(schema: dict[str, Any], whole: bool) -> st.SearchStrategy[Any]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if whole:
        whole_numbers = st.integers(low, high)
        # What a column or a C library does not hold.
        return whole_numbers if high is not None else whole_numbers | st.just(2**63)
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


_TYPES: dict[str, Callable[[dict[str, Any], dict[str, Any]], st.SearchStrategy[Any]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": lambda schema, _: _number(schema, True),
    "number": lambda schema, _: _number(schema, False),
    "boolean": lambda *_: st.booleans(),
    "null": lambda *_: st.none(),
}
