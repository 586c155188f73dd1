"""robots.txt: what a site asks automated readers to leave alone (RFC 9309)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_MAX_RULES = 5000


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    allow: bool


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one site that concern one reader."""

    rules: tuple[_Rule, ...] = ()

    def allows(self, path: str) -> bool:
        """Whether the path (with its query) may be read: the longest rule decides, allow in a tie."""
        wanted = _normal(path)
        best = max(
            ((len(rule.pattern), rule.allow) for rule in self.rules if _matches(rule.pattern, wanted)),
            default=(0, True),
        )
        return best[1] or wanted == "/robots.txt"


ALLOW_ALL = Robots()
REFUSE_ALL = Robots((_Rule("/", allow=False),))


def parse_robots(text: str, agent: str) -> Robots:
    """The rules for the product token `agent`: its own groups together, else those for `*`."""
    groups: dict[str, list[_Rule]] = {}
    names: list[str] = []
    in_rules = False
    for line in text.splitlines()[: 4 * _MAX_RULES]:
        key, _, value = line.split("#", 1)[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent":
            if in_rules:
                names, in_rules = [], False
            names.append(_token(value))
            groups.setdefault(names[-1], [])
        elif key in ("allow", "disallow"):
            in_rules = True
            if value:
                for name in names:
                    groups[name].append(_Rule(_normal(value), key == "allow"))
    own = groups.get(agent.lower())
    return Robots(tuple((own if own is not None else groups.get("*", []))[:_MAX_RULES]))


def _token(value: str) -> str:
    match = re.match(r"\*|[A-Za-z0-9_-]+", value)
    return match[0].lower() if match else ""


def _normal(path: str) -> str:
    """The path with one spelling for each character, so that rule and path compare octet by octet."""
    return quote(
        unquote(path, errors="surrogateescape"), safe="/*$?&=:@!'()+,;~-._", errors="surrogateescape"
    )


def _matches(pattern: str, path: str) -> bool:
    """Whether the pattern matches from the path's start; `*` stands for anything, a last `$` for the end.

    Taking the first place of each piece is enough, and linear, as only order matters.
    """
    anchored = pattern.endswith("$")
    first, *pieces = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not pieces:
        return not anchored or at == len(path)
    last = pieces.pop() if anchored else ""
    for piece in pieces:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not anchored or (path.endswith(last) and len(path) - len(last) >= at)
