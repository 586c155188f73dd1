"""Checks a session's files as the platform will: every problem with its file and field, nothing sent.

The rules of bot-config.yaml are the platform's own (bot-config.schema.json beside the documentation); that a
readme has 50 to 10,000 characters and what a parameter schema is are rules of its API.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from shared.deployment.bot import Bot, Problem
from shared.deployment.parameter_schema import dotted, read_schema, said
from shared.deployment.versions import is_version
from shared.errors import BotInvalidError

CONFIG_FILE = "bot-config.yaml"
README_CHARS = (50, 10_000)
_MOST_CONFIG_BYTES = 64 * 1024
_MOST_NODES = 5_000
_MOST_TOLD = 12


def read_bot(files: Mapping[str, bytes], *, name: str | None = None) -> Bot:
    """The bot that the files are; `name` in place of the one in bot-config.yaml.

    Raises:
        BotInvalidError: the platform would not take it; says all that is wrong.
    """
    config, problems = _read_config(files)
    if config is not None:
        if name is not None:
            config = {**config, "name": name}
        problems += _check_config(config, named=name is not None)
        problems += _check_entry(config, files)
        schema, wrong = _read_parameters(config, files)
        readme, unreadable = _read_readme(config, files)
        problems += wrong + unreadable
    if config is None or problems:
        raise invalid(problems)
    return Bot(config={**config, "schema": {"bot": schema}, "readme": readme}, files=files)


def invalid(problems: list[Problem]) -> BotInvalidError:
    """The error that tells these problems."""
    told = "; ".join(str(problem) for problem in problems[:_MOST_TOLD])
    more = len(problems) - _MOST_TOLD
    words = f"{told}; and {more} more" if more > 0 else told
    return BotInvalidError(words, problems=[problem.wire() for problem in problems])


def _read_config(files: Mapping[str, bytes]) -> tuple[dict[str, Any] | None, list[Problem]]:
    import yaml

    data = files.get(CONFIG_FILE)
    if data is None:
        return None, [_in_config("", "is missing: it describes the bot to the platform")]
    if len(data) > _MOST_CONFIG_BYTES:
        return None, [_in_config("", f"has more than {_MOST_CONFIG_BYTES} bytes")]
    try:
        config = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark is not None else ""
        return None, [_in_config("", f"is not YAML{place}")]
    if not isinstance(config, dict):
        return None, [_in_config("", "must hold a mapping of fields to values")]
    if not _is_json(config):
        return None, [_in_config("", "holds what JSON has no form for: write dates and the like in quotes")]
    return config, []


def _is_json(value: Any) -> bool:
    """Whether the value is JSON of a bounded size: YAML's aliases can make a small file endless."""
    left = _MOST_NODES
    pending = [value]
    while pending:
        left -= 1
        item = pending.pop()
        if left < 0:
            return False
        if isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                return False
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif not _is_plain(item):
            return False
    return True


def _is_plain(item: Any) -> bool:
    if isinstance(item, float):
        return math.isfinite(item)
    return item is None or isinstance(item, (str, int))


def _check_config(config: dict[str, Any], *, named: bool) -> list[Problem]:
    import jsonschema

    from shared.tools.documentation.facts import platform_schema

    problems = []
    for error in jsonschema.Draft7Validator(platform_schema()).iter_errors(config):
        field = dotted(error.absolute_path)
        if field == "name":
            file = "name" if named else CONFIG_FILE
            message = "takes 3 to 50 characters: lower-case letters a-z, digits and hyphens"
            problems.append(Problem(file=file, field="" if named else field, message=message))
        elif field == "version":
            continue
        elif error.validator == "required":
            missing = [part for part in error.validator_value if part not in error.instance]
            problems += [_in_config(".".join(filter(None, (field, part))), "is missing") for part in missing]
        else:
            problems.append(_in_config(field, said(error)))
    if "version" in config and not (isinstance(config["version"], str) and is_version(config["version"])):
        problems.append(_in_config("version", "takes three numbers without leading zeros, as in 1.0.0"))
    # One `required` of an object is an error for each of its missing fields.
    return list(dict.fromkeys(problems))


def _check_entry(config: dict[str, Any], files: Mapping[str, bytes]) -> list[Problem]:
    entry = _named(config, "entrypoints", "bot")
    if entry is None:
        return []
    data = files.get(entry)
    if data is None:
        return [_in_config("entrypoints.bot", f"names {_short(entry)}, which the session does not hold")]
    if not data.strip():
        return [Problem(file=entry, field="", message="is empty: the platform starts the bot with it")]
    problems = []
    query = _named(config, "entrypoints", "query")
    if query is not None and query not in files:
        problems.append(
            _in_config("entrypoints.query", f"names {_short(query)}, which the session does not hold")
        )
    return problems


def _read_parameters(
    config: dict[str, Any], files: Mapping[str, bytes]
) -> tuple[dict[str, Any], list[Problem]]:
    file = _named(config, "schema", "bot")
    if file is None:
        return {}, []
    if file not in files:
        return {}, [_in_config("schema.bot", f"names {_short(file)}, which the session does not hold")]
    return read_schema(file, files[file])


def _read_readme(config: dict[str, Any], files: Mapping[str, bytes]) -> tuple[str, list[Problem]]:
    file = config.get("readme")
    if not isinstance(file, str):
        return "", []
    if file not in files:
        return "", [_in_config("readme", f"names {_short(file)}, which the session does not hold")]
    try:
        text = files[file].decode("utf-8")
    except UnicodeDecodeError:
        return "", [Problem(file=file, field="", message="is not UTF-8 text")]
    low, high = README_CHARS
    # The platform counts UTF-16 code points as one, as Python does.
    if not low <= len(text) <= high:
        message = f"has {len(text)} characters: the platform takes {low} to {high}"
        return "", [Problem(file=file, field="", message=message)]
    return text, []


def _named(config: dict[str, Any], part: str, field: str) -> str | None:
    """The name in a field of an object, None where the platform's rules tell of it already."""
    inner = config.get(part)
    found = inner.get(field) if isinstance(inner, dict) else None
    return found if isinstance(found, str) else None


def _short(name: str) -> str:
    return json.dumps(name[:100], ensure_ascii=False)


def _in_config(field: str, message: str) -> Problem:
    return Problem(file=CONFIG_FILE, field=field, message=message)
