"""The processes of one setting: a model server, the three contenders on it, and their clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.callers import Load
from bench.processes import BenchError, Child, free_port, python
from bench.worker import ask, load_of

_BANNER = re.compile(r"serves http://localhost:(\d+)")

GENAI = "google-genai"
BARE = "bare server"
AGENT = "agent"
CONTENDERS = (GENAI, BARE, AGENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """How the model server answers every call: milliseconds to the first chunk and between chunks."""

    name: str
    first_token_ms: float
    chunks: int
    chunk_ms: float

    def command(self, port: int) -> tuple[str, ...]:
        """The command that serves it."""
        return python(
            "-m",
            "tests.servers.gemini",
            f"--port={port}",
            f"--first-token-ms={self.first_token_ms}",
            f"--chunks={self.chunks}",
            f"--chunk-ms={self.chunk_ms}",
        )


INSTANT = Model(name="instant", first_token_ms=0, chunks=20, chunk_ms=0)
REALISTIC = Model(name="realistic", first_token_ms=400, chunks=20, chunk_ms=20)
# One word, and then nothing for longer than any measurement takes.
HANGING = Model(name="hanging", first_token_ms=0, chunks=2, chunk_ms=600_000)


@dataclass(slots=True, kw_only=True)
class Contender:
    """One of the three: `served` is the process that is measured, `worker` the one that makes turns."""

    name: str
    served: Child
    worker: Child
    port: int = 0

    def in_sequence(self, *, turns: int, session_turns: int = 1) -> Load:
        """See `bench.callers.in_sequence`; raises BenchError when it cannot."""
        return load_of(self._ask("in_sequence", turns=turns, session_turns=session_turns))

    def at_once(self, *, clients: int, seconds: float, spread: float = 0.0) -> Load:
        """See `bench.callers.at_once`; raises BenchError when it cannot."""
        return load_of(self._ask("at_once", clients=clients, seconds=seconds, spread=spread))

    def held_open(self, *, first: int, streams: int) -> int:
        """See `bench.callers.held_open`; raises BenchError when it cannot."""
        return int(self._ask("held_open", first=first, streams=streams))

    def _ask(self, do: str, **given: Any) -> Any:
        try:
            return ask(self.worker, do, **given)
        except BenchError as error:
            state = self.served.process.poll()
            what = f"failed at {do} ({error}); " + (
                "it runs on" if state is None else f"it ended with {state}"
            )
            raise self.served.failure(what) from error


@dataclass(slots=True, kw_only=True)
class Rig:
    """The running processes of one setting."""

    model: Model
    contenders: dict[str, Contender]
    folder: Path
    agent_tools: Contender
    _stack: ExitStack
    _model_port: int
    _model_server: Child

    def restart_model(self) -> None:
        """Ends the model server, and with it every open stream, and starts another in its place."""
        self._model_server.stop()
        self._model_server = self._stack.enter_context(
            _model_server(self.model, self._model_port, self.folder)
        )


@contextmanager
def rig(model: Model, folder: Path, *, warm_up_turns: int, database_url: str = "") -> Iterator[Rig]:
    """Starts everything, makes some turns with each contender, and stops everything when the block ends.

    `database_url` is the agent's, by default a new SQLite file.

    Raises:
        BenchError: a process did not start.
    """
    folder.mkdir(parents=True)
    port, bare_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        start = partial(_start, stack, folder)
        # All begin before any is waited for: most of their start is imports.
        genai = start("bare_genai", python("-m", "bench.bare_genai", f"--model-url={url}"), talks=True)
        bare = start(
            "bare_server", python("-m", "bench.bare_server", f"--model-url={url}", f"--port={bare_port}")
        )
        agent = _start_agent(stack, folder, url, database_url)
        server = stack.enter_context(_model_server(model, port, folder))
        bare.wait_for_port(bare_port)
        agent_port = _port_of(agent)

        def served(name: str, child: Child, at: int, *more: str) -> Contender:
            command = python("-m", "bench.load_generator", f"--port={at}", *more)
            clients = start(f"clients of {name}", command, talks=True)
            return Contender(name=name, served=child, worker=clients, port=at)

        running = Rig(
            model=model,
            contenders={
                GENAI: Contender(name=GENAI, served=genai, worker=genai),
                BARE: served(BARE, bare, bare_port),
                AGENT: served(AGENT, agent, agent_port),
            },
            folder=folder,
            agent_tools=served("agent with tools", agent, agent_port, "--tools"),
            _stack=stack,
            _model_port=port,
            _model_server=server,
        )
        for contender in running.contenders.values():
            _warm_up(contender, model, warm_up_turns)
        yield running


def _start(
    stack: ExitStack,
    folder: Path,
    name: str,
    command: tuple[str, ...],
    *,
    talks: bool = False,
    **variables: str,
) -> Child:
    return stack.enter_context(Child(name, command, folder=folder, talks=talks, **variables))


def _warm_up(contender: Contender, model: Model, turns: int) -> None:
    if model is not HANGING:
        load = contender.at_once(clients=turns, seconds=0)
        if load.errors:
            raise contender.served.failure(f"failed at warm-up: {dict(load.errors)}")


def _model_server(model: Model, port: int, folder: Path) -> Child:
    child = Child("model", model.command(port), folder=folder)
    child.wait_for_port(port)
    return child


def _start_agent(stack: ExitStack, folder: Path, url: str, database_url: str) -> Child:
    """The gateway as `make run` starts it."""
    return _start(
        stack,
        folder,
        "agent",
        python("-m", "infra.local.gateway"),
        talks=True,
        PORT="0",
        DATA_DIR=str(folder / "data"),
        DATABASE_URL=database_url,
        GEMINI_API_KEY="bench-key",
        GEMINI_BASE_URL=url,
    )


def _port_of(agent: Child) -> int:
    """The port that the agent says it serves on, as soon as it does."""
    assert agent.process.stdout is not None
    found = _BANNER.search(agent.process.stdout.readline().decode())
    if found is None:
        raise agent.failure("did not start")
    return int(found[1])
