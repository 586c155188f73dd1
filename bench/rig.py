"""The processes of one setting: a model server, the three contenders on it, and their clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.callers import Load
from bench.processes import Child, free_port, python
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
        return load_of(ask(self.worker, "in_sequence", turns=turns, session_turns=session_turns))

    def at_once(self, *, clients: int, seconds: float, spread: float = 0.0) -> Load:
        """See `bench.callers.at_once`; raises BenchError when it cannot."""
        return load_of(ask(self.worker, "at_once", clients=clients, seconds=seconds, spread=spread))

    def held_open(self, *, first: int, streams: int) -> int:
        """See `bench.callers.held_open`; raises BenchError when it cannot."""
        return int(ask(self.worker, "held_open", first=first, streams=streams))


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
def rig(model: Model, folder: Path, *, warm_up_turns: int) -> Iterator[Rig]:
    """Starts everything, makes some turns with each contender, and stops everything when the block ends.

    Raises:
        BenchError: a process did not start.
    """
    folder.mkdir(parents=True)
    port = free_port()
    with ExitStack() as stack:
        server = stack.enter_context(_model_server(model, port, folder))
        url = f"http://127.0.0.1:{port}"
        genai = stack.enter_context(
            Child(
                "bare_genai",
                python("-m", "bench.bare_genai", f"--model-url={url}"),
                folder=folder,
                talks=True,
            )
        )
        bare, bare_port = _bare_server(stack, url, folder)
        agent, agent_port = _agent(stack, url, folder)
        made = {
            GENAI: Contender(name=GENAI, served=genai, worker=genai),
            BARE: Contender(
                name=BARE,
                served=bare,
                worker=_clients(stack, bare_port, folder, "bare_clients"),
                port=bare_port,
            ),
            AGENT: Contender(
                name=AGENT,
                served=agent,
                worker=_clients(stack, agent_port, folder, "agent_clients"),
                port=agent_port,
            ),
        }
        with_tools = Contender(
            name="agent with tools",
            served=agent,
            worker=_clients(stack, agent_port, folder, "agent_tool_clients", "--tools"),
            port=agent_port,
        )
        running = Rig(
            model=model,
            contenders=made,
            folder=folder,
            agent_tools=with_tools,
            _stack=stack,
            _model_port=port,
            _model_server=server,
        )
        for contender in made.values():
            _warm_up(contender, model, warm_up_turns)
        yield running


def _warm_up(contender: Contender, model: Model, turns: int) -> None:
    if model is not HANGING:
        load = contender.at_once(clients=turns, seconds=0)
        if load.errors:
            raise contender.served.failure(f"failed at warm-up: {dict(load.errors)}")


def _model_server(model: Model, port: int, folder: Path) -> Child:
    child = Child("model", model.command(port), folder=folder)
    child.wait_for_port(port)
    return child


def _bare_server(stack: ExitStack, url: str, folder: Path) -> tuple[Child, int]:
    port = free_port()
    command = python("-m", "bench.bare_server", f"--model-url={url}", f"--port={port}")
    child = stack.enter_context(Child("bare_server", command, folder=folder))
    child.wait_for_port(port)
    return child, port


def _agent(stack: ExitStack, url: str, folder: Path) -> tuple[Child, int]:
    """The gateway as `make run` starts it, on a new SQLite file."""
    child = stack.enter_context(
        Child(
            "agent",
            python("-m", "infra.local.gateway"),
            folder=folder,
            talks=True,
            PORT="0",
            DATA_DIR=str(folder / "data"),
            GEMINI_API_KEY="bench-key",
            GEMINI_BASE_URL=url,
        )
    )
    assert child.process.stdout is not None
    found = _BANNER.search(child.process.stdout.readline().decode())
    if found is None:
        raise child.failure("did not start")
    return child, int(found[1])


def _clients(stack: ExitStack, port: int, folder: Path, name: str, *more: str) -> Child:
    command = python("-m", "bench.load_generator", f"--port={port}", *more)
    return stack.enter_context(Child(name, command, folder=folder, talks=True))
