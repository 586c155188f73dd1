"""The metrics themselves, by the names of the contract, section 8, and some of our own beside them.

Imported with the first figure, which comes after the first answer: the client library takes its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from shared.events.bridge.figures import BridgeFigures

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_MESSAGES = (2, 4, 10, 20, 50, 100, 200, 500, 1000, 2000)
_OVERHEAD = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1, 2)


class Metrics:
    """The metrics of one process; `registry` is theirs alone."""

    def __init__(self) -> None:
        # A series beside each counter that tells when it began is in no contract. The library has no type for
        # this function.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "ai_requests", "Requests served", ["model", "request_type", "status"], registry=registry
        )
        self.seconds = Histogram(
            "ai_response_time_seconds", "Time of a turn", ["model"], buckets=_SECONDS, registry=registry
        )
        self.sessions = Gauge(
            "active_ai_sessions",
            "Sessions with a turn running",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.waiting = Gauge(
            "outbox_waiting_events",
            "Events that wait to be published, at the last look",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.oldest = Gauge(
            "outbox_oldest_seconds",
            "Time since the oldest event that waits was stored",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.events = Counter("events_received", "Events taken in", ["type", "outcome"], registry=registry)
        self.letters = Gauge(
            "dead_letters_waiting",
            "Events that were not applied, at the last look",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.tools = Counter(
            "tools_executed",
            "Tool calls",
            ["tool_name", "execution_status", "session_type"],
            registry=registry,
        )
        self.artifacts = Counter(
            "artifacts_created", "Artifact versions saved", ["artifact_type"], registry=registry
        )
        self.length = Histogram(
            "conversation_length",
            "Messages of a session when a turn of it ends",
            buckets=_MESSAGES,
            registry=registry,
        )
        self.tokens = Counter("ai_tokens", "Tokens", ["model", "direction"], registry=registry)
        self.overhead = Histogram(
            "turn_overhead_seconds",
            "Turn time less model and tool time",
            buckets=_OVERHEAD,
            registry=registry,
        )

    def text(self, more: Iterable[Collector] = ()) -> bytes:
        """These in Prometheus' text format, then those of `more`."""
        beside = CollectorRegistry()
        for each in more:
            beside.register(each)
        return generate_latest(self.registry) + generate_latest(beside)


class BridgeMetrics(Collector):
    """Figures of the bridge as metrics; the lag is left out while it is not known."""

    def __init__(self, figures: BridgeFigures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        counts = {
            "nats_received": ("Messages taken from NATS", figures.received),
            "nats_redeliveries": ("Messages that came again", figures.redelivered),
            "nats_forwarded": ("Events that were accepted", figures.forwarded),
            "nats_failed": ("Messages that were left to come again", figures.failed),
            "nats_dead_lettered": ("Messages that went to the dead letters", figures.dead_lettered),
            "nats_published": ("Events of the agent published to NATS", figures.published),
        }
        for name, (told, count) in counts.items():
            yield CounterMetricFamily(name, told, value=count)
        if figures.lag is not None:
            yield GaugeMetricFamily(
                "nats_lag", "Messages that wait in NATS or are under way", value=figures.lag
            )
