"""Facts that stand on a page and in code: each is read from both, and must be the same.

The platform's side is bot-config.schema.json, the agent's the templates that write bots.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

from shared.tools.documentation.markdown import Page, Section

Pages = Mapping[str, Page]

_CODE = re.compile(r"`([^`]+)`")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_NAMES = ("ab", "abc", "a-1", "a" * 50, "a" * 51, "Abc", "a_b", "a b", "a.b", "äbc", "")
_JSON_TYPES = {"string", "integer", "number", "boolean", "array", "object"}


def wrong_facts(pages: Iterable[Page]) -> list[str]:
    """Where pages, platform and templates disagree, and each fact that is no longer found at its place."""
    by_path = {page.path: page for page in pages}
    problems: list[str] = []
    for check in _CHECKS:
        try:
            problems += check(by_path)
        except LookupError as error:
            problems.append(f"{check.__name__.strip('_').replace('_', ' ')}: {error.args[0]}")
    return problems


@cache
def platform_schema() -> dict[str, Any]:
    """The JSON Schema of bot-config.yaml, as the platform checks it."""
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("bot-config.schema.json").read_text("utf-8"))
    return schema


def table(pages: Pages, path: str, heading: str) -> list[dict[str, str]]:
    """The rows of the first table under a heading, by the column's name; raises LookupError without one."""
    lines = [line for line in _section(pages, path, heading).text.splitlines() if line.startswith("|")]
    if len(lines) < 3:
        raise LookupError(f"{path}#{heading} has no table")
    names, _, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _section(pages: Pages, path: str, heading: str) -> Section:
    section = pages[path].find(heading) if path in pages else None
    if section is None:
        raise LookupError(f"{path} has no heading {heading}")
    return section


def _codes(rows: Iterable[Mapping[str, str]], column: str) -> list[str]:
    """The words in code marks of a column."""
    found = [code for row in rows for code in _CODE.findall(row.get(column, ""))]
    if not found:
        raise LookupError(f"a table names nothing in its column {column}")
    return found


def _blocks(pages: Pages, path: str, language: str) -> Iterator[str]:
    for name, text in _BLOCK.findall(pages[path].body):
        if name == language:
            yield text


def _differ(what: str, one: Iterable[str], other: Iterable[str]) -> list[str]:
    """What is only in one of two places that must hold the same."""
    odd = sorted(set(one) ^ set(other))
    return [f"{what} differ in {', '.join(odd)}"] if odd else []


def _beyond(what: str, small: Iterable[str], large: Iterable[str]) -> list[str]:
    """What a part names that the whole does not have."""
    odd = sorted(set(small) - set(large))
    return [f"{what}: {', '.join(odd)}"] if odd else []


def _required_row(pages: Pages, field: str) -> str:
    rows = table(pages, "bot-config.md", "Required fields")
    row = next((row for row in rows if row["field"] == f"`{field}`"), None)
    if row is None:
        raise LookupError(f"bot-config.md does not say what {field} takes")
    return row["takes"]


def _runtimes(pages: Pages) -> list[str]:
    taken = platform_schema()["properties"]["runtime"]["enum"]
    config = _codes(table(pages, "bot-config.md", "Runtimes and entry points"), "`runtime`")
    overview = _codes(table(pages, "overview.md", "Supported languages"), "`runtime`")
    return _differ("runtimes of bot-config.md and the platform", config, taken) + _differ(
        "runtimes of overview.md and the platform", overview, taken
    )


def _bot_types(pages: Pages) -> list[str]:
    from shared.tools.templates.catalog import BotType

    taken = platform_schema()["properties"]["type"]["enum"]
    told = _CODE.findall(_required_row(pages, "type"))
    return _beyond("bot types on bot-config.md that the platform does not take", told, taken) + _differ(
        "bot types of bot-config.md and the templates", told, get_args(BotType)
    )


def _fields(pages: Pages) -> list[str]:
    required = _codes(table(pages, "bot-config.md", "Required fields"), "field")
    optional = _codes(table(pages, "bot-config.md", "Optional fields"), "field")
    known, needed = _schema_fields()
    told = [field.partition(":")[0] for field in (*required, *optional)]
    return _beyond("required fields that bot-config.md does not call so", needed, required) + _beyond(
        "fields on bot-config.md that the platform does not take", told, known
    )


def _schema_fields() -> tuple[set[str], set[str]]:
    """The dotted names of all fields, and of those that must be there."""
    schema = platform_schema()
    known: set[str] = set()
    needed: set[str] = set()
    for name, field in schema["properties"].items():
        inner = field.get("properties", {})
        known |= {f"{name}.{part}" for part in inner} or {name}
        if name in schema["required"]:
            needed |= {f"{name}.{part}" for part in field.get("required", ())} or {name}
    return known, needed


def _names(pages: Pages) -> list[str]:
    from shared.tools.templates.render import NAME_PATTERN

    rule = platform_schema()["properties"]["name"]
    told = re.search(r"(\d+) to (\d+) characters", _required_row(pages, "name"))
    if told is None:
        raise LookupError("bot-config.md does not say how long a name may be")
    problems = [
        f"the templates and the platform disagree on the name {name!r}"
        for name in _NAMES
        if bool(NAME_PATTERN.fullmatch(name)) != _fits(name, rule)
    ]
    if [int(length) for length in told.groups()] != [rule["minLength"], rule["maxLength"]]:
        problems.append(f"bot-config.md gives names {told[0]}, the platform others")
    return problems


def _versions(pages: Pages) -> list[str]:
    from shared.tools.templates.render import FIRST_VERSION

    rule = platform_schema()["properties"]["version"]
    told = _CODE.findall(_required_row(pages, "version"))
    form = [re.sub("[a-z]", "1", code) for code in told]
    return [f"the platform does not take the version {text}" for text in (FIRST_VERSION, *form)
            if not _fits(text, rule)]  # fmt: skip


def _parameters(pages: Pages) -> list[str]:
    from shared.tools.templates.parameters import BotParameters

    limits = _codes(table(pages, "risk-and-live-trading.md", "Limits"), "parameter")
    switch = _CODE.findall(_section(pages, "risk-and-live-trading.md", "The live trading switch").text)
    own = {"api_key", "api_secret", "true", "false"}
    odd = _beyond("parameters on risk-and-live-trading.md that no bot has",
                  {*limits, *switch} - own, BotParameters.model_fields)  # fmt: skip
    if BotParameters.model_fields["live_trading"].default is not False:
        odd.append("the pages say that live_trading is off by default")
    return odd


def _schedules(pages: Pages) -> list[str]:
    from pydantic import ValidationError

    from shared.tools.templates.parameters import BotParameters

    problems = []
    for expression in _codes(table(pages, "bot-types.md", "Cron schedules"), "expression"):
        try:
            BotParameters.model_validate({"schedule": expression})
        except ValidationError:
            problems.append(f"the templates do not take the schedule {expression} of bot-types.md")
    return problems


def _candles(pages: Pages) -> list[str]:
    from decimal import Decimal

    from shared.tools.templates.sample import sample_csv

    header = sample_csv(minutes=60, start_price=Decimal(100)).splitlines()[0]
    text = _section(pages, "backtesting.md", "The format of a candle file").text
    return [] if f"`{header}`" in text else [f"backtesting.md does not name the columns {header}"]


def _parameter_schemas(pages: Pages) -> list[str]:
    import jsonschema

    types = _codes(table(pages, "bot-schema.md", "Types"), "`type`")
    problems = _differ("types of bot-schema.md and of JSON Schema", types, _JSON_TYPES)
    for text in _blocks(pages, "bot-schema.md", "json"):
        example = json.loads(text)
        try:
            jsonschema.Draft7Validator.check_schema(example)
        except jsonschema.SchemaError as error:
            problems.append(f"an example of bot-schema.md is no schema: {error.message}")
        if example.get("$schema") != platform_schema()["$schema"]:
            problems.append("an example of bot-schema.md is of another draft")
    return problems


def _configurations(pages: Pages) -> list[str]:
    """The examples of the page, and the file of a bot that the templates write."""
    import yaml

    problems = []
    examples = [*_blocks(pages, "bot-config.md", "yaml"), *_rendered()]
    for text in examples:
        config = yaml.safe_load(text)
        problems += [f"{config.get('name')}: {message}" for message in _complaints(config, platform_schema())]
    return problems


def _rendered() -> Iterator[str]:
    from shared.tools.templates.catalog import STRATEGIES
    from shared.tools.templates.render import CONFIG_FILE, Bot, render_bot

    strategy = STRATEGIES["sma_crossover"]
    for bot_type in ("scheduled", "realtime"):
        bot = Bot(name="checked-bot", strategy=strategy, parameters=strategy.model(), bot_type=bot_type)
        yield render_bot(bot)[CONFIG_FILE].decode()


def _instances(pages: Pages) -> list[str]:
    """The examples of an instance name a type and a version that the platform takes."""
    rules = platform_schema()["properties"]
    problems = []
    for path in ("deployment.md", "bot-types.md"):
        for text in _blocks(pages, path, "json"):
            instance = json.loads(text)
            kind, _, name = str(instance.get("type")).partition("/")
            if not (_fits(kind, rules["type"]) and _fits(name, rules["name"])):
                problems.append(f"{path}: no bot is of type {instance.get('type')}")
            if not _fits(instance.get("version"), rules["version"]):
                problems.append(f"{path}: no bot has version {instance.get('version')}")
    return problems


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    return not _complaints(value, schema)


def _complaints(value: Any, schema: Mapping[str, Any]) -> list[str]:
    import jsonschema

    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(value)]


_CHECKS: tuple[Callable[[Pages], list[str]], ...] = (
    _runtimes,
    _bot_types,
    _fields,
    _names,
    _versions,
    _parameters,
    _schedules,
    _candles,
    _parameter_schemas,
    _configurations,
    _instances,
)
