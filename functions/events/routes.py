"""What the events function serves."""

from __future__ import annotations

from functions.events.publishing import DRAIN_SECONDS, MOST_SECONDS, PublishAnswer, publish
from functions.events.receiving import receive
from shared.web.endpoint import Endpoint, Query
from shared.web.system import SYSTEM_ROUTES, function_app

ROUTES: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path="/events",
        handler=receive,
        summary="Take one event: a CloudEvent, or what Pub/Sub pushes (services only)",
        errors=(401, 403, 413, 503),
    ),
    Endpoint(
        method="POST",
        path="/events/publish",
        handler=publish,
        summary="Publish the events that wait in the outbox (services only)",
        answer=PublishAnswer,
        query=(
            Query(
                name="seconds",
                description="how long it may take",
                schema={
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MOST_SECONDS,
                    "default": DRAIN_SECONDS,
                },
            ),
        ),
        errors=(400, 401, 403, 503),
    ),
    *SYSTEM_ROUTES,
)
# Eventarc and plain pushes come to a service's root unless told otherwise; in the gateway that is chat's.
_AT_ROOT = Endpoint(method="POST", path="/", handler=receive, summary="Take one event at the root")

app = function_app((*ROUTES, _AT_ROOT))
