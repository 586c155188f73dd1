"""A server that speaks Gemini's REST protocol with scripted answers, so that the real client runs in tests.

In a test: the fixture `gemini` (tests/servers/gemini_fixtures.py), scripted with the words of
gemini_answers.py. For benches, answering everything alike: `python -m tests.servers.gemini --port P
--first-token-ms 400 --chunks 20`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn

from tests.planted import GEMINI_KEY
from tests.servers.gemini_answers import Answer, Gate, Part, Step, call, reply, status
from tests.servers.gemini_protocol import ProtocolError, Signatures, check_request

API_KEY = GEMINI_KEY
WAIT_SECONDS = 10.0

_PATH = re.compile(
    r"^/(?:v1beta|v1beta1|v1)"
    r"(?P<vertex>(?:/projects/[^/]+/locations/[^/]+)?/publishers/google)?"
    r"/models/(?P<model>[^/:]+):(?P<method>generateContent|streamGenerateContent)$"
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the server got it; `headers` have lower-case names and no credentials."""

    path: str
    model: str
    vertex: bool
    stream: bool
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def contents(self) -> list[dict[str, Any]]:
        """The history the client sent."""
        return list(self.body["contents"])

    @property
    def last_user_text(self) -> str:
        """What the user said last; tool results that follow it do not count."""
        for content in reversed(self.contents):
            words = "".join(part.get("text", "") for part in content["parts"])
            if content["role"] == "user" and words:
                return words
        return ""

    @property
    def tool_results(self) -> list[dict[str, Any]]:
        """The function responses of the last content."""
        parts = self.contents[-1]["parts"]
        return [part["functionResponse"] for part in parts if "functionResponse" in part]


Script = Answer | Callable[[Request], Answer]


@dataclass(slots=True)
class _Rule:
    words: str
    answers: deque[Script]


@dataclass(slots=True)
class GeminiServer:
    """The server's script and what it saw; `url` is the client's base URL.

    `violations` are requests that the real service would refuse, `unexpected` those that no answer was left
    for: either fails the test when the fixture ends, as does an answer that was never asked for.
    """

    api_key: str | None = API_KEY
    checks: bool = True
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    open_streams: int = 0
    most_open_streams: int = 0
    _runner: uvicorn.Server | None = None
    _queue: deque[Script] = field(default_factory=deque)
    _rules: list[_Rule] = field(default_factory=list)
    _always: Script | None = None
    _signatures: Signatures = field(default_factory=Signatures)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def connections(self) -> int:
        """How many TCP connections are open."""
        return len(self._runner.server_state.connections) if self._runner is not None else 0

    def script(self, *answers: Script) -> None:
        """Adds answers to requests in the order in which they come."""
        self._queue.extend(answers)

    def on(self, words: str, *answers: Script) -> None:
        """Adds answers to requests whose last user text holds `words`, for turns that run side by side."""
        self._rules.append(_Rule(words, deque(answers)))

    def always(self, answer: Script) -> None:
        """Answers whatever no other answer is left for."""
        self._always = answer

    async def until(self, condition: Callable[[GeminiServer], bool]) -> None:
        """Waits until the condition holds, at most WAIT_SECONDS; raises AssertionError after that."""
        held = await asyncio.to_thread(self._wait, condition)
        assert held, (
            f"the Gemini server did not get there: {self.open_streams} open, {len(self.requests)} requests"
        )

    def verify(self) -> None:
        """Raises AssertionError when the script and the requests did not fit each other."""
        assert not self.violations, f"requests the real service refuses: {self.violations}"
        assert not self.unexpected, f"requests without a scripted answer: {self.unexpected}"
        left = len(self._queue) + sum(len(rule.answers) for rule in self._rules)
        assert not left, f"{left} scripted answers were never asked for"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        match = _PATH.match(scope["path"])
        if scope["method"] != "POST" or match is None:
            await _send_whole(send, status(404, message="no such method"))
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        refusal = self._refusal(headers)
        raw = await _read(receive)
        if refusal is None:
            request = _request(scope["path"], match, headers, raw)
            refusal = self._violation(request)
        if refusal is not None:
            await _send_whole(send, refusal)
            return
        answer = self._answer(request)
        for part in answer.parts:
            self._signatures.give(part)
        if "hang" in answer.steps and not request.stream:
            # Nothing is sent; the next message is that the client has left.
            await receive()
        elif answer.status != 200 or not request.stream:
            await _send_whole(send, answer)
        else:
            await self._play(answer, receive, send)

    def _refusal(self, headers: dict[str, str]) -> Answer | None:
        key = headers.get("x-goog-api-key")
        if key is None and "authorization" not in headers:
            return status(403, message="Method doesn't allow unregistered callers.")
        if key is not None and self.api_key is not None and key != self.api_key:
            return status(400, reason="API_KEY_INVALID", message=f"API key not valid: {key}")
        return None

    def _violation(self, request: Request) -> Answer | None:
        with self._changed:
            if self.checks:
                self.requests.append(request)
                try:
                    check_request(request.body, self._signatures)
                except ProtocolError as error:
                    self.violations.append(str(error))
                    return status(400, message=str(error))
            self._changed.notify_all()
        return None

    def _answer(self, request: Request) -> Answer:
        words = request.last_user_text if self._rules else ""
        rule = next((rule for rule in self._rules if rule.answers and rule.words in words), None)
        queue = rule.answers if rule is not None else self._queue
        script = queue.popleft() if queue else self._always
        if script is None:
            self.unexpected.append(request.last_user_text[:80])
            return status(400, message="no scripted answer is left")
        return script if isinstance(script, Answer) else script(request)

    async def _play(self, answer: Answer, receive: Receive, send: Send) -> None:
        """Plays the steps until they end, are cut, or the client leaves."""
        self._count(1)
        playing = asyncio.ensure_future(_play_steps(answer.steps, send))
        leaving = asyncio.ensure_future(receive())
        try:
            await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            playing.cancel()
            leaving.cancel()
            await asyncio.gather(playing, leaving, return_exceptions=True)
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._changed:
            self.open_streams += change
            self.most_open_streams = max(self.most_open_streams, self.open_streams)
            self._changed.notify_all()

    def _wait(self, condition: Callable[[GeminiServer], bool]) -> bool:
        deadline = time.monotonic() + WAIT_SECONDS
        with self._changed:
            while not condition(self):
                if time.monotonic() > deadline:
                    return False
                # Connections come and go without notice.
                self._changed.wait(0.01)
        return True


@contextmanager
def gemini_server(*, api_key: str | None = API_KEY) -> Iterator[GeminiServer]:
    """A server running on a free port, on a thread of its own, until the block ends."""
    server = GeminiServer(api_key=api_key)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server._runner = runner = uvicorn.Server(_configuration(server))
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        runner.should_exit = True
        thread.join(timeout=WAIT_SECONDS)
        listener.close()
    assert not thread.is_alive(), "the Gemini server did not stop"


def _configuration(app: GeminiServer, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        server_header=False,
        **options,
    )


def _request(path: str, match: re.Match[str], headers: dict[str, str], raw: bytes) -> Request:
    secret = {"x-goog-api-key", "authorization"}
    return Request(
        path=path,
        model=match["model"],
        vertex=match["vertex"] is not None,
        stream=match["method"] == "streamGenerateContent",
        headers={name: value for name, value in headers.items() if name not in secret},
        body=orjson.loads(raw),
    )


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _play_steps(steps: tuple[Step, ...], send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"content-disposition", b"attachment")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for step in steps:
        if isinstance(step, bytes):
            await send({"type": "http.response.body", "body": step, "more_body": True})
        elif isinstance(step, Gate):
            await step.passed()
        elif isinstance(step, float):
            await asyncio.sleep(step)
        elif step == "hang":
            await asyncio.Event().wait()
        else:
            # Returning with the body unfinished makes uvicorn drop the connection.
            return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_whole(send: Send, answer: Answer) -> None:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    body = answer.body if answer.status != 200 else _merged(answer)
    headers = headers or [(b"content-type", b"application/json; charset=UTF-8")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _merged(answer: Answer) -> bytes:
    """The chunks of a stream as the one response of `generateContent`."""
    chunks = [orjson.loads(step.removeprefix(b"data: ")) for step in answer.steps if isinstance(step, bytes)]
    whole: dict[str, Any] = chunks[-1]
    if answer.parts:
        whole["candidates"][0]["content"] = {"role": "model", "parts": list(answer.parts)}
    return orjson.dumps(whole)


def _bench_answer(arguments: argparse.Namespace) -> Script:
    """The reply of the standalone mode: with a tool's name, first a call of it, then the words."""
    steps: list[str | float] = [arguments.first_token_ms / 1000]
    for number in range(arguments.chunks):
        steps += [f"word {number} ", arguments.chunk_ms / 1000]
    words = reply(*(step for step in steps[: 2 * arguments.chunks] if step != 0.0))
    if not arguments.tool_call:
        return words
    tool_arguments: dict[str, Any] = orjson.loads(arguments.tool_arguments)
    asked: Part = call(arguments.tool_call, tool_arguments)
    pause = (arguments.first_token_ms / 1000,) if arguments.first_token_ms else ()
    calling = reply(*pause, asked)
    return lambda request: words if request.tool_results else calling


def main() -> None:
    """Serves the same answer for ever, at little cost: nothing is checked or kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--first-token-ms", type=float, default=0.0)
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--chunk-ms", type=float, default=0.0)
    parser.add_argument("--tool-call", default="", help="name of a tool to call before the words")
    parser.add_argument("--tool-arguments", default="{}", help="its arguments, JSON")
    arguments = parser.parse_args()
    server = GeminiServer(api_key=None, checks=False)
    server.always(_bench_answer(arguments))
    uvicorn.Server(_configuration(server, host="127.0.0.1", port=arguments.port, backlog=4096)).run()


if __name__ == "__main__":
    main()
