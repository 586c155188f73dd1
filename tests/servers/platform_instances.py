"""The instances of the platform stub: `/bot` with every check of the real one, in its order and its words.

Facts: the platform's controller, service and validator for bots (a body of name and config and nothing else;
type, version, schedule and the bot's own parameters in config; a closed schema sees its own fields alone).
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import jsonschema

TYPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*")
SEMVER = re.compile(r"\d+\.\d+\.\d+")
CRON_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
BODY_RULES = {
    "type": "object",
    "required": ["name", "config"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "config": {"type": "object"},
    },
}

# What an answer is made of: a status and a body, or the words of a refusal.
Outcome = tuple[int, Any]


@dataclass(slots=True)
class InstanceTable:
    """The instances there are; `custom_bots` are the versions that they may be of.

    `shows` are the fields that a list tells; `lists` False answers it with 404.
    """

    custom_bots: list[dict[str, Any]]
    rows: list[dict[str, Any]] = field(default_factory=list)
    shows: tuple[str, ...] = ("id", "name", "config", "customBotId")
    lists: bool = True

    def act(self, name: str, user: str, bot_id: str | None, value: Any) -> Outcome:
        """The answer to start, instances, instance, change or stop."""
        if name == "start":
            return self._start(user, value)
        if name == "instances":
            mine = [row for row in self.rows if row["userId"] == user]
            shown = [{key: row[key] for key in self.shows} for row in reversed(mine)]
            return (200, shown) if self.lists else (404, "Cannot GET /bot")
        row = next((row for row in self.rows if row["id"] == bot_id and row["userId"] == user), None)
        if name == "change":
            return self._change(row, value)
        if row is None:
            return (404, "Not found") if name == "instance" else (400, "Bot not found")
        if name == "instance":
            return 200, row
        self.rows.remove(row)
        return 200, None

    def _start(self, user: str, value: Any) -> Outcome:
        custom, wrong = self._checked(value)
        if custom is None:
            return 400, wrong
        row = {
            "id": f"i-{uuid.uuid4()}",
            "userId": user,
            "name": value["name"],
            "config": {**value["config"], "hasFrontend": False},
            "topic": "the0-scheduled-custom-bot",
            "customBotId": custom["id"],
        }
        self.rows.append(row)
        return 201, row

    def _change(self, row: dict[str, Any] | None, value: Any) -> Outcome:
        custom, wrong = self._checked(value)
        if custom is None:
            return 400, wrong
        if row is None:
            return 400, "Not found"
        if row["config"]["version"].split(".")[0] != value["config"]["version"].split(".")[0]:
            return 400, "Major version changes need a new bot"
        row |= {"name": value["name"], "config": value["config"]}
        return 200, row

    def _checked(self, value: Any) -> tuple[dict[str, Any] | None, str]:
        """The version that a body is of, or why it is of none."""
        if wrong := [error.message for error in jsonschema.Draft7Validator(BODY_RULES).iter_errors(value)]:
            return None, "; ".join(wrong)
        config = value["config"]
        for name in ("type", "version"):
            if not config.get(name):
                return None, f"Bot {name} is required"
        if TYPE.fullmatch(str(config["type"])) is None:
            return None, "Invalid bot type format. Expected format: type/name"
        if SEMVER.fullmatch(str(config["version"])) is None:
            return None, "Invalid version format. Expected format: x.y.z"
        kind, name = config["type"].split("/")
        custom = next((bot for bot in self.custom_bots if _is_of(bot, name, config["version"])), None)
        if custom is None:
            return None, f"Bot type '{config['type']}' not found"
        if kind == "scheduled" and (told := _schedule_problem(config)):
            return None, told
        return (None, told) if (told := _schema_problem(config, custom)) else (custom, "")


def is_cron(text: str) -> bool:
    """Whether the platform's cron validator takes it, without its options."""
    parts = text.split()
    if len(parts) != len(CRON_BOUNDS):
        return False
    return all(
        all(_is_cron_item(item, low, high) for item in part.split(","))
        for part, (low, high) in zip(parts, CRON_BOUNDS, strict=True)
    )


def _is_cron_item(item: str, low: int, high: int) -> bool:
    head, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    if head == "*":
        return True
    ends = head.split("-")
    if len(ends) > 2 or not all(end.isascii() and end.isdigit() for end in ends):
        return False
    return low <= int(ends[0]) <= int(ends[-1]) <= high


def _is_of(bot: dict[str, Any], name: str, version: str) -> bool:
    # A bot of the code form has no version of its own.
    return bool(bot["name"] == name and bot.get("version", version) == version)


def _schedule_problem(config: dict[str, Any]) -> str | None:
    if not config.get("schedule"):
        return "No schedule provided"
    if not isinstance(config["schedule"], str) or not is_cron(config["schedule"]):
        return f"{config['schedule']} is not a valid cron expression"
    return None


def _schema_problem(config: dict[str, Any], custom: dict[str, Any]) -> str | None:
    schema = custom.get("config", {}).get("schema", {}).get("bot", {})
    if schema.get("additionalProperties") is False and schema.get("properties"):
        config = {name: value for name, value in config.items() if name in schema["properties"]}
    errors = jsonschema.Draft7Validator(schema).iter_errors(config)
    told = [f"/{'/'.join(map(str, error.absolute_path))} {error.validator}" for error in errors]
    return ", ".join(told) or None
