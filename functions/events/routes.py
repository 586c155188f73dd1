"""What the events function serves."""

from __future__ import annotations

from functions.events.dead_letters import (
    DeadLetterWire,
    get_dead_letter,
    list_dead_letters,
    replay_dead_letter,
)
from functions.events.publishing import SECONDS, PublishAnswer, publish
from functions.events.receiving import EventAnswer, receive
from functions.events.upkeep import SECONDS as UPKEEP_SECONDS
from functions.events.upkeep import UpkeepAnswer, upkeep
from shared.web.endpoint import CURSOR, LIMIT, Endpoint
from shared.web.system import SYSTEM_ROUTES, function_app

ROUTES: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path="/events",
        handler=receive,
        summary="Take an event: a CloudEvent, a batch of them, or what Pub/Sub pushes (services only)",
        answer=EventAnswer,
        errors=(401, 403, 413, 503),
    ),
    Endpoint(
        method="GET",
        path="/events/dead-letters",
        handler=list_dead_letters,
        summary="List the events that were not applied, newest first (services only)",
        answer=list[DeadLetterWire],
        query=(LIMIT, CURSOR),
        errors=(400, 401, 403, 503),
    ),
    Endpoint(
        method="GET",
        path="/events/dead-letters/{letter_id}",
        handler=get_dead_letter,
        summary="Show an event that was not applied, with all that came (services only)",
        answer=DeadLetterWire,
        errors=(401, 403, 404, 503),
    ),
    Endpoint(
        method="POST",
        path="/events/dead-letters/{letter_id}/replay",
        handler=replay_dead_letter,
        summary="Apply an event of the dead-letter record again (services only)",
        answer=EventAnswer,
        errors=(401, 403, 404, 422, 503),
    ),
    Endpoint(
        method="POST",
        path="/events/publish",
        handler=publish,
        summary="Publish the events that wait in the outbox (services only)",
        answer=PublishAnswer,
        query=(SECONDS,),
        errors=(400, 401, 403, 503),
    ),
    Endpoint(
        method="POST",
        path="/events/upkeep",
        handler=upkeep,
        summary="End turns that died with their process, and remove what is over (services only)",
        answer=UpkeepAnswer,
        query=(UPKEEP_SECONDS,),
        errors=(400, 401, 403, 503),
    ),
    *SYSTEM_ROUTES,
)
# Eventarc and plain pushes come to a service's root unless told otherwise; in the gateway that is chat's.
_AT_ROOT = Endpoint(method="POST", path="/", handler=receive, summary="Take one event at the root")

app = function_app((*ROUTES, _AT_ROOT))
