"""A receiver of CloudEvents batches in place of the events function: it fails as a test says.

As a process (`python -m tests.servers.event_receiver PORT FILE`) it writes what it accepts to a file before
it answers, so that a test may kill it at any moment.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from shared.events.incoming import BATCH_MEDIA_TYPE
from tests.servers.mortal import MortalProcess
from tests.servers.ports import free_port, is_open
from tests.servers.web_service import Asked, Said, WebService, json_answer

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Receiver:
    """What it has accepted, and its faults: `status` for all, `poison` for requests with an event of that id.

    Dead letters are taken whatever their id is. `most` is how many events a request may have, `says` what it
    answers in place of what became of them.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    poison: dict[str, int] = field(default_factory=dict)
    most: int = 1000
    hang: bool = False
    says: bytes | None = None
    keep: Callable[[list[dict[str, Any]]], None] | None = None

    def answer(self, asked: Asked) -> Said:
        """The answer to a request."""
        if self.hang or self.status != 200 or self.says is not None:
            return Said(status=self.status, hang=self.hang, body=self.says or b"")
        if asked.method != "POST" or asked.headers.get("content-type") != BATCH_MEDIA_TYPE:
            return Said(status=415)
        events = asked.json()
        if len(events) > self.most:
            return Said(status=413)
        for event in events:
            if event["id"] in self.poison and "deadletterreason" not in event:
                return Said(status=self.poison[event["id"]])
        self.events += events
        if self.keep is not None:
            self.keep(events)
        results = [{"id": each["id"], "source": each["source"], "status": "applied"} for each in events]
        return json_answer({"results": results})

    def ids(self) -> list[str]:
        """The ids of what it accepted, in order, repeats too."""
        return [event["id"] for event in self.events]

    def of_type(self, event_type: str) -> list[dict[str, Any]]:
        """What it accepted of one type."""
        return [event for event in self.events if event["type"] == event_type]


class ReceiverProcess(MortalProcess):
    """The receiver as a process that may be killed."""

    def __init__(self, folder: Path) -> None:
        super().__init__("the receiver")
        self.port = free_port()
        self._file = folder / "accepted.jsonl"

    @property
    def url(self) -> str:
        """Its EVENTS_URL."""
        return f"http://127.0.0.1:{self.port}/events"

    def start(self) -> None:
        """Starts it, with what it has accepted; from the main thread, as it ends with the thread."""
        command = [sys.executable, "-m", "tests.servers.event_receiver", str(self.port), str(self._file)]
        self._start(command, lambda: is_open(self.port), folder=ROOT)

    def events(self) -> list[dict[str, Any]]:
        """What it has accepted, in order, repeats too; a line that a kill has cut was not answered."""
        lines = self._file.read_bytes().split(b"\n")[:-1] if self._file.exists() else []
        return [orjson.loads(line) for line in lines]


async def _serve(port: int, file: Path) -> None:
    with file.open("ab", buffering=0) as kept:

        def keep(events: list[dict[str, Any]]) -> None:
            kept.write(b"".join(orjson.dumps(event) + b"\n" for event in events))

        service = WebService(Receiver(keep=keep).answer)
        server = await asyncio.start_server(service._serve, "127.0.0.1", port, limit=2**24)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
