"""The configuration of an instance, checked by the platform's rules and the bot's own schema."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from shared.deployment.bot import Problem
from shared.deployment.cron import cron_problem
from shared.deployment.schema_check import schema_problems, with_defaults
from shared.deployment.secret_fields import secret_names
from shared.errors import InstanceInvalidError

# What the platform keeps in a configuration beside the bot's own fields.
RESERVED = ("type", "version", "schedule")
# Where a configuration tells which step made it.
MARK_FIELD = "deployment"
_ADDED = (*RESERVED, MARK_FIELD, "hasFrontend", "customBotId")
_BOT_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_MOST_NAME = 255
_MOST_NODES, _MOST_DEPTH = 5_000, 32
_IN_CHAT = (
    "holds a credential, which a chat must not: leave it out here; the user gives it in the platform's own "
    "pages or to POST /artifacts/deploy/{session}/instances, which keeps none"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """The version of a bot that an instance is of: its execution model and its parameters' schema."""

    name: str
    version: str
    type: str
    schema: dict[str, Any] = field(hash=False)


def checked_config(
    blueprint: Blueprint,
    *,
    name: str,
    schedule: str | None,
    config: dict[str, Any],
) -> dict[str, Any]:
    """The configuration with the schema's defaults and what the platform adds.

    Raises:
        InstanceInvalidError: the platform would not take it; names every field, and no value.
    """
    problems = [*_name_problems(blueprint, name), *_schedule_problems(blueprint, schedule)]
    if not _is_bounded(config):
        raise invalid([*problems, ("config", f"has more than {_MOST_NODES} values, or lies too deep")])
    problems += [
        (f"config.{each}", "is told beside the configuration") for each in RESERVED if each in config
    ]
    whole = with_defaults(config, blueprint.schema)
    whole |= {"type": f"{blueprint.type}/{blueprint.name}", "version": blueprint.version}
    if schedule is not None:
        whole["schedule"] = " ".join(schedule.split())
    problems += _unknown_fields(config, blueprint.schema)
    found = schema_problems(_as_checked(whole, blueprint.schema), blueprint.schema)
    problems += [(f"config.{place}" if place else "config", told) for place, told in found]
    if problems:
        raise invalid(problems)
    return whole


def refuse_secrets(config: dict[str, Any], schema: dict[str, Any]) -> None:
    """Returns when the configuration holds no credential; raises InstanceInvalidError."""
    if not _is_bounded(config):
        return
    problems = [(f"config.{each}", _IN_CHAT) for each in secret_names(config, schema)]
    if problems:
        raise invalid(problems)


def marked_config(config: dict[str, Any], blueprint: Blueprint, mark: str) -> dict[str, Any] | None:
    """The configuration with the mark, None where the bot's schema does not let it through."""
    if MARK_FIELD in config or MARK_FIELD in (blueprint.schema.get("properties") or {}):
        return None
    marked = {**config, MARK_FIELD: mark}
    return None if schema_problems(_as_checked(marked, blueprint.schema), blueprint.schema) else marked


def own_fields(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The bot's own part of a configuration that the platform has."""
    declared = schema.get("properties") or {}
    return {
        name: value
        for name, value in config.items()
        if name not in RESERVED and (name in declared or name not in _ADDED)
    }


def invalid(problems: list[tuple[str, str]]) -> InstanceInvalidError:
    """The error that tells these fields."""
    told = [Problem(file="", field=name, message=message) for name, message in dict.fromkeys(problems)]
    words = "; ".join(f"{problem.field}: {problem.message}" for problem in told[:12])
    more = f"; and {len(told) - 12} more" if len(told) > 12 else ""
    wire = [{"field": problem.field, "message": problem.message} for problem in told]
    return InstanceInvalidError(words + more, problems=wire)


def _name_problems(blueprint: Blueprint, name: str) -> list[tuple[str, str]]:
    problems = []
    if not 1 <= len(name) <= _MOST_NAME or not name.isprintable() or not name.strip():
        problems.append(("name", f"takes 1 to {_MOST_NAME} printable characters"))
    if _BOT_NAME.fullmatch(blueprint.name) is None:
        told = "the platform starts no bot of this name: hyphens stand between letters or digits"
        problems.append(("custom_bot", told))
    if blueprint.type not in ("scheduled", "realtime"):
        problems.append(("custom_bot", "the platform starts scheduled and realtime bots"))
    return problems


def _schedule_problems(blueprint: Blueprint, schedule: str | None) -> list[tuple[str, str]]:
    if blueprint.type != "scheduled":
        told = "is for scheduled bots: this one runs until it is stopped"
        return [] if schedule is None else [("schedule", told)]
    if schedule is None:
        return [("schedule", "is missing: the bot is a scheduled one, as in `0 * * * *` (UTC)")]
    problem = cron_problem(schedule)
    return [] if problem is None else [("schedule", problem)]


def _unknown_fields(config: dict[str, Any], schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Fields that the platform would leave out of its check, and a bot would not know: slips of the pen."""
    known = schema.get("properties")
    if schema.get("additionalProperties") is not False or not isinstance(known, dict):
        return []
    unknown = [str(name)[:60] for name in config if name not in known and name not in RESERVED]
    return [(f"config.{name}", "is no field of the bot") for name in unknown]


def _as_checked(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What the platform holds against the schema: a closed one sees its own fields alone."""
    known = schema.get("properties")
    if schema.get("additionalProperties") is not False or not isinstance(known, dict):
        return config
    return {name: value for name, value in config.items() if name in known}


def _is_bounded(config: dict[str, Any]) -> bool:
    left, pending = _MOST_NODES, [(0, config)]
    while pending:
        left -= 1
        depth, value = pending.pop()
        if left < 0 or depth > _MOST_DEPTH:
            return False
        if isinstance(value, dict):
            pending += [(depth + 1, item) for item in value.values()]
        elif isinstance(value, list):
            pending += [(depth + 1, item) for item in value]
    return True
