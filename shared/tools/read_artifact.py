"""The tool `read_artifact`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from shared.artifact import Artifact
from shared.errors import ArtifactNotFoundError, SessionNotFoundError, ToolInputError
from shared.keys import ArtifactKey
from shared.tools.port import ToolContext, tool

_PAGE = 6000


class FileContent(TypedDict):
    """A stretch of a file; `next_start` is where to go on, None at the end."""

    filename: str
    version: int
    content: str
    start: int
    total_chars: int
    next_start: int | None


@tool(timeout=30.0, untrusted=True)
async def read_artifact(
    context: ToolContext,
    filename: Annotated[str, Field(description="name as list_artifacts gives it", max_length=255)],
    version: Annotated[int | None, Field(description="else the newest", ge=1, le=10**9)] = None,
    start: Annotated[int, Field(description="character to begin at", ge=0)] = 0,
    max_chars: Annotated[int, Field(description="how much to read", ge=1, le=20_000)] = _PAGE,
) -> FileContent:
    """Reads a text file of the session, a stretch at a time."""
    key = ArtifactKey(session=context.require_session(), filename=filename)
    try:
        found = await context.services.artifacts.read(key=key, version=version)
    except (ArtifactNotFoundError, SessionNotFoundError) as error:
        raise ToolInputError(f"{error.message}; list_artifacts tells what there is") from error
    text = _text(found.artifact, found.data)
    end = start + max_chars
    return FileContent(
        filename=found.artifact.filename,
        version=found.artifact.version,
        content=text[start:end],
        start=start,
        total_chars=len(text),
        next_start=end if end < len(text) else None,
    )


def _text(artifact: Artifact, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolInputError(f"{artifact.filename} is not text ({artifact.mime_type})") from error
