"""The ways of events out of a process and into it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.errors import AppError
from shared.ids import new_id
from shared.opened.stores import Stores
from shared.tracing.spans import flush

if TYPE_CHECKING:
    from shared.events.bridge.bridge import Bridge
    from shared.events.nats import NatsPublisher
    from shared.events.relay import EventRelay

PUBLISH_SECONDS = 5.0
FLUSH_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Events(Stores):
    """What takes stored events out, and the platform's in."""

    def relay(self) -> EventRelay:
        """What takes stored events to where they go; it looks for them from the first use on."""
        from shared.events.relay import EventRelay
        from shared.events.select import open_publishers, waits_for_nobody

        if "relay" not in self._open:
            self._open["relay"] = EventRelay(
                open_store=self.store,
                publishers=open_publishers(self.settings, self.clock),
                clock=self.clock,
                holder=new_id(),
                debounce_seconds=1.0 if waits_for_nobody(self.settings) else 0.02,
            )
        relay: EventRelay = self._open["relay"]
        relay.begin()
        return relay

    def bridge(self) -> Bridge:
        """What brings the platform's events from NATS; raises BrokerUnavailableError without NATS_URL."""
        from shared.events.bridge.select import open_bridge

        if "bridge" not in self._open:
            self._open["bridge"] = open_bridge(self.settings, self.clock)
            self.telemetry.watch_bridge(self._open["bridge"].figures)
        bridge: Bridge = self._open["bridge"]
        return bridge

    def nats_publisher(self) -> NatsPublisher:
        """Publishes the agent's events that another process has stored; the relay has its own."""
        from shared.events.nats import NatsPublisher
        from shared.events.select import nats_access

        if "nats_publisher" not in self._open:
            self._open["nats_publisher"] = NatsPublisher(nats_access(self.settings))
        publisher: NatsPublisher = self._open["nats_publisher"]
        return publisher

    def publish_soon(self) -> None:
        """An event was stored in this process: it goes out in a moment."""
        self.relay().soon()

    async def publish_now(self) -> None:
        """Publishes what waits, for at most PUBLISH_SECONDS: the process may be throttled after this."""
        try:
            await self.relay().drain(seconds=PUBLISH_SECONDS)
        except AppError as error:
            # The next process that looks publishes it.
            _log.warning("events not published", extra={"code": error.code})
        await flush(seconds=FLUSH_SECONDS)

    def _outbox_lag(self) -> tuple[float, float] | None:
        relay = self._open.get("relay")
        lag = relay.lag if relay is not None else None
        if lag is None:
            return None
        if lag.oldest is None:
            return 0.0, 0.0
        return float(lag.waiting), max(0.0, (self.clock() - lag.oldest).total_seconds())
