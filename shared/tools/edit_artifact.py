"""The tool `edit_artifact`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from shared.artifact import Artifact, ArtifactContent, SavedArtifact, check_filename
from shared.errors import (
    AppError,
    ArtifactNotFoundError,
    SessionNotFoundError,
    ToolInputError,
    VersionConflictError,
)
from shared.keys import ArtifactKey
from shared.tools.port import ToolContext, tool
from shared.tools.replacing import Replacement, replace_all

_MAX_BYTES = 512 * 1024


class Edit(BaseModel):
    """One replacement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: Annotated[
        str,
        Field(
            description="text exactly as in the file, enough to occur once",
            min_length=1,
            max_length=20_000,
        ),
    ]
    replace: Annotated[str, Field(description="what stands there instead", max_length=100_000)]
    near_line: Annotated[int | None, Field(description="of several occurrences the one meant", ge=1)] = None


class Edited(TypedDict):
    """What the edits did; `diff` is a unified diff, cut when long."""

    filename: str
    version: int
    outcome: Literal["updated", "unchanged"]
    diff: str


@tool(timeout=30.0, read_only=False, untrusted=True)
async def edit_artifact(
    context: ToolContext,
    filename: Annotated[
        str, Field(description="name as list_artifacts gives it", min_length=1, max_length=255)
    ],
    edits: Annotated[
        list[Edit],
        Field(description="applied in order", min_length=1, max_length=50),
    ],
    version: Annotated[
        int | None, Field(description="the version you read; a newer one refuses", ge=1)
    ] = None,
) -> Edited:
    """Changes parts of a text file by exact search and replace and saves it; all edits or none."""
    key = ArtifactKey(session=context.require_session(), filename=_checked(filename))
    found = await _newest(context, key)
    current = found.artifact.version
    if version is not None and version != current:
        raise _conflict(filename, current)
    text = _text(found)
    replacements = [
        Replacement(search=edit.search, replace=edit.replace, near_line=edit.near_line) for edit in edits
    ]
    # Searching for what is nearly there and the diff take long enough to stall the loop.
    result = await asyncio.to_thread(replace_all, text, replacements)
    saved = await _save(context, key, result.text, current)
    if saved.outcome != "unchanged":
        context.saved.append(saved.artifact.filename)
    return Edited(
        filename=saved.artifact.filename,
        version=saved.artifact.version,
        outcome="unchanged" if saved.outcome == "unchanged" else "updated",
        diff=result.diff,
    )


def _checked(filename: str) -> str:
    try:
        return check_filename(filename)
    except AppError as error:
        raise ToolInputError(error.message) from error


async def _newest(context: ToolContext, key: ArtifactKey) -> ArtifactContent:
    try:
        return await context.services.artifacts.read(key=key)
    except (ArtifactNotFoundError, SessionNotFoundError) as error:
        raise ToolInputError(
            f"{error.message}; list_artifacts tells what there is, save_artifact makes a new file"
        ) from error


async def _save(context: ToolContext, key: ArtifactKey, text: str, expected: int) -> SavedArtifact:
    artifacts = context.services.artifacts
    try:
        return await artifacts.save(
            key=key, data=text.encode(), expected_version=expected, turn_id=context.turn_id
        )
    except VersionConflictError as error:
        raise _conflict(key.filename, error.details.get("current_version")) from error
    except AppError as error:
        if error.http_status in (413, 422):
            raise ToolInputError(error.message) from error
        raise


def _conflict(filename: str, current: int | None) -> ToolInputError:
    now = "has changed meanwhile" if current is None else f"is at version {current} now"
    return ToolInputError(
        f"{filename} {now}, nothing was edited: read it again with read_artifact and adapt the edits",
        code="version_conflict",
    )


def _text(found: ArtifactContent) -> str:
    artifact: Artifact = found.artifact
    if artifact.size > _MAX_BYTES:
        raise ToolInputError(
            f"{artifact.filename} has {artifact.size} bytes, over the {_MAX_BYTES} that can be edited: "
            "save it anew with save_artifact"
        )
    try:
        return found.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolInputError(f"{artifact.filename} is not text ({artifact.mime_type})") from error
