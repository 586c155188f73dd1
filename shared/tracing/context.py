"""The place in a trace that the running task is at, and its form on the wire.

It is known whether spans are collected or not: what came with a request goes on to whoever is asked for it,
and stands in the log. Source: W3C Trace Context, level 1; Google Cloud, "Trace context" (the older header).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import Context, ContextVar
from dataclasses import dataclass

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_CLOUD = re.compile(r"([0-9a-fA-F]{32})/(\d{1,20})(?:;o=(\d))?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_LARGEST_SPAN = 2**64 - 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One span as others refer to it: ids in lower-case hex, and whether the trace is collected."""

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def traceparent(self) -> str:
        """The form that goes out, in headers and attributes of that name."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def current() -> TraceContext | None:
    """Where the running task is; None outside of any trace."""
    return _current.get()


def current_traceparent() -> str | None:
    """The same as `traceparent`."""
    found = _current.get()
    return None if found is None else found.traceparent


def tracing_headers() -> dict[str, str]:
    """What one of our own services is sent, so that it goes on in this trace."""
    found = _current.get()
    return {} if found is None else {"traceparent": found.traceparent}


def parse_traceparent(text: str | None) -> TraceContext | None:
    """The place that a `traceparent` names; None for none and for what is not well-formed."""
    match = _PARENT.fullmatch(text) if text is not None and len(text) <= 512 else None
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    # A later version may say more behind; version 00 may not.
    if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & 1))


def incoming(headers: Iterable[tuple[bytes, bytes]]) -> TraceContext | None:
    """The place that a request says it was sent from, by `traceparent` or X-Cloud-Trace-Context."""
    older = None
    for name, value in headers:
        if name == b"traceparent":
            return parse_traceparent(value.decode("latin-1"))
        if name == b"x-cloud-trace-context":
            older = value
    return None if older is None else _of_cloud(older.decode("latin-1"))


def outside() -> Context:
    """An empty context, for tasks that go on when the request that began them is long over."""
    return Context()


def _of_cloud(text: str) -> TraceContext | None:
    match = _CLOUD.fullmatch(text)
    if match is None:
        return None
    trace_id, number, option = match[1].lower(), int(match[2]), match[3]
    if trace_id == _NO_TRACE or not 0 < number <= _LARGEST_SPAN:
        return None
    return TraceContext(trace_id, f"{number:016x}", option == "1")
