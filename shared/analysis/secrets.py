"""Credentials in any text: known token shapes by detect-secrets, and `name: value` lines of settings files.

The detectors of detect-secrets are asked one by one. Its scan functions read settings that are global to the
process, so that two threads would disturb each other; the detectors themselves hold no state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.analysis.report import Finding
from shared.analysis.secret_shapes import is_placeholder, is_secret_name, looks_secret
from shared.analysis.source import SourceFile

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

MAX_CHARS = 256 * 1024
_PIECE = 2048
_OVERLAP = 256
_SETTINGS_FILES = (".yaml", ".yml", ".json", ".toml", ".env", ".ini", ".cfg", ".txt", ".md", ".sh")
# Where detect-secrets' own patterns take quadratic time on long lines, or miss newer tokens.
_SHAPES = (
    ("credentials in a URL", re.compile(r"://[^\s:/@{}$'\"]{1,64}:([^\s:/@{}$'\"]{6,128})@")),
    (
        "a model service's key",
        re.compile(r"\b(?:sk-(?:proj-|ant-|or-)?[\w-]{4,20})([A-Za-z0-9]{20}[\w-]{0,160})"),
    ),
    ("a Google API key", re.compile(r"\b(AIza[\w-]{35})")),
)
_ASSIGNED = re.compile(
    r"""(?:^|[\s,{(])["']?(?P<name>[A-Za-z_][\w.-]{2,60})["']?\s*[:=]\s*["']?(?P<value>[^\s"',}#]{8,4096})"""
)


def find_secrets(sources: tuple[SourceFile, ...]) -> Iterator[Finding]:
    """A finding for each line (of a file's first 256 KiB) with a live-looking credential, never repeated."""
    for source in sources:
        for number, line in enumerate(source.text[:MAX_CHARS].splitlines(), start=1):
            kinds = (
                _kind(source.name, line[at : at + _PIECE]) for at in range(0, len(line), _PIECE - _OVERLAP)
            )
            kind = next(filter(None, kinds), None)
            if kind:
                yield secret(source.name, number, 1, kind)


def secret(file: str, line: int, column: int, kind: str) -> Finding:
    """The finding for a credential of that kind at that place."""
    return Finding(
        category="secret",
        severity="critical",
        file=file,
        line=line,
        column=column,
        rule="secret-in-code",
        message=f"Looks like a live credential: {kind}.",
        advice="Take it out, revoke it, and read it from the platform's secrets or the environment.",
    )


def _kind(name: str, line: str) -> str | None:
    return _known(line) or _shaped(line) or _assigned(name, line)


def _shaped(line: str) -> str | None:
    for kind, shape in _SHAPES:
        for match in shape.finditer(line):
            if not is_placeholder(match[1]):
                return kind
    return None


def _known(line: str) -> str | None:
    for detector, may_match in _detectors():
        if may_match.search(line) and any(detector.analyze_string(line)):
            matches = (match[0] for pattern in detector.denylist for match in pattern.finditer(line))
            if not all(is_placeholder(match) for match in matches):
                return str(detector.secret_type)
    return None


def _assigned(name: str, line: str) -> str | None:
    if not name.lower().endswith(_SETTINGS_FILES) and "." in name.rsplit("/", 1)[-1].lstrip("."):
        return None
    for match in _ASSIGNED.finditer(line):
        if is_secret_name(match["name"]) and looks_secret(match["name"], match["value"]):
            return f"the value of {match['name'][:40]}"
    return None


@cache
def _detectors() -> tuple[tuple[RegexBasedDetector, re.Pattern[str]], ...]:
    """Each detector with a quick pattern that every line it can match contains."""
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.discord import DiscordBotTokenDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.private_key import PrivateKeyDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.stripe import StripeDetector
    from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector

    quick: dict[type[Any], str] = {
        AWSKeyDetector: r"(?:A3T|AKIA|ABIA|ACCA|ASIA)|aws",
        AzureStorageKeyDetector: "AccountKey",
        DiscordBotTokenDetector: r"[\w-]{20}\.[\w-]{6}\.",
        GitHubTokenDetector: "gh[pousr]_",
        GitLabTokenDetector: "gl|GR1348941",
        JwtTokenDetector: "eyJ",
        PrivateKeyDetector: "BEGIN|PuTTY",
        PypiTokenDetector: "pypi-",
        SendGridDetector: r"SG\.",
        SlackDetector: "xox|hooks.slack",
        StripeDetector: "[rs]k_live",
        TelegramBotTokenDetector: r"\d{8}:",
    }
    return tuple((detector(), re.compile(pattern, re.IGNORECASE)) for detector, pattern in quick.items())
