"""The functions of Terraform's language that our files use, over known values."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from infra.checks.hcl.values import Unknown, Value, has_unknown, joined, text_of


class CallError(Exception):
    """A function refuses its arguments; `can` and `try` see it."""


def _merge(*maps: Value) -> Value:
    return {key: value for each in maps if each is not None for key, value in each.items()}


def _set(values: Value) -> Value:
    items = values if isinstance(values, list) else list(values)
    return sorted({text_of(item): item for item in items}.values(), key=text_of)


def _distinct(values: list[Value]) -> list[Value]:
    return [value for number, value in enumerate(values) if value not in values[:number]]


def _flatten(values: list[Value]) -> list[Value]:
    return [item for value in values for item in (_flatten(value) if isinstance(value, list) else [value])]


def _lookup(found: Value, key: str, *default: Value) -> Value:
    if key in found:
        return found[key]
    if not default:
        raise CallError(f"lookup: there is no {key}")
    return default[0]


def _coalesce(*values: Value) -> Value:
    for value in values:
        if value not in (None, ""):
            return value
    raise CallError("coalesce: nothing is set")


def _one(values: list[Value]) -> Value:
    if len(values) > 1:
        raise CallError("one: there are several")
    return values[0] if values else None


def _regex(pattern: str, text: str) -> Value:
    found = re.search(pattern, text_of(text))
    if found is None:
        raise CallError("regex: does not match")
    return found.groupdict() or (list(found.groups()) or found[0])


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old[0] == old[-1] == "/":
        return re.sub(old[1:-1], new.replace("$", "\\"), text)
    return text.replace(old, new)


def _format(pattern: str, *values: Value) -> str:
    given = iter(values)
    parts = re.split(r"(%[-+#0 ]*\d*(?:\.\d+)?[a-zA-Z]|%%)", pattern)
    return joined([_formatted(part, given) if part.startswith("%") else part for part in parts])


def _formatted(verb: str, given: Any) -> Value:
    if verb == "%%":
        return "%"
    value = next(given)
    if isinstance(value, Unknown) or verb in {"%s", "%v"}:
        return value
    return json.dumps(value) if verb == "%q" else verb % value


def _join(separator: str, *lists: list[Value]) -> str:
    words = [word for each in lists for word in each]
    return joined([part for word in words for part in (separator, word)][1:])


def _number(value: Value) -> Value:
    try:
        return int(value) if float(value).is_integer() else float(value)
    except (TypeError, ValueError):
        raise CallError("tonumber: not a number") from None


def _range(*bounds: int) -> list[int]:
    return list(range(*bounds))


def _hash(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _encoded(value: Value) -> str:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return Unknown(text) if has_unknown(value) else text


# These take unknown parts as they are; the others are unknown where an argument is.
_STRUCTURAL: dict[str, Callable[..., Value]] = {
    "merge": _merge,
    "concat": lambda *lists: [item for each in lists for item in each],
    "keys": sorted,
    "values": lambda value: [value[key] for key in sorted(value)],
    "lookup": _lookup,
    "coalesce": _coalesce,
    "compact": lambda values: [value for value in values if value not in (None, "")],
    "toset": _set,
    "tolist": list,
    "tomap": dict,
    "flatten": _flatten,
    "distinct": _distinct,
    "zipmap": lambda keys, values: dict(zip(keys, values, strict=True)),
    "setproduct": lambda *sets: [list(each) for each in itertools.product(*sets)],
    "setunion": lambda *sets: _set([item for each in sets for item in each]),
    "setsubtract": lambda first, second: [item for item in first if item not in second],
    "setintersection": lambda first, *others: [
        item for item in first if all(item in each for each in others)
    ],
    "element": lambda values, index: values[index % len(values)],
    "slice": lambda values, start, end: values[start:end],
    "one": _one,
    "length": len,
    "contains": lambda values, value: value in values,
    "format": _format,
    "join": _join,
    "jsonencode": _encoded,
    "sensitive": lambda value: value,
    "nonsensitive": lambda value: value,
}
_KNOWN: dict[str, Callable[..., Value]] = {
    "abs": abs,
    "alltrue": all,
    "anytrue": any,
    "base64encode": lambda text: base64.b64encode(text.encode()).decode(),
    "cidrhost": lambda network, number: str(ipaddress.ip_network(network)[number]),
    "ceil": lambda value: -int(-value // 1),
    "endswith": lambda text, end: text.endswith(end),
    "floor": lambda value: int(value // 1),
    "indent": lambda spaces, text: text.replace("\n", "\n" + " " * spaces),
    "jsondecode": json.loads,
    "lower": str.lower,
    "max": max,
    "md5": _hash("md5"),
    "min": min,
    "parseint": int,
    "range": _range,
    "regex": _regex,
    "regexall": lambda pattern, text: [found[0] for found in re.finditer(pattern, text)],
    "replace": _replace,
    "reverse": lambda values: values[::-1],
    "sha1": _hash("sha1"),
    "sha256": _hash("sha256"),
    "sort": sorted,
    "split": lambda separator, text: text.split(separator),
    "startswith": lambda text, start: text.startswith(start),
    "strcontains": lambda text, part: part in text,
    "substr": lambda text, start, size: text[start : start + size if size >= 0 else None],
    "sum": sum,
    "title": str.title,
    "tobool": lambda value: {"true": True, "false": False}.get(text_of(value)),
    "tonumber": _number,
    "tostring": lambda value: None if value is None else text_of(value),
    "trim": lambda text, characters: text.strip(characters),
    "trimprefix": lambda text, start: text.removeprefix(start),
    "trimspace": str.strip,
    "trimsuffix": lambda text, end: text.removesuffix(end),
    "upper": str.upper,
}
NAMES = frozenset(
    {*_STRUCTURAL, *_KNOWN, "try", "can", "file", "fileexists", "fileset", "filesha256", "filemd5"}
)


def call(name: str, arguments: list[Value]) -> Value:
    """What a function answers.

    Raises:
        CallError: it is not known, or refuses.
    """
    function = _STRUCTURAL.get(name) or _KNOWN.get(name)
    if function is None:
        raise CallError(f"the checks do not know the function {name}")
    vague = name in _KNOWN or any(isinstance(argument, Unknown) for argument in arguments)
    if vague and name not in {"format", "join", "coalesce", "contains"} and has_unknown(arguments):
        shown = ", ".join(text_of(argument) for argument in arguments)
        return Unknown(f"${{{name}({shown})}}")
    try:
        return function(*arguments)
    except CallError:
        raise
    except Exception as error:
        raise CallError(f"{name}: {type(error).__name__}: {error}") from error
