"""What is no bot is told whole, with file and field; what is one has the platform's form."""

from __future__ import annotations

import json
from itertools import pairwise

import jsonschema
import pytest

from shared.deployment.validate import read_bot
from shared.errors import BotInvalidError
from tests.servers.platform import CONFIG_RULES
from tests.shared.deployment.bots import CONFIG, SCHEMA, template_bot, tiny_bot, with_config


def problems(files: dict[str, bytes], name: str | None = None) -> list[tuple[str, str]]:
    with pytest.raises(BotInvalidError) as caught:
        read_bot(files, name=name)
    told = caught.value.details["problems"]
    for problem in told:
        assert problem["message"]
        assert problem["file"] in caught.value.message
    return [(problem["file"], problem["field"]) for problem in told]


@pytest.mark.parametrize("files", [tiny_bot(), template_bot()])
def test_a_bot_has_the_form_that_the_platforms_own_schema_takes(files: dict[str, bytes]) -> None:
    bot = read_bot(files)
    jsonschema.validate(bot.config, CONFIG_RULES)
    assert bot.config["schema"]["bot"] == json.loads(files["bot-schema.json"])
    assert bot.config["readme"] == files["README.md"].decode()
    assert bot.files == files


def test_a_name_of_the_callers_takes_the_place_of_the_bots() -> None:
    assert read_bot(tiny_bot(), name="other-bot").config["name"] == "other-bot"
    assert problems(tiny_bot(), name="Other Bot!") == [("name", "")]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("name: tiny-bot", "name: Tiny_Bot", "name"),
        ("name: tiny-bot", "name: ab", "name"),
        ("name: tiny-bot\n", "", "name"),
        ("version: 1.2.3", "version: 1.2", "version"),
        ("version: 1.2.3", "version: v1.2.3", "version"),
        ("version: 1.2.3", "version: 01.2.3", "version"),
        ("version: 1.2.3", "version: 1.2.99999999999999999999", "version"),
        ("description: Says hello", "description: " + "x" * 501, "description"),
        ("author: alice", "author: [alice]", "author"),
        ("type: realtime", "type: sometimes", "type"),
        ("runtime: python3.11", "runtime: python2", "runtime"),
        ("runtime: python3.11\n", "", "runtime"),
        ("  bot: main.py", "  bot: strategy.py", "entrypoints.bot"),
        ("  bot: main.py", "  main: main.py", "entrypoints.bot"),
        ("  bot: bot-schema.json", "  bot: schema.json", "schema.bot"),
        ("readme: README.md", "readme: READ.md", "readme"),
        ("readme: README.md\n", "", "readme"),
        ("readme: README.md", "readme: README.md\nschedule: '* * * * *'", ""),
        ("tags: [hello, tiny]", "tags: [1]", "metadata.tags.0"),
        ("tags: [hello, tiny]", "date: 2026-01-01", ""),
        ("tags: [hello, tiny]", "ratio: .nan", ""),
    ],
)
def test_each_field_of_the_configuration_is_checked(old: str, new: str, field: str) -> None:
    assert ("bot-config.yaml", field) in problems(with_config(old, new))


def _endless() -> bytes:
    """A small file whose aliases make a value of 9^13 parts."""
    lines = ["a: &a [x]"]
    for before, name in pairwise("abcdefghijklmn"):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "is missing"),
        (b"name: [", "is not YAML"),
        (b"- a list", "a mapping"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"1: one", "JSON"),
        (b"x: " + b"y" * 70_000, "bytes"),
        (_endless(), "JSON"),
    ],
)
def test_a_configuration_that_is_none(data: bytes | None, words: str) -> None:
    with pytest.raises(BotInvalidError, match=words):
        read_bot(tiny_bot(**{"bot-config__yaml": data}))


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (b"{", ""),
        (b"[]", ""),
        (b'{"type": NaN}', ""),
        (b'{"type": "text"}', "type"),
        (b'{"properties": {"a": {"minimum": "1"}}}', "properties.a.minimum"),
        (b'{"properties": {"a": {"pattern": "("}}}', "properties.a.pattern"),
        (b'{"required": "a"}', "required"),
        (b'{"$schema": "https://json-schema.org/draft/2020-12/schema"}', "$schema"),
        (b'{"properties": {"a": {"$ref": "#/definitions/none"}}}', "properties.a.$ref"),
        (b'{"properties": {"a": {"$ref": "https://example.com/a.json"}}}', "properties.a.$ref"),
        (b'{"a":' * 100_000, ""),
    ],
)
def test_a_parameter_schema_is_one_of_draft_07(schema: bytes, field: str) -> None:
    assert problems(tiny_bot(**{"bot-schema__json": schema})) == [("bot-schema.json", field)]


def test_a_reference_inside_the_file_and_a_property_of_that_name_are_fine() -> None:
    schema = {
        "type": "object",
        "definitions": {"a/b": {"type": "string"}},
        "properties": {"x": {"$ref": "#/definitions/a~1b"}, "$ref": {"type": "string"}},
    }
    read_bot(tiny_bot(**{"bot-schema__json": json.dumps(schema).encode()}))


@pytest.mark.parametrize("readme", [b"short", b"x" * 10_001, b"\xff" * 60])
def test_a_readme_is_text_of_the_length_that_the_platform_takes(readme: bytes) -> None:
    assert problems(tiny_bot(README__md=readme)) == [("README.md", "")]


def test_an_entry_point_that_is_empty_starts_nothing() -> None:
    assert problems(tiny_bot(main__py=b" \n")) == [("main.py", "")]


def test_all_that_is_wrong_is_told_at_once() -> None:
    files = {"bot-config.yaml": CONFIG.replace("1.2.3", "one").encode(), "bot-schema.json": SCHEMA[:-1]}
    assert set(problems(files)) == {
        ("bot-config.yaml", "version"),
        ("bot-config.yaml", "entrypoints.bot"),
        ("bot-config.yaml", "readme"),
        ("bot-schema.json", ""),
    }
