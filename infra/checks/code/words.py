"""The words of the code: texts that it writes, names that it gives to values of log lines, its metrics."""

from __future__ import annotations

import re
from functools import cache

from infra.checks.repository import REPOSITORY


def says(text: str) -> bool:
    """Whether the code of `shared` or `functions` has this string."""
    return f'"{text}"' in _code()


def names(value: str) -> bool:
    """Whether something is given this name there: `note(request, waiting=...)`, `{"waiting": ...}`."""
    return re.search(rf'\b{re.escape(value)}=|"{re.escape(value)}":', _code()) is not None


@cache
def _code() -> str:
    paths = [path for folder in ("shared", "functions") for path in (REPOSITORY / folder).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if "templates" not in path.parts)


@cache
def metrics() -> frozenset[str]:
    """The names of the metrics in /metrics."""
    from prometheus_client.parser import text_string_to_metric_families

    from shared.web.telemetry import Telemetry

    families = text_string_to_metric_families(Telemetry().text().decode())
    return frozenset(family.name for family in families)
