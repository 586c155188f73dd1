"""Blocks and arguments against the provider's schema: names, what is required, types of planned values."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from infra.checks.hcl.modules import ModuleFiles
from infra.checks.hcl.planning import Plan
from infra.checks.hcl.sections import META
from infra.checks.hcl.syntax import Block, ListOf, Name
from infra.checks.hcl.values import Unknown, Value, text_of
from infra.checks.problem import Problem

_OWN_TYPES = {"terraform_data"}


def check_names(modules: Iterable[ModuleFiles], schema: dict[str, Any]) -> Iterator[Problem]:
    """What our files name that the provider does not have, and what it requires that they lack."""
    for module in modules:
        for (mode, kind, _), block in module.resources.items():
            if kind in _OWN_TYPES:
                continue
            table = schema[mode].get(kind)
            if table is None:
                yield Problem(
                    block.where,
                    f"{mode} {kind} is not in provider_schema.json: the provider has none of this name, "
                    "or the table is to be made again (python -m infra.checks.tables)",
                )
            else:
                yield from _block(block, table, kind, top=True)


def _block(block: Block, table: dict[str, Any], path: str, *, top: bool = False) -> Iterator[Problem]:
    for name in block.attributes:
        if not (top and name in META):
            yield from _argument(name, table, path, block.places[name])
    written: list[str] = []
    for inner in block.blocks:
        if inner.kind == "lifecycle":
            yield from _lifecycle(inner, table, path)
            continue
        name = inner.labels[0] if inner.kind == "dynamic" and inner.labels else inner.kind
        bodies = inner.of_kind("content") if inner.kind == "dynamic" else [inner]
        nested = table.get(name)
        if not isinstance(nested, dict) or nested[""] == "computed":
            yield Problem(inner.where, f"{path} has no block {name}{_alike(name, _blocks(table))}")
            continue
        if name in written and nested[""].startswith("block") and not nested[""].startswith("blocks"):
            yield Problem(inner.where, f"{path} takes one block {name}")
        written.append(name)
        if inner.kind == "dynamic":
            yield from _dynamic(inner, path)
        for body in bodies:
            yield from _block(body, nested, f"{path}.{name}")
    yield from _missing(block, table, path, written)


def _argument(name: str, table: dict[str, Any], path: str, where: str) -> Iterator[Problem]:
    known = table.get(name)
    if known is None or name == "":
        yield Problem(where, f"{path} has no argument {name}{_alike(name, table)}")
    elif known == "computed":
        yield Problem(where, f"{path}.{name} is the provider's to set")
    elif isinstance(known, dict):
        yield Problem(where, f"{path}.{name} is a block: it is written without =")


def _dynamic(block: Block, path: str) -> Iterator[Problem]:
    if "for_each" not in block.attributes or len(block.of_kind("content")) != 1:
        yield Problem(block.where, f"{path}: dynamic takes for_each and one block content")
    for name in set(block.attributes) - {"for_each", "iterator", "labels"}:
        yield Problem(block.places[name], f"{path}: dynamic has no argument {name}")


def _lifecycle(block: Block, table: dict[str, Any], path: str) -> Iterator[Problem]:
    ignored = block.attributes.get("ignore_changes")
    for item in ignored.items if isinstance(ignored, ListOf) else ():
        if isinstance(item, Name) and item.name not in table:
            yield Problem(block.places["ignore_changes"], f"{path} has no argument {item.name} to ignore")
    known = {"ignore_changes", "prevent_destroy", "create_before_destroy", "replace_triggered_by"}
    for name in set(block.attributes) - known:
        yield Problem(block.places[name], f"lifecycle has no argument {name}")


def _missing(block: Block, table: dict[str, Any], path: str, written: list[str]) -> Iterator[Problem]:
    for name, known in table.items():
        if name and isinstance(known, str) and known.endswith("!") and name not in block.attributes:
            yield Problem(block.where, f"{path} lacks the argument {name}")
        if isinstance(known, dict) and known[""].endswith("!") and name not in written:
            yield Problem(block.where, f"{path} lacks the block {name}")


def _blocks(table: dict[str, Any]) -> list[str]:
    return [name for name, known in table.items() if isinstance(known, dict)]


def _alike(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, [each for each in names if each], n=1)
    return f", but {close[0]}" if close else ""


def check_types(plan: Plan, schema: dict[str, Any]) -> Iterator[Problem]:
    """Planned values that are not of their arguments' types."""
    for instance in plan.instances:
        mode, kind = (
            ("data", instance.type[5:]) if instance.type.startswith("data.") else ("resource", instance.type)
        )
        table = schema[mode].get(kind)
        if table is not None:
            for path, message in _mistyped(instance.values, table, instance.address):
                yield Problem(instance.where, f"{path} {message}")


def _mistyped(values: dict[str, Value], table: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        known = table.get(name)
        if isinstance(known, dict) and isinstance(value, list):
            for number, inner in enumerate(value):
                yield from _mistyped(inner, known, f"{path}.{name}[{number}]")
        elif isinstance(known, str) and not _fits(value, known.rstrip("!")):
            yield f"{path}.{name}", f"takes a {known.rstrip('!')}, and is {text_of(value)[:80]!r}"


def _fits(value: Value, kind: str) -> bool:
    if isinstance(value, Unknown) or kind in {"any", "computed"} or value is None:
        return True
    if kind.startswith("list("):
        return isinstance(value, list) and all(_fits(item, kind[5:-1]) for item in value)
    if kind.startswith("map("):
        return isinstance(value, dict) and all(_fits(item, kind[4:-1]) for item in value.values())
    if kind == "number":
        return not isinstance(value, bool) and text_of(value).replace(".", "", 1).removeprefix("-").isdigit()
    if kind == "bool":
        return text_of(value) in {"true", "false"}
    return not isinstance(value, list | dict)
