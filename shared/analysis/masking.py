"""Credentials taken out of what a bot wrote, before it is kept or shown: the rest of a line stays readable.

Beside the shapes of secret_shapes.py a line is judged as a whole by the detectors of secrets.py: one in which
they still see a credential is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from shared.analysis.secret_shapes import is_secret_name, looks_secret
from shared.analysis.secrets import find_secrets
from shared.analysis.source import SourceFile

MASK = "[masked]"
LEFT_OUT = "[a line with what looks like a credential is left out]"

_ASSIGNED = re.compile(
    r"""(?P<name>\b[A-Za-z_][\w.-]{2,60})(?P<between>["']?\s{0,3}[:=]\s{0,3}["']?)(?P<value>[^\s"',;}&#]{6,4096})"""
)
_IN_URL = re.compile(r"(?<=://)[^\s:/@{}$'\"]{1,64}:[^\s:/@{}$'\"]{1,128}(?=@)")
_BEARER = re.compile(r"\b(Bearer|Basic)\s{1,3}[A-Za-z0-9._~+/=-]{8,4096}", re.IGNORECASE)
# A word with what hangs on it by dots, as in a JSON web token; a path's later parts do not begin one.
_WORD = re.compile(r"(?<![\w+/=.-])[A-Za-z0-9+/=_-]{20,4096}(?:\.[A-Za-z0-9+/=_-]{8,4096}){0,4}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{32,}")
_KINDS = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]")))
_LEAST_SUSPICIOUS = 8
# The least length of a token, and of one with a digit in it.
_TOKEN = 16
_SHORT_TOKEN = 8
# What every token that the detectors know has; asking them all takes most of the time of a line.
_LONG_RUN = re.compile(r"[\w+/=-]{16,4096}")
_DIGIT = re.compile(r"\d")
_MARKED = re.compile(r"BEGIN|PuTTY|\b(?:AKIA|ASIA)[A-Z0-9]{12}")


def masked(text: str) -> str:
    """The text with credentials replaced; a line in which one is still seen is left out whole."""
    if len(text) < _LEAST_SUSPICIOUS:
        return text
    return "\n".join(map(_masked_line, text.split("\n")))


def masked_value(value: Any) -> Any:
    """A JSON value with the texts in it masked, and whatever a member holds whose name is a credential's."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list):
        return [masked_value(each) for each in value]
    if isinstance(value, dict):
        return {
            name: MASK if isinstance(each, str) and _is_secret_of(name, each) else masked_value(each)
            for name, each in value.items()
        }
    return value


def _masked_line(line: str) -> str:
    if len(line) < _LEAST_SUSPICIOUS:
        return line
    line = _IN_URL.sub(MASK, line)
    line = _BEARER.sub(lambda match: f"{match[1]} {MASK}", line)
    line = _ASSIGNED.sub(_unless(_is_secret_assigned, _only_value), line)
    line = _WORD.sub(lambda match: MASK if _is_key(match[0]) else match[0], line)
    if not _is_worth_asking(line):
        return line
    # A log is no program: the detectors read it like a settings file.
    is_seen = next(find_secrets((SourceFile(name="log.txt", text=line),)), None) is not None
    return LEFT_OUT if is_seen else line


def _is_worth_asking(line: str) -> bool:
    if _MARKED.search(line):
        return True
    return any(_DIGIT.search(run[0]) for run in _LONG_RUN.finditer(line))


def _unless(
    is_secret: Callable[[re.Match[str]], bool], without: Callable[[re.Match[str]], str]
) -> Callable[[re.Match[str]], str]:
    return lambda match: without(match) if is_secret(match) else match[0]


def _is_secret_assigned(match: re.Match[str]) -> bool:
    return _is_secret_of(match["name"].rpartition(".")[2], match["value"])


def _is_secret_of(name: str, value: str) -> bool:
    """Whether the value of that name is to go; a market's `token` may well be BTC."""
    if not is_secret_name(name):
        return False
    if not name.lower().endswith("token"):
        return bool(value)
    return len(value) >= _TOKEN or (len(value) >= _SHORT_TOKEN and _DIGIT.search(value) is not None)


def _only_value(match: re.Match[str]) -> str:
    return f"{match['name']}{match['between']}{MASK}"


def _is_key(word: str) -> bool:
    if _UUID.fullmatch(word) or not looks_secret("", word.split(".", maxsplit=1)[0]):
        return False
    return bool(_HEX.fullmatch(word)) or all(kind.search(word) for kind in _KINDS)
