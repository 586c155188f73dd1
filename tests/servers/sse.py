"""Reads a server-sent event stream as the platform's frontend does, and as a careful client would."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(slots=True)
class Stream:
    """A stream that was read to its end."""

    ids: list[str] = field(default_factory=list)
    chunks: list[dict[str, Any]] = field(default_factory=list)
    done: bool = False

    @property
    def types(self) -> list[str]:
        """The types of the chunks, runs of the same type as one."""
        types: list[str] = []
        for chunk in self.chunks:
            if not types or types[-1] != chunk["type"]:
                types.append(chunk["type"])
        return types

    @property
    def text(self) -> str:
        """All content deltas, joined."""
        return "".join(chunk["content"] for chunk in self.chunks if chunk["type"] == "content")

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The chunks of one type."""
        return [chunk for chunk in self.chunks if chunk["type"] == kind]


def read_stream(response: httpx.Response) -> Stream:
    """The whole stream; stops at `[DONE]` as the frontend does."""
    stream = Stream()
    for line in response.iter_lines():
        if line.startswith("id: "):
            stream.ids.append(line[4:])
        elif line.startswith("data: "):
            if line == "data: [DONE]":
                stream.done = True
                break
            stream.chunks.append(json.loads(line[6:]))
    return stream


def chat_stream(client: httpx.Client, message: str, **body: Any) -> Stream:
    """Posts a message to `/chat/stream` and reads the answer."""
    with client.stream("POST", "/chat/stream", json={"message": message, **body}) as response:
        response.raise_for_status()
        assert response.headers["content-type"].startswith("text/event-stream")
        return read_stream(response)
