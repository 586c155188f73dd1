"""The words of the code: texts that it writes, names that it gives to values of log lines, its metrics."""

from __future__ import annotations

import re
from functools import cache

from infra.checks.repository import REPOSITORY


@cache
def says(text: str) -> bool:
    """Whether the code of `shared` or `functions` has this string."""
    return f'"{text}"' in _code()


@cache
def names(value: str) -> bool:
    """Whether something is given this name there: `note(request, waiting=...)`, `{"waiting": ...}`."""
    return any(f"{before}{value}=" in _code() for before in " (*") or f'"{value}":' in _code()


@cache
def _code() -> str:
    paths = [path for folder in ("shared", "functions") for path in (REPOSITORY / folder).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if "templates" not in path.parts)


@cache
def metrics() -> frozenset[str]:
    """The names of the metrics in /metrics."""
    from shared.web.telemetry import Telemetry

    return frozenset(re.findall(r"^# TYPE (\w+)", Telemetry().text().decode(), re.M))
