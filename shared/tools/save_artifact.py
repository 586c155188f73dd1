"""The tool `save_artifact`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from shared.artifact import ArtifactType
from shared.errors import AppError, ToolInputError
from shared.keys import ArtifactKey
from shared.tools.port import ToolContext, tool


class Saved(TypedDict):
    """What the save did."""

    filename: str
    version: int
    outcome: Literal["created", "updated", "unchanged"]
    type: ArtifactType
    size: int
    sha256: str


@tool(timeout=30.0, read_only=False)
async def save_artifact(
    context: ToolContext,
    filename: Annotated[
        str,
        Field(description="relative path, such as strategy.py", min_length=1, max_length=255),
    ],
    content: Annotated[str, Field(description="the whole content")],
) -> Saved:
    """Saves a text file of the session as its next version; the same content makes no new version."""
    key = ArtifactKey(session=context.require_session(), filename=filename)
    try:
        data = content.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ToolInputError("content: must be valid Unicode text") from error
    try:
        saved = await context.services.artifacts.save(key=key, data=data, turn_id=context.turn_id)
    except AppError as error:
        if error.http_status in (413, 422):
            raise ToolInputError(error.message) from error
        raise
    artifact = saved.artifact
    if saved.outcome != "unchanged":
        context.saved.append(artifact.filename)
    return Saved(
        filename=artifact.filename,
        version=artifact.version,
        outcome=saved.outcome,
        type=artifact.type,
        size=artifact.size,
        sha256=artifact.sha256,
    )
