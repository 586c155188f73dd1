"""Checks bot-schema.json as the platform does before it takes it: a JSON Schema of draft-07 that compiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from shared.deployment.bot import Problem
from shared.deployment.strict_schema import strict_problems

_DRAFT = "http://json-schema.org/draft-07/schema"
_MOST = 20


def read_schema(file: str, data: bytes) -> tuple[dict[str, Any], list[Problem]]:
    """The schema and what is wrong with it."""
    try:
        schema = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return {}, [Problem(file=file, field="", message=f"is not JSON: {_first_line(error)}")]
    if not isinstance(schema, dict):
        return {}, [Problem(file=file, field="", message="must hold a JSON object")]
    return schema, list(_problems(file, schema))


def _problems(file: str, schema: dict[str, Any]) -> Iterator[Problem]:
    import jsonschema

    named = schema.get("$schema", _DRAFT)
    if str(named).rstrip("#") != _DRAFT:
        yield Problem(file=file, field="$schema", message=f"must be {_DRAFT}#")
        return
    meta = jsonschema.Draft7Validator(
        jsonschema.Draft7Validator.META_SCHEMA, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )
    try:
        found = [(error.absolute_path, said(error)) for error in islice(meta.iter_errors(schema), _MOST)]
        for path, reference in _references(schema, ()):
            if not _resolves(schema, reference):
                found.append((path, "names nothing in this file"))
        # What is no schema, or leads nowhere, is not compiled.
        for path, message in found or islice(strict_problems(schema), _MOST):
            yield Problem(file=file, field=dotted(path), message=message)
    except RecursionError:
        yield Problem(file=file, field="", message="is nested too deeply")


def dotted(path: Any) -> str:
    """The place in a document: `properties.symbol.type`."""
    return ".".join(str(part) for part in path)


def said(error: Any) -> str:
    """A validator's message, bounded: it may quote the value."""
    message = str(error.message)
    return message if len(message) <= 200 else f"{message[:150]} … {message[-40:]}"


def _references(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        # A property may be called so.
        if "$ref" in value and not (path and path[-1] == "properties"):
            yield (*path, "$ref"), value["$ref"]
        for name, item in value.items():
            # What these hold is data.
            if name not in ("default", "examples", "enum", "const"):
                yield from _references(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))


def _resolves(schema: Any, reference: Any) -> bool:
    """Whether a reference is to a place in the same file: the platform fetches nothing."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return False
    found = schema
    for part in reference[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return False
    return True


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:150]
