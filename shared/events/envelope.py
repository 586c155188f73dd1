"""An event as CloudEvents 1.0 has it, and its forms on the way out.

Source: CloudEvents 1.0.2, and its bindings for NATS and HTTP (attributes as headers `ce-...`); attributes of
Pub/Sub are named alike. The body of what is published is the contract's: `{"type", "timestamp", "data"}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from shared.clock import to_wire
from shared.sessions.outbox_port import StoredEvent

SOURCE = "urn:the0:agent"
SPEC_VERSION = "1.0"
# An extension attribute: letters and digits alone.
UNDELIVERABLE = "deadletterreason"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvent:
    """One event. `source` and `id` together name it for good; `subject` is its session, where it has one.

    Of two events with one subject and one destination, the earlier goes out first. `undeliverable` is why it
    is for the dead-letter record alone: whoever brought it could not hand it on to be acted upon.
    """

    id: str
    source: str
    type: str
    data: Any = field(hash=False)
    time: datetime | None = None
    subject: str | None = None
    traceparent: str | None = None
    undeliverable: str | None = None

    def attributes(self) -> dict[str, str]:
        """The CloudEvents attributes, as headers or attributes of a message."""
        known = {
            "ce-specversion": SPEC_VERSION,
            "ce-id": self.id,
            "ce-source": self.source,
            "ce-type": self.type,
            "ce-time": None if self.time is None else to_wire(self.time),
            "ce-subject": self.subject,
            f"ce-{UNDELIVERABLE}": self.undeliverable,
            # As the extension has it; and as a header that whatever lies in between knows, and may change.
            "ce-traceparent": self.traceparent,
            "traceparent": self.traceparent,
        }
        return {name: value for name, value in known.items() if value is not None}

    def body(self) -> bytes:
        """The contract's form of a published event."""
        stamp = None if self.time is None else to_wire(self.time)
        return orjson.dumps({"type": self.type, "timestamp": stamp, "data": self.data})


def cloud_event(stored: StoredEvent) -> CloudEvent:
    """An event of the outbox, under the id that its cause gave it."""
    return CloudEvent(
        id=stored.event.event_id,
        source=SOURCE,
        type=stored.event.type,
        time=stored.created_at,
        subject=stored.key.session_id,
        data=stored.event.data,
        traceparent=stored.event.traceparent,
    )


def by_subject(events: tuple[CloudEvent, ...]) -> list[tuple[CloudEvent, ...]]:
    """The events of each subject, in their order: between subjects there is none to keep."""
    groups: dict[str, list[CloudEvent]] = {}
    for event in events:
        groups.setdefault(event.subject or "", []).append(event)
    return [tuple(group) for group in groups.values()]
