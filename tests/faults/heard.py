"""What a client heard of a stream before it broke, and whether several such pieces make the whole."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(slots=True)
class Heard:
    """A stream as far as it came: events with their ids, and how it ended.

    `ended` is how: `done` by `[DONE]`, `cut` in the midst, `refused` with a status that is not 2xx.
    """

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ended: str = "cut"
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    problem: dict[str, Any] = field(default_factory=dict)

    @property
    def last_id(self) -> str | None:
        """The id to take the stream up with."""
        return next((at for at, _ in reversed(self.events) if at), None)

    @property
    def last(self) -> dict[str, Any]:
        """The last event, {} when none came."""
        return self.events[-1][1] if self.events else {}

    @property
    def turn_id(self) -> str | None:
        """The turn, when the stream got so far as to say it."""
        return next((event["turn_id"] for _, event in self.events if event["type"] == "session"), None)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one type."""
        return [event for _, event in self.events if event["type"] == kind]


async def hear(
    client: httpx.AsyncClient, method: str, path: str, *, events: int | None = None, **request: Any
) -> Heard:
    """Reads a stream to its end, whatever that is; never raises for what the server or the network does.

    With `events` the client leaves after so many.
    """
    heard = Heard()
    try:
        async with client.stream(method, path, **request) as response:
            heard.status, heard.headers = response.status_code, dict(response.headers)
            if response.status_code != 200:
                heard.problem, heard.ended = json.loads(await response.aread()), "refused"
                return heard
            at = ""
            async for line in response.aiter_lines():
                if line.startswith("id: "):
                    at = line[4:]
                elif line == "data: [DONE]":
                    heard.ended = "done"
                    return heard
                elif line.startswith("data: "):
                    heard.events.append((at, json.loads(line[6:])))
                    at = ""
                    if len(heard.events) == events:
                        return heard
    except httpx.TransportError:
        heard.ended = "cut"
    return heard


def text_by_step(events: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """The text of each of the turn's replies as it was heard, in order of their steps.

    Raises AssertionError when ids do not grow: a stream that was taken up said something twice.
    """
    texts: dict[int, str] = {}
    before = (-1, -1)
    for at, event in events:
        if not at:
            continue
        step, offset = (int(part) for part in at.split("."))
        assert (step, offset) > before, f"{at} came after {before}"
        before = (step, offset)
        if event["type"] == "content":
            texts[step] = texts.get(step, "") + event["content"]
    return [texts[step] for step in sorted(texts)]
