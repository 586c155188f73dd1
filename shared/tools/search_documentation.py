"""The tool `search_documentation`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.errors import InvalidRequestError, ToolFailedError, ToolInputError, UnavailableError
from shared.tools.documentation.search import LONGEST_QUERY, SearchResults, search
from shared.tools.port import ToolContext, tool


@tool(timeout=15.0, untrusted=True)
async def search_documentation(
    context: ToolContext,
    query: Annotated[
        str,
        Field(
            description="a question or a few keywords; flags, file and variable names as they are written",
            max_length=LONGEST_QUERY,
            examples=["how do I keep data between runs", "BOT_CONFIG", "the0 bot logs --limit"],
        ),
    ],
    limit: Annotated[int, Field(description="how many sections", ge=1, le=20)] = 5,
) -> SearchResults:
    """Searches the platform's documentation by heading; use it before you say anything about the platform.

    Cite what you use as `path#heading`. No results: the documentation does not say, so tell the user that.
    """
    try:
        return await search(context.services.settings, query, limit)
    except InvalidRequestError as error:
        raise ToolInputError(error.message) from error
    except UnavailableError as error:
        raise ToolFailedError(f"{error.message}; answer without the documentation and say so") from error
