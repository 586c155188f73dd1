"""The agent itself as a process, as `make run` starts it, for tests on the wire."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from tests.servers.agent_process import ROOT, AgentProcess, fork_process, fresh_process

_BANNER = re.compile(r"serves http://[\w.]+:(\d+)")


@dataclass(slots=True)
class Agent:
    """A running agent: where it is, what it logged, its process."""

    url: str
    folder: Path
    banner: str
    process: AgentProcess

    def client(self, **headers: str) -> httpx.Client:
        """A client of this agent."""
        return httpx.Client(base_url=self.url, timeout=60, headers=headers, trust_env=False)

    def logs(self) -> str:
        """Everything the process has logged so far."""
        return (self.folder / "stderr.log").read_text()

    def logs_with(self, words: str, seconds: float = 30) -> str:
        """The log when it holds `words`: a request's line is written after its answer was sent."""
        deadline = time.monotonic() + seconds
        while words not in (logs := self.logs()):
            assert time.monotonic() < deadline, f"{words!r} was not logged in {seconds} s"
            time.sleep(0.01)
        return logs


@contextlib.contextmanager
def agent_server(folder: Path, *, module: str = "infra.local.gateway", **variables: str) -> Iterator[Agent]:
    """Starts the gateway, or another module that serves, in `folder`; settings on top of the defaults.

    It is stopped with SIGTERM.
    """
    agent = start_agent(folder, module=module, **variables)
    try:
        yield agent
    finally:
        end_agent(agent)


@contextlib.contextmanager
def fresh_agent_server(folder: Path) -> Iterator[Agent]:
    """As `agent_server`, by the very command of `make run`: nothing is imported yet when it starts."""
    agent = _start(fresh_process, folder, "infra.local.gateway", {})
    try:
        yield agent
    finally:
        end_agent(agent)


def start_agent(folder: Path, *, module: str = "infra.local.gateway", **variables: str) -> Agent:
    """Starts it, on what is in `folder` already."""
    return _start(fork_process, folder, module, variables)


def _start(
    new_process: Callable[[str, Path, dict[str, str], IO[str]], AgentProcess],
    folder: Path,
    module: str,
    variables: dict[str, str],
) -> Agent:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(folder / "data"),
        "PORT": "0",
        **variables,
    }
    with (folder / "stderr.log").open("a") as log:
        process = new_process(module, folder, environment, log)
    assert process.stdout is not None
    banner = process.stdout.readline()
    found = _BANNER.search(banner)
    agent = Agent(f"http://127.0.0.1:{found[1] if found else 0}", folder, banner.strip(), process)
    if found is None:
        end_agent(agent)
        raise AssertionError(f"the agent did not start: {(folder / 'stderr.log').read_text()}")
    return agent


def end_agent(agent: Agent) -> None:
    """Stops it with SIGTERM, and by force when that takes over a minute."""
    process = agent.process
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
