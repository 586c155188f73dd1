"""Prometheus metrics, by the names of the contract, section 8."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.agent.engine import EndedTurn

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_OVERHEAD = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1, 2)


class Telemetry:
    """The process's metrics; one a process, as Prometheus counts by process.

    The client library is loaded with the first figure, which comes after the first answer.
    """

    def __init__(self) -> None:
        self._active: Callable[[], int] = int

    def watch_sessions(self, count: Callable[[], int]) -> None:
        """Where the number of active sessions is read when metrics are."""
        self._active = count

    def request(self, model: str, route: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        self._metrics.requests.labels(model, route, str(status)).inc()

    def turn(self, ended: EndedTurn) -> None:
        """Counts a turn that has ended here, its tokens and its tools."""
        from shared.turn import ModelStep

        metrics = self._metrics
        model = next((s.model for s in ended.turn.steps if isinstance(s, ModelStep)), "none")
        usage = ended.turn.usage
        metrics.seconds.labels(model).observe(ended.seconds)
        metrics.overhead.observe(max(0.0, ended.seconds - ended.model_seconds - ended.tool_seconds))
        metrics.tokens.labels(model, "input").inc(usage.input_tokens)
        metrics.tokens.labels(model, "output").inc(usage.output_tokens)
        metrics.length.observe(ended.turn.number)
        for call, result in ended.turn.tool_calls:
            if result is not None:
                self.tool(call.name, result.status, "chat")

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
        self.sessions = Gauge("active_ai_sessions", "Sessions with a running turn", registry=registry)
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
            "conversation_length", "Turns of a session", buckets=(1, 2, 5, 10, 20, 50, 100), registry=registry
        )
        self.tokens = Counter("ai_tokens", "Tokens", ["model", "direction"], registry=registry)
        self.overhead = Histogram(
            "turn_overhead_seconds",
            "Turn time less model and tool time",
            buckets=_OVERHEAD,
            registry=registry,
        )
