"""The tool `list_artifacts`."""

from __future__ import annotations

from typing_extensions import TypedDict

from shared.artifact import ArtifactType
from shared.errors import SessionNotFoundError
from shared.tools.port import ToolContext, tool


class Listed(TypedDict):
    """One file of the session."""

    filename: str
    version: int
    type: ArtifactType
    size: int


class Listing(TypedDict):
    """All files of the session, by name."""

    files: list[Listed]


@tool(timeout=15.0)
async def list_artifacts(context: ToolContext) -> Listing:
    """Lists the files of the session with their newest versions, types and sizes in bytes."""
    try:
        artifacts = await context.services.artifacts.list(session=context.require_session())
    except SessionNotFoundError:
        # A session that has saved nothing yet may not exist for a direct caller of the tool.
        artifacts = ()
    return Listing(
        files=[Listed(filename=a.filename, version=a.version, type=a.type, size=a.size) for a in artifacts]
    )
