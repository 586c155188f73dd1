"""Our errors as MCP's protocol errors; what went wrong inside a tool is a result instead."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from shared.errors import AppError

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)


def protocol_errors(handler: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """The handler, raising MCPError only: the caller's mistakes are invalid params, the rest internal.

    The SDK sends the text of an unknown exception to clients of older revisions; ours never leaves.
    """

    @functools.wraps(handler)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await handler(*args, **kwargs)
        except AppError as error:
            code = INVALID_PARAMS if error.http_status < 500 else INTERNAL_ERROR
            raise MCPError(code, error.message, {"code": error.code}) from error
        except MCPError:
            raise
        # The border of the web on this route: the SDK would answer, and leak, before the middleware sees it.
        except Exception as error:
            _log.exception("mcp handler failed")
            raise MCPError(INTERNAL_ERROR, "something of ours went wrong") from error

    return guarded
