"""What the bridge has done in this process, for metrics, health and answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class BridgeFigures:
    """Counts since the start. `received` also counts what there is nothing to hand on of.

    `failed` are deliveries that come again; `lag` is None until the broker has said it, and when it is away.
    """

    received: int = 0
    redelivered: int = 0
    forwarded: int = 0
    failed: int = 0
    dead_lettered: int = 0
    published: int = 0
    lag: int | None = None

    def add(self, other: BridgeFigures) -> None:
        """Adds the other's counts."""
        self.received += other.received
        self.redelivered += other.redelivered
        self.forwarded += other.forwarded
        self.failed += other.failed
        self.dead_lettered += other.dead_lettered
