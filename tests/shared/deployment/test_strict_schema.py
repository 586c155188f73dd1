"""Which parameter schemas the platform's compiler takes; the verdicts are Ajv 8.20's, with its options."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.deployment.parameter_schema import read_schema
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.render import Bot, render_bot

TAKEN: tuple[dict[str, Any], ...] = (
    {"type": "object"},
    {"type": "object", "zork": 1},
    {"type": "object", "properties": {"a": {"type": ["number", "null"], "minimum": 1}}},
    {"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}}, "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": "string", "format": "date"}}, "required": ["a"]},
    {"type": "object", "properties": {"a": {"enum": [1, "x"]}, "b": {}}},
    {"type": "object", "anyOf": [{"properties": {"b": {"type": "string"}}, "required": ["b"]}]},
    {"type": "object", "definitions": {"unused": {"minimum": 1}}},
    {
        "type": "object",
        "properties": {"a": {"type": "array", "items": [{"type": "string"}], "minItems": 1, "maxItems": 1}},
    },
)
REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"properties": {"a": {"type": "string"}}}, "properties"),
    ({"type": "object", "properties": {"a": {"type": ["number", "string"]}}}, "properties.a.type"),
    ({"type": "object", "required": ["z"], "properties": {"a": {}}}, "required"),
    ({"type": "object", "properties": {"a": {"minimum": 1}}}, "properties.a.minimum"),
    ({"type": "object", "properties": {"a": {"type": "string", "minimum": 1}}}, "properties.a.minimum"),
    ({"type": "object", "allOf": [{"required": ["a"]}], "properties": {"a": {}}}, "allOf.0.required"),
    (
        {"type": "object", "properties": {"a": {"type": "array", "items": [{"type": "string"}]}}},
        "properties.a.items",
    ),
    (
        {
            "type": "object",
            "definitions": {"low": {"minimum": 1}},
            "properties": {"a": {"$ref": "#/definitions/low"}},
        },
        "properties.a.$ref.minimum",
    ),
    ({"type": "object", "anyOf": [{"type": "string"}]}, "anyOf.0.type"),
)


@pytest.mark.parametrize("schema", TAKEN, ids=json.dumps)
def test_what_the_platform_compiles(schema: dict[str, Any]) -> None:
    assert read_schema("s.json", json.dumps(schema).encode())[1] == []


@pytest.mark.parametrize(("schema", "field"), REFUSED, ids=lambda value: json.dumps(value)[:60])
def test_what_it_does_not_compile_is_told_by_its_place(schema: dict[str, Any], field: str) -> None:
    problems = read_schema("s.json", json.dumps(schema).encode())[1]
    assert [problem.field for problem in problems] == [field]


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_templates_compile(name: str) -> None:
    strategy = STRATEGIES[name]
    bot = Bot(name="a-bot", strategy=strategy, parameters=strategy.model(), bot_type="scheduled")
    assert read_schema("s.json", render_bot(bot)["bot-schema.json"])[1] == []
