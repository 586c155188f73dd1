"""Prometheus metrics, by the names of the contract, section 8."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

    from shared.agent.engine import EndedTurn
    from shared.events.bridge.figures import BridgeFigures

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_MESSAGES = (2, 4, 10, 20, 50, 100, 200, 500, 1000, 2000)
_OVERHEAD = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1, 2)


class Telemetry:
    """The process's metrics; one a process, as Prometheus counts by process.

    The client library is loaded with the first figure, which comes after the first answer.
    """

    def __init__(self) -> None:
        self._active: Callable[[], int] = int
        self._outbox: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)
        self._letters: Callable[[], int] = int

    def watch_sessions(self, count: Callable[[], int]) -> None:
        """Where the number of active sessions is read when metrics are."""
        self._active = count

    def watch_outbox(self, lag: Callable[[], tuple[float, float]]) -> None:
        """Where the outbox's lag is read when metrics are: events that wait, seconds since the oldest."""
        self._outbox = lag

    def watch_bridge(self, figures: BridgeFigures) -> None:
        """What the bridge to NATS has done, read when metrics are."""
        self._metrics.registry.register(_Bridge(figures))

    def watch_letters(self, count: Callable[[], int]) -> None:
        """Where the number of dead letters that wait is read when metrics are."""
        self._letters = count

    def events_received(self, kind: str, outcome: str, number: int) -> None:
        """Counts events that came in, by type (`other`: one that is not known) and by what became of them."""
        self._metrics.events.labels(kind, outcome).inc(number)

    def request(self, model: str, route: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        self._metrics.requests.labels(model, route, str(status)).inc()

    def turn(self, ended: EndedTurn) -> None:
        """Counts a turn that has ended here, its tokens and its tools.

        Of a turn that was taken up again after an end, what was counted then is not counted again.
        """
        from shared.messages import Usage
        from shared.turn import FinalStep, ModelStep, ToolStep

        metrics, steps = self._metrics, ended.turn.steps
        ends = [number for number, step in enumerate(steps[:-1]) if isinstance(step, FinalStep)]
        fresh = steps[ends[-1] + 1 :] if ends else steps
        replies = [step for step in fresh if isinstance(step, ModelStep)]
        model = replies[0].model if replies else "none"
        usage = sum((reply.usage for reply in replies), Usage())
        metrics.seconds.labels(model).observe(ended.seconds)
        metrics.overhead.observe(max(0.0, ended.seconds - ended.model_seconds - ended.tool_seconds))
        metrics.tokens.labels(model, "input").inc(usage.input_tokens)
        metrics.tokens.labels(model, "output").inc(usage.output_tokens)
        # A turn is two messages to its user: theirs and the answer.
        metrics.length.observe(2 * ended.turn.number)
        for step in fresh:
            if isinstance(step, ToolStep):
                self.tool(step.result.name, step.result.status, "chat")

    def tool(self, name: str, status: str, session_type: str) -> None:
        """Counts a tool call; `session_type` says by which door it came."""
        self._metrics.tools.labels(name, status, session_type).inc()

    def artifact(self, kind: str) -> None:
        """Counts a saved artifact version."""
        self._metrics.artifacts.labels(kind).inc()

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._metrics.registry)

    @cached_property
    def _metrics(self) -> _Metrics:
        metrics = _Metrics()
        metrics.sessions.set_function(self._active)
        metrics.waiting.set_function(lambda: self._outbox()[0])
        metrics.oldest.set_function(lambda: self._outbox()[1])
        metrics.letters.set_function(lambda: float(self._letters()))
        return metrics


class _Metrics:
    """The metrics themselves."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "ai_requests", "Requests served", ["model", "request_type", "status"], registry=registry
        )
        self.seconds = Histogram(
            "ai_response_time_seconds", "Time of a turn", ["model"], buckets=_SECONDS, registry=registry
        )
        self.sessions = Gauge(
            "active_ai_sessions", "Sessions with a turn running in this process", registry=registry
        )
        self.waiting = Gauge(
            "outbox_waiting_events", "Events that wait to be published, at the last look", registry=registry
        )
        self.oldest = Gauge(
            "outbox_oldest_seconds", "Time since the oldest event that waits was stored", registry=registry
        )
        self.events = Counter("events_received", "Events taken in", ["type", "outcome"], registry=registry)
        self.letters = Gauge(
            "dead_letters_waiting", "Events that were not applied, at the last look", registry=registry
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


class _Bridge:
    """Figures of the bridge as metrics; the lag is left out while it is not known."""

    def __init__(self, figures: BridgeFigures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

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
