"""The deployed target `nats_bridge`, which works when it is asked (`POST /nats/pull`).

`python -m functions.events.nats_bridge` is the same as a process that runs on: it follows NATS until it is
stopped, and serves health, metrics and the routes on PORT.
"""

import contextlib
import pathlib
import sys
from collections.abc import AsyncIterator
from typing import cast

# functions-framework puts this file's folder on the path, not the repository's root.
ROOT = str(pathlib.Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import functions_framework.aio  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import Response  # noqa: E402

from functions.events.bridge_routes import app  # noqa: E402
from shared.errors import AppError, ConfigurationError  # noqa: E402
from shared.resources import resources  # noqa: E402
from shared.settings import Settings, settings  # noqa: E402
from shared.version import VERSION  # noqa: E402

# What is under way when it is to stop has so long; Cloud Run kills after ten seconds.
GRACE_SECONDS = 2


@functions_framework.aio.http
async def nats_bridge(request: Request) -> Response:
    """Hands the request to the routes: under this framework an answer may be any ASGI application."""
    return cast(Response, app)


async def end() -> None:
    """Takes nothing more from NATS, and ends what is under way."""
    await resources().bridge().close()


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    resources().bridge().begin()
    yield
    await resources().close()


def _check(current: Settings) -> None:
    problems = []
    if not current.nats_servers:
        problems.append("NATS_URL: is needed, as there is nothing to bridge without it")
    if current.pubsub_project is None and current.events_url is None:
        problems.append(
            "EVENTS_URL: is needed where PUBSUB_PROJECT is not set, as events have to go somewhere"
        )
    if problems:
        raise ConfigurationError("; ".join(problems))


def main() -> int:
    """Runs until SIGINT or SIGTERM; 1 when the configuration is wrong."""
    from shared.web.serving import host_of, serve

    try:
        current = settings()
        _check(current)
    except AppError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return 1
    app.router.lifespan_context = _lifespan
    host = host_of(current)
    return serve(
        app,
        current,
        host=host,
        banner=f"the0 Agent {VERSION}: the NATS bridge serves http://{host}:{{port}}",
        ending=end,
        grace_seconds=GRACE_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
