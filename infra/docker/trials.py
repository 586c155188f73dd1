"""What a built image has to do: start as its user on a read-only root, answer, run bots apart, stop."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import httpx

from infra.docker.build import Image
from infra.docker.container import Confinement, Container, started

_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_PORT = 18_080
_UNKNOWN_SESSION = 4004


class TrialError(AssertionError):
    """The image did not do what it has to."""


SANDBOX = "bubblewrap+seccomp"


@dataclass(frozen=True, slots=True)
class Trial:
    """One start of the image. `asks`: method and path; `holds`: what the answer's text has to hold."""

    name: str
    asks: tuple[str, str]
    holds: str
    body: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    held: Confinement = field(default_factory=Confinement)
    sandbox: str = SANDBOX
    has_socket: bool = False


def _build(language: str) -> Mapping[str, str]:
    return {"message": f"Build me an RSI momentum bot for BTC/USDT in {language}"}


def _target(name: str, holds: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Trial:
    # Health tells of the sandbox where the tools function runs.
    sandbox = SANDBOX if name == "tools" else ""
    return Trial(
        name, (method, path), holds, body or {}, variables={"FUNCTION_TARGET": name}, sandbox=sandbox
    )


_JAVASCRIPT = {"arguments": {"code": "eval('1 + 1');\n", "language": "javascript"}}
TRIALS = (
    # A bot of each language is made, run, tested and backtested in the sandbox of the image.
    Trial("gateway", ("POST", "/chat"), '"name":"verify_bot"', _build("Python"), has_socket=True),
    Trial(
        "chat",
        ("POST", "/chat"),
        '"name":"verify_bot"',
        _build("JavaScript"),
        variables={"FUNCTION_TARGET": "chat"},
        sandbox="",
        has_socket=True,
    ),
    # By node and the packages of npm.
    _target("tools", "eval", "POST", "/tools/analyze_code", _JAVASCRIPT),
    _target("artifacts", "session_not_found", "GET", "/artifacts/session/none"),
    _target("events", "malformed", "POST", "/"),
    # Without NATS it serves, and says what it lacks.
    Trial(
        "nats_bridge",
        ("POST", "/nats/pull"),
        "broker_unavailable",
        variables={"FUNCTION_TARGET": "nats_bridge"},
        sandbox="",
    ),
    Trial(
        "as Docker holds a container by default: all but the sandbox works",
        ("GET", "/tools"),
        "search_documentation",
        variables={"FUNCTION_TARGET": "tools"},
        held=Confinement(masked_proc=True),
        sandbox="sandbox_unavailable",
    ),
)


def try_all(image: Image, work: Path, trials: tuple[Trial, ...]) -> int:
    """Tries each and says so; 0 when all passed."""
    failed = 0
    if image.user.partition(":")[0] == "0":
        sys.stdout.write("failed: the image's user is root\n")
        failed += 1
    for number, trial in enumerate(trials):
        try:
            told = try_one(image, work / f"trial-{number}", trial, port=_PORT + number)
        except TrialError as error:
            failed += 1
            sys.stdout.write(f"failed: {trial.name}: {error}\n")
        else:
            sys.stdout.write(f"passed: {trial.name}: {told}\n")
        sys.stdout.flush()
    return 1 if failed else 0


def try_one(
    image: Image, folder: Path, trial: Trial, *, port: int, mounts: Mapping[str, Path] | None = None
) -> str:
    """What was seen; `mounts` are folders of this machine beside the image's volumes.

    Raises:
        TrialError: something was not as it has to be.
    """
    folder.mkdir()
    volumes = {**(mounts or {}), **{place: _volume(image, folder, place) for place in image.volumes}}
    variables = {**trial.variables, "PORT": str(port)}
    with (folder / "log").open("wb") as log:
        begun = time.monotonic()
        with started(image, [], variables=variables, volumes=volumes, log=log, held=trial.held) as container:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300, trust_env=False) as client:
                try:
                    _wait_until_it_answers(client, container)
                    seconds = time.monotonic() - begun
                    sandbox = _sandbox(client, trial)
                    _health_check(image, variables, volumes, log)
                    _route(client, trial)
                    _socket(port, trial)
                    _stop(container)
                except TrialError as error:
                    raise TrialError(
                        f"{error}\n{(folder / 'log').read_text(errors='replace')[-4000:]}"
                    ) from None
    return f"answers after {seconds:.1f} s, sandbox {sandbox or 'not asked'}, ends when told"


def _volume(image: Image, folder: Path, place: str) -> Path:
    """A new volume takes its owner from the image, as Docker has it."""
    path = folder / place.strip("/").replace("/", "-")
    path.mkdir(parents=True)
    like = image.inside(place).stat()
    os.chown(path, like.st_uid, like.st_gid)
    return path


def _wait_until_it_answers(client: httpx.Client, container: Container) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        status = container.engine.poll()
        if status is not None:
            raise TrialError(f"it ended with {status}")
        try:
            if client.get("/health/live").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TrialError(f"no answer within {_START_SECONDS:.0f} s")


def _sandbox(client: httpx.Client, trial: Trial) -> str:
    """What health says of the sandbox, when it has made up its mind."""
    deadline = time.monotonic() + _START_SECONDS
    checks: dict[str, Any] = {}
    while trial.sandbox and time.monotonic() < deadline:
        answer = client.get("/health")
        checks = answer.json()["checks"]
        # A check that takes longer than it may is asked again.
        if "timeout" not in checks.values() and checks["database"] == "healthy":
            break
        time.sleep(0.5)
    if trial.sandbox and checks.get("sandbox") != trial.sandbox:
        raise TrialError(f"health says {checks}, and the sandbox has to be {trial.sandbox}")
    return trial.sandbox


def _health_check(
    image: Image, variables: Mapping[str, str], volumes: Mapping[str, Path], log: IO[bytes]
) -> None:
    """Docker's own question, as it asks it: a program started beside the entry."""
    asking = replace(image, entrypoint=image.health)
    with started(asking, [], variables=variables, volumes=volumes, log=log) as asked:
        try:
            status = asked.engine.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise TrialError("the health check does not end") from None
    if status != 0:
        raise TrialError(f"the health check {image.health} ended with {status}")


def _socket(port: int, trial: Trial) -> None:
    """Whether a WebSocket is opened, and closed with the contract's word for a session that there is not."""
    if not trial.has_socket:
        return
    from websockets.exceptions import ConnectionClosed, InvalidHandshake
    from websockets.sync.client import connect

    try:
        with connect(f"ws://127.0.0.1:{port}/ws/agent/none", proxy=None, open_timeout=30) as socket:
            socket.recv(timeout=30)
    except ConnectionClosed as closed:
        if closed.rcvd is not None and closed.rcvd.code == _UNKNOWN_SESSION:
            return
        raise TrialError(f"the socket closed with {closed.rcvd}") from closed
    except (InvalidHandshake, TimeoutError) as error:
        raise TrialError(f"no socket: {error!r}") from error
    raise TrialError("the socket of an unknown session stays open")


def _route(client: httpx.Client, trial: Trial) -> None:
    method, path = trial.asks
    answer = client.request(method, path, json=dict(trial.body) if method == "POST" else None)
    # A tool that failed says so within an answer of 200.
    if trial.holds not in answer.text or '"status":"error"' in answer.text:
        raise TrialError(f"{method} {path} answered {answer.status_code}: {answer.text[:2000]}")


def _stop(container: Container) -> None:
    try:
        status = container.stop(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        raise TrialError("it does not end on SIGTERM") from None
    if status != 0:
        raise TrialError(f"it ended with {status} on SIGTERM")
