"""What the code that is traced asks of whoever collects traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from shared.tracing.context import TraceContext

Kind = Literal["server", "client", "producer", "consumer", "internal"]
Value = str | int | float | bool | tuple[str, ...]


class Span(Protocol):
    """One piece of work of a trace. Attributes are ids, counts and codes; never text or secrets."""

    @property
    def context(self) -> TraceContext | None:
        """How others refer to it; None where nothing collects."""
        ...

    def name(self, name: str) -> None:
        """Gives it another name, when the right one is known late."""
        ...

    def set(self, name: str, value: Value | None) -> None:
        """Sets an attribute; None sets none."""
        ...

    def fail(self, kind: str) -> None:
        """It went wrong; `kind` is a code or the name of a type."""
        ...

    def end(self) -> None:
        """It is over."""
        ...


class Tracer(Protocol):
    """Collects spans and sends them somewhere, in the background; none of its methods raises."""

    def begin(
        self,
        name: str,
        *,
        kind: Kind,
        parent: TraceContext | None,
        links: tuple[TraceContext, ...],
        attributes: Mapping[str, Value],
    ) -> Span:
        """A span that begins now; without a parent it is the first of a trace."""
        ...

    def flush(self) -> None:
        """Sends what has ended, and waits for that; blocks."""
        ...
