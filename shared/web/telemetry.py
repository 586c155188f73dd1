"""Counts what happens, for Prometheus; the metrics themselves are in metrics.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.web.labels import model_label, tool_label

if TYPE_CHECKING:
    from shared.agent.engine import EndedTurn
    from shared.events.bridge.figures import BridgeFigures
    from shared.web.metrics import BridgeMetrics, Metrics


class Telemetry:
    """The metrics of a process, or of all workers of its service where they share a `folder`.

    `models` are those that have series of their own. The client library is loaded with the first figure,
    which comes after the first answer.
    """

    def __init__(self, *, models: Iterable[str] = (), folder: Path | None = None) -> None:
        self._models = frozenset(models)
        self._folder = folder
        self._active: Callable[[], int] = int
        self._outbox: Callable[[], tuple[float, float] | None] = lambda: None
        self._bridge: BridgeMetrics | None = None

    def watch_sessions(self, count: Callable[[], int]) -> None:
        """Where the number of active sessions is read when metrics are."""
        self._active = count

    def watch_outbox(self, lag: Callable[[], tuple[float, float] | None]) -> None:
        """Where the outbox's lag is read when metrics are: events that wait, seconds since the oldest.

        None: this process does not know.
        """
        self._outbox = lag

    def watch_bridge(self, figures: BridgeFigures) -> None:
        """What the bridge to NATS has done, read when metrics are; of this process alone."""
        from shared.web.metrics import BridgeMetrics

        self._bridge = BridgeMetrics(figures)

    def dead_letters(self, waiting: int) -> None:
        """How many dead letters wait, at a look."""
        self._metrics.letters.set(waiting)

    def changed(self) -> None:
        """The number of active sessions has changed: other workers are to know without asking this one."""
        if self._folder is not None:
            self._metrics.sessions.set(self._active())

    def events_received(self, kind: str, outcome: str, number: int) -> None:
        """Counts events that came in, by type (`other`: one that is not known) and by what became of them."""
        self._metrics.events.labels(kind, outcome).inc(number)

    def request(self, model: str, route: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        self._metrics.requests.labels(model_label(model, self._models), route, str(status)).inc()

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
        model = model_label(replies[0].model if replies else "none", self._models)
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
        self._metrics.tools.labels(tool_label(name), status, session_type).inc()

    def artifact(self, kind: str) -> None:
        """Counts a saved artifact version."""
        self._metrics.artifacts.labels(kind).inc()

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        metrics = self._metrics
        metrics.sessions.set(self._active())
        lag = self._outbox()
        if lag is not None:
            metrics.waiting.set(lag[0])
            metrics.oldest.set(lag[1])
        more = () if self._bridge is None else (self._bridge,)
        if self._folder is not None:
            from shared.web.worker_files import text_of_workers

            return text_of_workers(self._folder, more)
        return metrics.text(more)

    @cached_property
    def _metrics(self) -> Metrics:
        from shared.web.metrics import Metrics

        return Metrics()
