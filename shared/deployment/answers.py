"""The platform's answers read: what it made, what it says; whatever it sends is bounded and not believed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.outbound import Answer

_MOST_SAID = 600
_MOST_ID = 200
_LISTS = ("data", "bots", "customBots", "custom_bots", "items", "results")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bot that the platform has: its id there, its version, and its address where the platform gave one."""

    bot_id: str
    version: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One bot, or one version of a bot, of a list of the platform's."""

    made: Made
    name: str | None
    code: str | None
    tags: tuple[str, ...] | None
    metadata: dict[str, Any] = field(hash=False)


def read_json(answer: Answer) -> Any:
    """The body as JSON, None when it is none."""
    try:
        return answer.json()
    except ValueError:
        return None


def made_of(value: Any) -> Made | None:
    """What an answer says was made: `id` in it or in its `data`; None when it names none."""
    for part in (value, value.get("data") if isinstance(value, dict) else None):
        if isinstance(part, dict) and (bot_id := _id(part.get("id"))) is not None:
            version = part.get("version")
            url = part.get("deployment_url") or part.get("url")
            return Made(
                bot_id=bot_id,
                version=version if isinstance(version, str) else None,
                url=url if isinstance(url, str) and re.fullmatch(r"https?://\S{1,2000}", url) else None,
            )
    return None


def listed(value: Any) -> tuple[Listed, ...] | None:
    """The bots of a list; None when this is no list, or only a page of one."""
    items = value
    if isinstance(value, dict):
        items = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
        total = value.get("total", value.get("total_count"))
        if value.get("next") or value.get("next_cursor") or value.get("hasMore"):
            return None
        if isinstance(items, list) and isinstance(total, int) and total > len(items):
            return None
    if not isinstance(items, list):
        return None
    return tuple(_listed(items))


def versions_of(value: Any) -> tuple[Listed, ...] | None:
    """The versions of one bot, of `{"success", "data": {"versions": [...]}}`; None for anything else."""
    data = value.get("data") if isinstance(value, dict) and value.get("success") is True else None
    if not isinstance(data, dict) or not isinstance(data.get("versions"), list):
        return None
    return tuple(_listed(data["versions"]))


def said(answer: Answer) -> str:
    """What the platform says, in plain text: its `message`, `error` or `detail`, else its beginning."""
    value = read_json(answer)
    words = _words(value) if isinstance(value, dict) else None
    text = words or answer.body[: 4 * _MOST_SAID].decode("utf-8", "replace")
    plain = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char for char in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= _MOST_SAID else f"{plain[:_MOST_SAID]}…"


def _words(value: dict[str, Any]) -> str | None:
    # NestJS puts the words in `message`, and the status in words in `error`.
    for name in ("message", "detail", "error"):
        found = value.get(name)
        if isinstance(found, str) and found.strip():
            return found
        if isinstance(found, list) and found:
            return "; ".join(str(item) for item in found[:20])
        if isinstance(found, dict) and (inner := _words(found)):
            return inner
    return None


def _listed(items: list[Any]) -> Iterator[Listed]:
    for item in items:
        made = made_of(item)
        if made is None:
            continue
        config = item.get("config")
        metadata = config.get("metadata") if isinstance(config, dict) else None
        tags = item.get("tags")
        name, code = item.get("name"), item.get("code")
        yield Listed(
            made=made,
            name=name if isinstance(name, str) else None,
            code=code if isinstance(code, str) else None,
            tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else None,
            metadata=metadata if isinstance(metadata, dict) else {},
        )


def _id(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value)
    return text if 0 < len(text) <= _MOST_ID and text.isprintable() else None
