"""Builds the record of a model's reply from the chunks of its stream."""

from __future__ import annotations

from shared.agent.secret_arguments import without_credentials
from shared.messages import FinishReason, TextPart, ToolCall, Usage
from shared.model.port import ModelChunk, ModelDone
from shared.turn import ModelStep


class ReplyBuilder:
    """Joins text deltas into parts; a part with a signature stays by itself, as it must be returned."""

    def __init__(self, *, model: str) -> None:
        self.length = 0
        self._model = model
        self._parts: list[TextPart | ToolCall] = []
        self._open: list[str] = []
        self._done: ModelDone | None = None

    def add(self, chunk: ModelChunk) -> str:
        """Takes a chunk; returns the text it adds, empty for other chunks."""
        if isinstance(chunk, ModelDone):
            self._done = chunk
            return ""
        if isinstance(chunk, ToolCall):
            self._close()
            self._parts.append(without_credentials(chunk))
            return ""
        if chunk.signature is None:
            self._open.append(chunk.text)
        else:
            self._close()
            self._parts.append(chunk)
        self.length += len(chunk.text)
        return chunk.text

    def step(self, broken_off: FinishReason | None = None) -> ModelStep:
        """The reply as one step; `broken_off` says why it has no end of its own."""
        self._close()
        done = self._done
        reason: FinishReason = broken_off or (done.finish_reason if done else "error")
        return ModelStep(
            parts=tuple(self._parts),
            finish_reason=reason,
            usage=done.usage if done else Usage(),
            model=done.model if done else self._model,
        )

    def _close(self) -> None:
        if self._open:
            self._parts.append(TextPart(text="".join(self._open)))
            self._open = []
