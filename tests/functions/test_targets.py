"""Each function starts alone by the contract's command, from any folder, and tells its health."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.planted import DATABASE_PASSWORD, MARK, S3_SECRET_KEY
from tests.servers.ports import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def started(
    target: str, folder: Path, *, source: str | None = None, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The function by the framework's own command; `source` where it is no main.py of its own folder."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "functions-framework"),
        "--asgi",
        "--source",
        str(ROOT / "functions" / (source or f"{target}/main.py")),
        "--target",
        target,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder / "data"), **variables}
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.mark.parametrize("target", ["chat", "tools", "artifacts", "events"])
def test_the_function_starts_alone(target: str, tmp_path: Path) -> None:
    with started(target, tmp_path) as (process, url):
        wait_for(f"{url}/health/live", process)
        # A check may take longer than it is given while what it asks for is still imported.
        wait_for(f"{url}/health", process)
        health = httpx.get(f"{url}/health", trust_env=False, timeout=30)
        assert health.status_code == 200
        assert health.json()["status"] == "healthy"
        # Asking for the sandbox starts a process: only who runs code of bots does.
        assert ("sandbox" in health.json()["checks"]) is (target == "tools")
        assert httpx.get(f"{url}/livez", trust_env=False).status_code == 200
        assert httpx.get(f"{url}/metrics", trust_env=False).status_code == 200
        # By the public door, which a load balancer is, metrics are for services.
        through = {"x-forwarded-for": "203.0.113.9"}
        assert httpx.get(f"{url}/metrics", headers=through, trust_env=False).status_code == 401
        if target == "events":
            # Eventarc posts to the root of a service.
            headers = {"ce-id": "1", "ce-source": "s", "ce-specversion": "1.0", "ce-type": "t"}
            taken = httpx.post(url, headers=headers, json={}, trust_env=False, timeout=30)
            assert (taken.status_code, taken.json()) == (200, {"status": "unknown_type"})
        if target == "chat":
            answer = httpx.post(f"{url}/chat", json={"message": "Hello"}, trust_env=False, timeout=30)
            assert answer.status_code == 200


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"AUTH_MODE": "password"}, "AUTH_MODE"),
        ({"MAX_TOOLS_PER_REQUEST": "many"}, "MAX_TOOLS_PER_REQUEST"),
        ({"K_SERVICE": "chat"}, "AUTH_MODE"),
        ({"AUTH_MODE": "jwt"}, "JWT_SECRET"),
        ({"CONFIG_FILE": "/nowhere.yaml"}, "CONFIG_FILE"),
        ({"MODEL_PROVIDER": "gemini"}, "GEMINI_API_KEY"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    variables: dict[str, str], named: str, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PORT": "0",
        "GEMINI_BASE_URL": "http://secret-host.test",
        **variables,
    }
    run = subprocess.run(
        [sys.executable, "-m", "infra.local.gateway"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert named in run.stderr
    assert "Traceback" not in run.stderr
    assert "secret-host" not in run.stderr


WRONG = {
    "AUTH_MODE": "jwt",
    "MAX_TOOLS_PER_REQUEST": "planted-secret-many",
    "MODEL_PROVIDER": "gemini",
    "ARTIFACT_STORE": "s3",
    "MINIO_SECRET_KEY": S3_SECRET_KEY,
    "DATABASE_URL": f"mysql://agent:{DATABASE_PASSWORD}@db/agent",
    "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://user:{DATABASE_PASSWORD}@collector",
}
NAMED = (
    "MAX_TOOLS_PER_REQUEST",
    "AUTH_MODE=jwt",
    "MODEL_PROVIDER=gemini",
    "MINIO_ENDPOINT, MINIO_ACCESS_KEY",
    "DATABASE_URL: takes",
    "OTEL_EXPORTER_OTLP_ENDPOINT: ",
)


def test_all_that_is_wrong_is_named_at_once_and_no_value_is(tmp_path: Path) -> None:
    framework = [str(Path(sys.executable).parent / "functions-framework"), "--asgi", "--target", "artifacts"]
    source = ["--source", str(ROOT / "functions/artifacts/main.py"), "--port", str(free_port())]
    run = subprocess.run(
        [*framework, *source],
        env={"PATH": os.environ["PATH"], **WRONG},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode != 0
    assert [name for name in NAMED if name not in run.stderr] == []
    assert MARK not in run.stderr + run.stdout
