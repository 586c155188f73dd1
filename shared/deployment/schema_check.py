"""Checks a configuration against a bot's own schema, which a user wrote: bounded, and no value is quoted.

A schema may be made to take for ever: by patterns that backtrack, and by references that multiply. Such
patterns are left to the platform, and references are followed so many times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_MOST_REFERENCES = 2_000
_MOST_PROBLEMS = 20
_MOST_REPEATS, _MOST_GROUPS = 2, 2
_DATA = ("default", "examples", "enum", "const")
_GROUP_REPEAT = re.compile(r"\)[*+?{]")
_REPEAT = re.compile(r"(?<!\\)[*+]|(?<![\\*+?}(])\?|(?<!\\)\{\d*,\d*\}")
_TYPES = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text",
          "array": "a list", "object": "an object", "null": "null"}  # fmt: skip
_BOUNDS = {"minimum": "at least {}", "maximum": "at most {}", "exclusiveMinimum": "more than {}",
           "exclusiveMaximum": "less than {}", "minLength": "at least {} characters",
           "maxLength": "at most {} characters", "minItems": "at least {} entries",
           "maxItems": "at most {} entries", "multipleOf": "a multiple of {}",
           "format": "a value of the format {}", "pattern": "what the pattern {} says"}  # fmt: skip


class _TooManyError(Exception):
    """The schema leads to more work than a configuration is worth."""


def schema_problems(config: dict[str, Any], schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Each field, dotted, with what it takes; empty when the configuration satisfies the schema."""
    import jsonschema
    import referencing

    followed = 0

    def reference(validator: Any, ref: Any, instance: Any, part: Any) -> Any:
        nonlocal followed
        followed += 1
        if followed > _MOST_REFERENCES:
            raise _TooManyError
        yield from jsonschema.Draft7Validator.VALIDATORS["$ref"](validator, ref, instance, part)

    # mypy: the package brings its types, this function has none.
    bounded = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
        jsonschema.Draft7Validator, {"$ref": reference}
    )
    # An empty registry: nothing is fetched.
    validator = bounded(
        _without_costly_patterns(schema),
        registry=referencing.Registry(),
        format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
    )
    problems: dict[tuple[str, str], None] = {}
    try:
        for error in validator.iter_errors(config):
            problems.update(dict.fromkeys(_told(error)))
            if len(problems) >= _MOST_PROBLEMS:
                break
    except (_TooManyError, RecursionError):
        return [("", "the bot's schema leads to more checks than are made: make it simpler")]
    except (referencing.exceptions.Unresolvable, jsonschema.exceptions.UnknownType):
        return [("", "the bot's schema cannot be followed: it names what is not there")]
    return list(problems)


def with_defaults(config: dict[str, Any], schema: Any) -> dict[str, Any]:
    """The configuration with the schema's defaults for what it leaves out, also inside its objects."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return config
    filled = dict(config)
    for name, rules in properties.items():
        if not isinstance(rules, dict):
            continue
        if name not in filled and "default" in rules:
            filled[name] = rules["default"]
        elif isinstance(filled.get(name), dict):
            filled[name] = with_defaults(filled[name], rules)
    return filled


def _told(error: Any) -> Iterator[tuple[str, str]]:
    place = ".".join(str(part) for part in error.absolute_path)
    rule, wanted = str(error.validator), error.validator_value
    if rule == "required":
        for name in wanted:
            if name not in error.instance:
                yield ".".join(filter(None, (place, str(name)))), "is missing"
    elif rule == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        yield place, f"takes {' or '.join(_TYPES.get(str(kind), 'another kind of value') for kind in kinds)}"
    elif rule in ("enum", "const"):
        choices = wanted if rule == "enum" else [wanted]
        yield place, f"takes one of {_short(', '.join(map(str, choices[:20])))}"
    elif rule in _BOUNDS:
        yield place, f"takes {_BOUNDS[rule].format(_short(str(wanted)))}"
    elif rule == "additionalProperties":
        known = error.schema.get("properties", {})
        for name in [str(name) for name in error.instance if name not in known][:_MOST_PROBLEMS]:
            yield ".".join(filter(None, (place, name[:60]))), "is no field of the bot"
    else:
        yield place, f"does not satisfy {rule} of the bot's schema"


def _without_costly_patterns(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_costly_patterns(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, item in value.items():
        if name == "pattern" and isinstance(item, str) and not _is_cheap(item):
            continue
        if name == "patternProperties" and isinstance(item, dict) and not all(map(_is_cheap, item)):
            continue
        kept[name] = item if name in _DATA else _without_costly_patterns(item)
    dropped = "patternProperties" in value and "patternProperties" not in kept
    if dropped and "additionalProperties" in kept:
        # Which fields are additional is then not known.
        del kept["additionalProperties"]
    return kept


def _is_cheap(pattern: str) -> bool:
    """Whether Python can match the pattern in a time that the length of the text bounds."""
    if len(pattern) > 500 or pattern.count("(") > _MOST_GROUPS or _GROUP_REPEAT.search(pattern):
        return False
    if len(_REPEAT.findall(pattern)) > _MOST_REPEATS:
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
