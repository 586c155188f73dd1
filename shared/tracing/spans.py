"""Spans around pieces of work: `with span("chat", ...) as s`. Where nothing collects they cost a call.

One tracer serves the process, as one log does: what is traced does not know of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from types import TracebackType

from shared.errors import AppError
from shared.tracing.context import TraceContext, _current
from shared.tracing.port import Kind, Span, Tracer, Value

_NONE: Mapping[str, Value] = {}


class _NoSpan:
    """Where nothing collects."""

    context = None

    def name(self, name: str) -> None:
        """Nobody is told."""

    def set(self, name: str, value: Value | None) -> None:
        """Nobody is told."""

    def fail(self, kind: str) -> None:
        """Nobody is told."""

    def end(self) -> None:
        """Nobody is told."""


NO_SPAN = _NoSpan()


class _NoScope:
    """A `with` that does nothing, the same for all."""

    def __enter__(self) -> Span:
        return NO_SPAN

    def __exit__(self, *_: object) -> None:
        """Nothing was begun."""


_NO_SCOPE = _NoScope()
_tracer: Tracer | None = None


def use_tracer(tracer: Tracer | None) -> None:
    """Collects spans with it from now on; None collects none."""
    global _tracer  # noqa: PLW0603 - one a process, as the root logger is
    _tracer = tracer


def is_tracing() -> bool:
    """Whether spans are collected."""
    return _tracer is not None


def span(
    name: str,
    kind: Kind = "internal",
    attributes: Mapping[str, Value] = _NONE,
    *,
    parent: TraceContext | None = None,
    links: tuple[TraceContext, ...] = (),
) -> AbstractContextManager[Span]:
    """A span around the body, beneath `parent`, or beneath what the task is at.

    What the body raises makes it fail, but for what the caller is at fault for. Not for the body of an
    asynchronous generator, whose pieces run in the contexts of its readers.
    """
    if _tracer is None:
        return _NO_SCOPE if parent is None else Within(parent)
    return _Scope(_tracer, name, kind=kind, attributes=attributes, parent=parent, links=links)


def begin_span(
    name: str,
    kind: Kind,
    attributes: Mapping[str, Value] = _NONE,
    *,
    parent: TraceContext | None = None,
    links: tuple[TraceContext, ...] = (),
) -> Span:
    """A span that whoever asked for it ends; the task stays where it is."""
    if _tracer is None:
        return NO_SPAN
    above = parent if parent is not None else _current.get()
    return _tracer.begin(name, kind=kind, parent=above, links=links, attributes=attributes)


async def flush(*, seconds: float) -> None:
    """Sends what has ended, for at most so long: the process may stand still after this."""
    if _tracer is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.to_thread(_tracer.flush)


class Within:
    """The body is at this place of a trace, which another process or task has begun."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: TraceContext | None) -> None:
        self._context = context

    def __enter__(self) -> Span:
        self._token = _current.set(self._context)
        return NO_SPAN

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


class _Scope:
    __slots__ = ("_attributes", "_kind", "_links", "_name", "_parent", "_span", "_token", "_tracer")

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        *,
        kind: Kind,
        attributes: Mapping[str, Value],
        parent: TraceContext | None,
        links: tuple[TraceContext, ...],
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._kind = kind
        self._attributes = attributes
        self._parent = parent
        self._links = links

    def __enter__(self) -> Span:
        parent = self._parent if self._parent is not None else _current.get()
        self._span = self._tracer.begin(
            self._name, kind=self._kind, parent=parent, links=self._links, attributes=self._attributes
        )
        self._token = _current.set(self._span.context)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.reset(self._token)
        if error is not None:
            told(self._span, error)
        self._span.end()


def told(span: Span, error: BaseException) -> None:
    """Says on the span what went wrong: by its code or type, for messages may quote what users said."""
    if isinstance(error, AppError):
        if error.http_status >= 500:
            span.fail(error.code)
        else:
            span.set("error.type", error.code)
    elif isinstance(error, asyncio.CancelledError):
        span.set("error.type", "cancelled")
    else:
        span.fail("timeout" if isinstance(error, TimeoutError) else type(error).__name__)
