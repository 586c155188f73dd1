"""Dead letters on the wire: listed, shown, and read again. For services only."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from functions.events.desk import desk
from functions.events.receiving import answer_of
from shared.clock import to_wire
from shared.sessions.inbound_port import DeadLetter
from shared.web.app import note
from shared.web.body import int_parameter, json_response, next_page
from shared.web.services import require_service

# A list shows what is small; the letter itself shows all.
_LISTED_BYTES = 8 * 1024


class DeadLetterWire(BaseModel):
    """An event that was not applied: `reason` is a word, `detail` says more, `payload` is what came."""

    id: str
    reason: str
    detail: str
    received_at: str
    source: str | None
    event_id: str | None
    type: str | None
    time: str | None
    bot_id: str | None
    payload: dict[str, Any] | None
    payload_bytes: int


async def list_dead_letters(request: Request) -> Response:
    """`GET /events/dead-letters`: those that wait, newest first."""
    await require_service(request)
    page = await (await desk()).store.list_dead_letters(
        limit=int_parameter(request, "limit", 50, low=1, high=200),
        cursor=request.query_params.get("cursor"),
    )
    wires = [letter_wire(letter, most_bytes=_LISTED_BYTES) for letter in page.items]
    return json_response(wires, headers=next_page(request, page.next_cursor))


async def get_dead_letter(request: Request) -> Response:
    """`GET /events/dead-letters/{id}`."""
    await require_service(request)
    letter = await (await desk()).store.load_dead_letter(letter_id=request.path_params["letter_id"])
    return json_response(letter_wire(letter))


async def replay_dead_letter(request: Request) -> Response:
    """`POST /events/dead-letters/{id}/replay`: as if it came now; it stays with its new reason if it must."""
    await require_service(request)
    found = await desk()
    letter = await found.store.load_dead_letter(letter_id=request.path_params["letter_id"])
    taken = await found.replay(letter)
    note(request, letter_id=letter.letter_id, event_status=taken.status)
    return json_response(answer_of(taken))


def letter_wire(letter: DeadLetter, *, most_bytes: int | None = None) -> dict[str, Any]:
    """A letter as JSON; a payload of more than `most_bytes` is left out."""
    size = len(orjson.dumps(letter.payload))
    return {
        "id": letter.letter_id,
        "reason": letter.reason,
        "detail": letter.detail,
        "received_at": to_wire(letter.received_at),
        "source": letter.source,
        "event_id": letter.event_id,
        "type": letter.type,
        "time": None if letter.time is None else to_wire(letter.time),
        "bot_id": letter.bot_id,
        "payload": letter.payload if most_bytes is None or size <= most_bytes else None,
        "payload_bytes": size,
    }
