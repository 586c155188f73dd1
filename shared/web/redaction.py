"""The last line of defence of logs: values that are secret do not leave the process in a line.

What is logged holds no secrets in the first place. This is for what others log, and for the day that a
mistake is made: the values of this deployment's own secrets, and what has the shape of a credential.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from shared.settings import Settings

REDACTED = "[redacted]"
# A shorter value is no secret worth the name, and may be a word of any line.
_SHORTEST = 8
_SHAPES = re.compile(
    r"""(?xi)
    (?P<scheme>\b(?:bearer|apikey)\s+) [\w.~+/=-]{8,}
    | (?P<query>[?&;](?:api_?key|key|token|access_token|id_token|password|secret|sig(?:nature)?
        |x-(?:amz|goog)-(?:signature|credential|security-token))=) [^&\s"'\\]+
    | (?P<user>://) [^\s/@"'\\]+ (?=@)
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*
    | \bAIza[\w-]{35}
    | \bSU[A-Z2-7]{50,}
    """
)
# Without one of these nothing has such a shape: looking for them takes a hundredth of the time.
_HINTS = ("bearer", "apikey", "=", "://", "eyj", "aiza")


class Redactor:
    """Replaces secret values in lines of a log."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        # The longest first: one secret may hold another.
        self._secrets = sorted(forms, key=len, reverse=True)

    def __call__(self, line: str) -> str:
        """The line without them."""
        for secret in self._secrets:
            if secret in line:
                line = line.replace(secret, REDACTED)
        if "SU" in line or _has_hint(line.lower()):
            return _SHAPES.sub(_without, line)
        return line


def secrets_of(settings: Settings) -> Iterator[str]:
    """Every secret value of the settings: keys, tokens, and the passwords within URLs."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield from _parts(value.get_secret_value())
        elif name == "database_url":
            # A database's user is no secret, and his name a word of many lines; NATS has its token there.
            yield from _of_url(value, has_token=False)


def _has_hint(lowered: str) -> bool:
    return any(word in lowered for word in _HINTS)


def _parts(value: str) -> Iterator[str]:
    yield value
    for part in value.split(","):
        yield part.strip()
        # A header of an exporter, `authorization=Bearer%20...`.
        yield unquote(part.partition("=")[2].strip())
        yield from _of_url(part)


def _of_url(url: str, *, has_token: bool = True) -> Iterator[str]:
    try:
        parts = urlsplit(url.strip())
        found = (parts.password, parts.username if has_token and parts.password is None else None)
    except ValueError:
        return
    for each in found:
        if each is not None:
            yield from {each, unquote(each)}


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]


def _without(match: re.Match[str]) -> str:
    kept = match["scheme"] or match["query"] or match["user"] or ""
    return f"{kept}{REDACTED}"
