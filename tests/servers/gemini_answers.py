"""What the Gemini test server answers: the small language in which tests write its replies.

Parts (`call`, `text`, `thought`, a plain string) make chunks; answers (`reply`, `status`, `hang`, ...) are
what one request gets. Chunk forms are those of the public REST reference of `models.streamGenerateContent`.
"""

from __future__ import annotations

import asyncio
import base64
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

import orjson

MODEL_VERSION = "gemini-2.5-flash-001"

Part = dict[str, Any]

# The names Google gives to HTTP statuses in `error.status` (google.rpc.Code).
_RPC_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Gate:
    """A place in a reply where the server waits until the test calls `open`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def open(self) -> None:
        """Lets every reply that waits here, or comes here later, go on; may be called from any thread."""
        with self._lock:
            self._opened = True
            for loop, event in self._waiting:
                loop.call_soon_threadsafe(event.set)

    async def passed(self) -> None:
        """Returns when the gate is open."""
        event = asyncio.Event()
        with self._lock:
            if self._opened:
                return
            self._waiting.append((asyncio.get_running_loop(), event))
        await event.wait()


Step = bytes | float | Gate | Literal["cut", "hang"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer: a status with `body`, or 200 with `steps` of a stream, played in order.

    A step is the bytes of one server-sent chunk, a pause in seconds, a gate, `cut` (the connection is
    dropped) or `hang` (nothing more comes). `parts` are all parts sent, for the check of signatures.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    steps: tuple[Step, ...] = ()
    parts: tuple[Part, ...] = field(default=(), hash=False)


def text(value: str, *, signature: bytes | None = None) -> Part:
    """A text part, with the thought signature the client must send back."""
    return _signed({"text": value}, signature)


def call(
    name: str,
    arguments: dict[str, Any] | None = None,
    *,
    id: str | None = None,
    signature: bytes | None = None,
) -> Part:
    """A function call part; without `id` the client must make one."""
    inner: dict[str, Any] = {"name": name, "args": arguments or {}}
    if id is not None:
        inner["id"] = id
    return _signed({"functionCall": inner}, signature)


def thought(value: str) -> Part:
    """A part in which the model thinks; it is not for the user."""
    return {"text": value, "thought": True}


def reply(
    *items: str | Part | tuple[Part, ...] | Gate | float,
    finish: str | None = "STOP",
    usage: tuple[int, int, int] = (10, 5, 0),
    model_version: str = MODEL_VERSION,
) -> Answer:
    """A streamed reply: one chunk a part (a tuple of parts makes one chunk), gates and pauses between them.

    The last chunk carries `finish` and the whole `usage` (prompt, candidates, thoughts); earlier ones carry
    counts that are not yet whole. `finish` None ends the stream without a reason, as a broken proxy does.
    """
    groups = [_parts_of(item) for item in items if not isinstance(item, Gate | float)]
    last = len(groups) - 1
    steps: list[Step] = []
    number = 0
    for item in items:
        if isinstance(item, Gate | float):
            steps.append(item)
            continue
        reason = finish if number == last else None
        counts = usage if number == last else (usage[0], number, 0)
        steps.append(_frame(_chunk(groups[number], reason, counts, model_version)))
        number += 1
    if not groups:
        steps.append(_frame(_chunk([], finish, usage, model_version)))
    return Answer(steps=tuple(steps), parts=tuple(part for group in groups for part in group))


def empty() -> Answer:
    """A candidate that stops without a part."""
    return reply()


def finish(reason: str, *items: str | Part) -> Answer:
    """A reply that ends for another reason than STOP, after these parts."""
    return reply(*items, finish=reason)


def blocked(reason: str = "SAFETY") -> Answer:
    """A prompt the service will not answer: no candidate, only feedback."""
    chunk = {
        "promptFeedback": {"blockReason": reason},
        "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10},
        "modelVersion": MODEL_VERSION,
    }
    return Answer(steps=(_frame(chunk),))


def grounded(
    answer: str,
    *,
    sources: tuple[tuple[str, str], ...] = (),
    supports: tuple[tuple[str, tuple[int, ...]], ...] = (),
) -> Answer:
    """A reply grounded in Google Search: sources (title, address), and which sentence of the answer each
    supports, by their indices. Segment ends count UTF-8 bytes, as the service counts them.
    """
    metadata: dict[str, Any] = {
        "webSearchQueries": ["scripted query"],
        "searchEntryPoint": {"renderedContent": "<div></div>"},
        "groundingChunks": [{"web": {"uri": uri, "title": title}} for title, uri in sources],
        "groundingSupports": [
            {"segment": _segment(answer, sentence), "groundingChunkIndices": list(indices)}
            for sentence, indices in supports
        ],
    }
    chunk = _chunk([{"text": answer}], "STOP", (10, 5, 0), MODEL_VERSION)
    chunk["candidates"][0]["groundingMetadata"] = metadata
    return Answer(steps=(_frame(chunk),), parts=({"text": answer},))


def status(
    code: int,
    *,
    reason: str | None = None,
    message: str = "scripted failure",
    retry_delay: str | None = None,
    retry_after: str | None = None,
) -> Answer:
    """An error answer; `reason` goes in ErrorInfo, `retry_delay` ("1.5s") in RetryInfo."""
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json; charset=UTF-8"),)
    if retry_after is not None:
        headers += (("retry-after", retry_after),)
    return Answer(status=code, headers=headers, body=orjson.dumps(_error(code, message, reason, retry_delay)))


def page(code: int, html: str = "<html><body>Bad Gateway</body></html>") -> Answer:
    """An answer of something in between that is no API: HTML."""
    return Answer(status=code, headers=(("content-type", "text/html"),), body=html.encode())


def hang(*items: str | Part) -> Answer:
    """A stream that sends these parts and then nothing, until the client leaves."""
    return _broken(items, "hang")


def cut_after(chunks: int, *items: str | Part) -> Answer:
    """A connection that drops after this many chunks of `items`, or of words of its own."""
    return _broken((items or tuple(f"chunk {n} " for n in range(chunks)))[:chunks], "cut")


def error_after(code: int, *items: str | Part, retry_delay: str | None = None) -> Answer:
    """A stream that sends these parts, then an error object in place of a chunk."""
    opening = _broken(items, "cut")
    return Answer(
        steps=(*opening.steps[:-1], _frame(_error(code, "scripted failure", None, retry_delay))),
        parts=opening.parts,
    )


def _broken(items: tuple[str | Part, ...], end: Literal["cut", "hang"]) -> Answer:
    groups = [_parts_of(item) for item in items]
    frames = [
        _frame(_chunk(group, None, (10, number, 0), MODEL_VERSION)) for number, group in enumerate(groups)
    ]
    return Answer(steps=(*frames, end), parts=tuple(part for group in groups for part in group))


def _parts_of(item: str | Part | tuple[Part, ...]) -> list[Part]:
    if isinstance(item, tuple):
        return list(item)
    return [{"text": item} if isinstance(item, str) else item]


def _segment(answer: str, sentence: str) -> dict[str, Any]:
    start = len(answer[: answer.index(sentence)].encode())
    return {"startIndex": start, "endIndex": start + len(sentence.encode()), "text": sentence}


def _signed(part: Part, signature: bytes | None) -> Part:
    if signature is not None:
        part["thoughtSignature"] = base64.b64encode(signature).decode()
    return part


def _chunk(
    parts: list[Part], reason: str | None, usage: tuple[int, int, int], version: str
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if not parts:
        candidate["content"] = {"role": "model"}
    if reason is not None:
        candidate["finishReason"] = reason
    prompt, candidates, thoughts = usage
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": candidates,
        "totalTokenCount": prompt + candidates + thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
    }
    if thoughts:
        counts["thoughtsTokenCount"] = thoughts
    return {
        "candidates": [candidate],
        "usageMetadata": counts,
        "modelVersion": version,
        "responseId": "scripted",
    }


def _error(code: int, message: str, reason: str | None, retry_delay: str | None) -> dict[str, Any]:
    details: list[dict[str, Any]] = []
    if reason is not None:
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": reason,
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
        )
    if retry_delay is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay})
    name = _RPC_NAMES.get(code, HTTPStatus(code).phrase.upper().replace(" ", "_"))
    error: dict[str, Any] = {"code": code, "message": message, "status": name}
    if details:
        error["details"] = details
    return {"error": error}


def _frame(chunk: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\r\n\r\n"
