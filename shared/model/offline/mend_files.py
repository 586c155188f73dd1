"""Formal faults of a bot's files put right by what a verification says of them; no code is touched.

Only what has one right answer is mended: a missing field, a name or version of the wrong form, a file that is
named but not there. The rest of the text stays as its writer left it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.model.offline.recover import CONFIG_FILE, SCHEMA_FILE
from shared.model.offline.utterance import slug

README = "README.md"
_ENTRIES = ("main.py", "main.js", "bot.py", "index.js")
_CHOICES = {"type": ("scheduled", "realtime"), "runtime": ("python3.11", "nodejs20")}
_SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {}}
# As the platform counts.
_LEAST_README = 50
_PROBLEM = re.compile(
    r"^(?P<file>[\w./-]{1,100}): (?:(?P<field>[a-z_.]{1,60}): )?(?P<message>.{1,300})$", re.S
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What the platform has against a file."""

    file: str
    field: str
    message: str


@dataclass(slots=True)
class Mended:
    """The new texts by file, and what was done in words."""

    texts: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


def read_problems(messages: list[str]) -> list[Problem]:
    """The problems that messages of the rule `invalid-configuration` tell."""
    matches = (_PROBLEM.match(message) for message in messages)
    return [Problem(m["file"], m["field"] or "", m["message"]) for m in matches if m]


def files_of(problems: list[Problem], present: set[str]) -> list[str]:
    """The files to read before they can be mended."""
    wanted = {CONFIG_FILE, *(problem.file for problem in problems)}
    return sorted(name for name in wanted if name in present and name.endswith((".yaml", ".md", ".json")))


def mend(problems: list[Problem], texts: Mapping[str, str], present: set[str]) -> Mended:
    """The files with these problems put right as far as there is one right answer."""
    done = Mended()
    config = texts.get(CONFIG_FILE, "")
    for problem in problems:
        if problem.file == CONFIG_FILE:
            config = _mend_config(problem, config, present, done)
        elif problem.message.startswith("has ") and problem.file.endswith(".md"):
            _lengthen(problem.file, texts.get(problem.file, ""), config, done)
    if config != texts.get(CONFIG_FILE, ""):
        done.texts[CONFIG_FILE] = config
    return done


def _mend_config(problem: Problem, text: str, present: set[str], done: Mended) -> str:
    """The configuration with one problem mended; the text itself where no answer is sure."""
    if problem.field in ("readme", "schema.bot") and problem.message.startswith("names "):
        _write_named(problem, text, done)
        return text
    if not problem.field and problem.message.startswith("is missing"):
        for name in ("name", "description", "version", "type", "runtime"):
            text = _set(text, name, str(_answer(name, {}, present)))
        for name in ("entrypoints.bot", "schema.bot", "readme"):
            text = _with_reference(text, name, present)
        done.changes.append(f"`{CONFIG_FILE}` was missing: I wrote one")
        return text
    values = loaded(text)
    if values is None:
        return text
    name = problem.field
    if name.partition(".")[0] in ("entrypoints", "schema", "readme"):
        changed = _with_reference(text, name if name != "entrypoints" else "entrypoints.bot", present)
    else:
        answer = _answer(name, values, present)
        changed = text if answer is None else _set(text, name, answer)
    if changed == text:
        return text
    done.changes.append(f"`{CONFIG_FILE}`: {name} {_told(values, name)} → `{_value(loaded(changed), name)}`")
    return changed


def _answer(name: str, values: Mapping[str, Any], present: set[str]) -> str | None:
    """What a top-level field is to hold; None where only the user knows."""
    given = values.get(name)
    if name == "name":
        return slug(str(given or "")) or "my-bot"
    if name == "version":
        return _version(given)
    if name == "description":
        return f"The bot {values.get('name', 'of this session')}" if given is None else None
    if name in _CHOICES:
        named = [one for one in _CHOICES[name] if one == str(given).strip().lower()]
        entry = _entry(present)
        by_files = "nodejs20" if entry is not None and entry.endswith("js") else "python3.11"
        missing = by_files if name == "runtime" else "scheduled"
        return named[0] if named else missing if given is None else None
    return None


def _version(given: Any) -> str:
    numbers = re.findall(r"\d{1,9}", str(given if given is not None else ""))[:3]
    return ".".join([str(int(one)) for one in numbers] + ["0"] * (3 - len(numbers))) if numbers else "1.0.0"


def _with_reference(text: str, name: str, present: set[str]) -> str:
    """The configuration with a field that names a file of the bot's."""
    if name == "entrypoints.bot":
        entry = _entry(present)
        return text if entry is None else _set(text, name, entry)
    if name in ("schema", "schema.bot"):
        return _set(text, "schema.bot", SCHEMA_FILE) if SCHEMA_FILE in present else text
    return _set(text, name, README) if name == "readme" and README in present else text


def _entry(present: set[str]) -> str | None:
    return next((one for one in _ENTRIES if one in present), None)


def _set(text: str, name: str, value: str) -> str:
    """The YAML with a field set in its own line, so that comments and order stay; unsure, the text itself."""
    outer, _, inner = name.partition(".")
    shown = json.dumps(value) if not re.fullmatch(r"[A-Za-z][\w ./-]*", value) and inner == "" else value
    line = f"{outer}:\n  {inner}: {shown}" if inner else f"{outer}: {shown}"
    pattern = rf"(?m)^{outer}:[ \t]*\n(?:[ \t]+.*\n?)*" if inner else rf"(?m)^{outer}:.*$"
    if inner and (old := re.search(pattern, text)) is not None:
        kept = [one for one in old[0].splitlines()[1:] if not re.match(rf"\s+{inner}:", one)]
        changed = text.replace(old[0], "\n".join([line, *kept]) + "\n", 1)
    elif re.search(pattern, text):
        changed = re.sub(pattern, lambda _: line, text, count=1)
    else:
        changed = f"{text.rstrip()}\n{line}\n".lstrip()
    return changed if _value(loaded(changed), name) == value else text


def _write_named(problem: Problem, config: str, done: Mended) -> None:
    """Writes a file that the configuration names and that is not there."""
    named = _value(loaded(config), problem.field)
    if not isinstance(named, str) or not re.fullmatch(r"[\w./-]{1,100}", named):
        return
    if problem.field == "readme":
        done.texts[named] = _about(config)
    else:
        done.texts[named] = json.dumps(_SCHEMA, indent=2) + "\n"
    done.changes.append(f"`{named}` is named in `{CONFIG_FILE}` and was not there: I wrote it")


def _lengthen(name: str, text: str, config: str, done: Mended) -> None:
    """A readme that is too short for the platform, with what the configuration says below it."""
    if len(text) >= _LEAST_README:
        return
    done.texts[name] = f"{text.rstrip()}\n\n{_about(config)}".lstrip()
    done.changes.append(
        f"`{name}` was too short for the platform: I added what `{CONFIG_FILE}` says of the bot"
    )


def _about(config: str) -> str:
    values = loaded(config) or {}
    title, kind = str(values.get("name", "Bot"))[:100], str(values.get("type", "scheduled"))[:20]
    what = str(values.get("description", ""))[:500]
    return (
        f"# {title}\n\n{what}\n\nA {kind} bot for the0. Its parameters are described in `{SCHEMA_FILE}`; "
        "past prices promise nothing.\n"
    )


def loaded(text: str) -> dict[str, Any] | None:
    """The YAML's mapping; None where it is none."""
    # Slow to import.
    import yaml

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _value(values: Mapping[str, Any] | None, name: str) -> Any:
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _told(values: Mapping[str, Any], name: str) -> str:
    found = _value(values, name)
    return "was missing" if found is None else f"`{str(found)[:60].replace('`', chr(39))}`"
