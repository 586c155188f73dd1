"""A tracer that keeps its spans, for tests of what is traced."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared.tracing.context import TraceContext
from shared.tracing.port import Kind, Value
from shared.tracing.spans import use_tracer

# Of a caller that tests make up.
PLACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", True)
ELSEWHERE = TraceContext("1" * 32, "2" * 16, True)


@dataclass(slots=True)
class Kept:
    """One span as it was told."""

    title: str
    kind: Kind
    parent: TraceContext | None
    links: tuple[TraceContext, ...]
    attributes: dict[str, Value]
    context: TraceContext
    failed: str | None = None
    ended: bool = False

    def name(self, name: str) -> None:
        self.title = name

    def set(self, name: str, value: Value | None) -> None:
        if value is not None:
            self.attributes[name] = value

    def fail(self, kind: str) -> None:
        self.failed = kind

    def end(self) -> None:
        assert not self.ended
        self.ended = True


@dataclass(slots=True)
class Collecting:
    """`Tracer` that keeps everything."""

    spans: list[Kept] = field(default_factory=list)
    flushes: int = 0
    hang: threading.Event | None = None

    def begin(
        self,
        name: str,
        *,
        kind: Kind,
        parent: TraceContext | None,
        links: tuple[TraceContext, ...],
        attributes: Mapping[str, Value],
    ) -> Kept:
        trace_id = secrets.token_hex(16) if parent is None else parent.trace_id
        kept = Kept(
            title=name,
            kind=kind,
            parent=parent,
            links=links,
            attributes=dict(attributes),
            context=TraceContext(trace_id, secrets.token_hex(8), True),
        )
        self.spans.append(kept)
        return kept

    def flush(self) -> None:
        self.flushes += 1
        if self.hang is not None:
            self.hang.wait(30)

    @property
    def titles(self) -> list[str]:
        """The names of the spans, in the order they began."""
        return [span.title for span in self.spans]

    def one(self, title: str) -> Kept:
        """The one span of that name."""
        [found] = (span for span in self.spans if span.title == title)
        return found


@contextmanager
def collecting() -> Iterator[Collecting]:
    """Spans of the body are kept."""
    tracer = Collecting()
    use_tracer(tracer)
    try:
        yield tracer
    finally:
        use_tracer(None)
