"""MCP's resources: the documentation pages and the files of the caller's sessions."""

from __future__ import annotations

import base64

from mcp_types import (
    BlobResourceContents,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from functions.tools.mcp_endpoint.caller import SESSION_ID, Caller
from functions.tools.mcp_endpoint.context import Context, caller_of
from functions.tools.mcp_endpoint.faults import protocol_errors
from functions.tools.mcp_endpoint.uris import (
    ARTIFACT_TEMPLATE,
    DOCS_TEMPLATE,
    artifact_names,
    artifact_uri,
    docs_path,
    docs_uri,
)
from shared.errors import InvalidRequestError, NotFoundError, SessionNotFoundError, TooLargeError
from shared.keys import ArtifactKey, SessionKey
from shared.resources import resources
from shared.tools.documentation.consult import find_page, outlines

PAGE_SIZE = 100
MOST_BYTES = 1024 * 1024


@protocol_errors
async def list_resources(context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
    """The pages, and the files of the session that the header names, a hundred at a time."""
    start = _position(params.cursor if params is not None else None)
    every = [*await _session_files(caller_of(context)), *await _pages()]
    following = start + PAGE_SIZE
    return ListResourcesResult(
        resources=every[start:following],
        next_cursor=str(following) if following < len(every) else None,
    )


@protocol_errors
async def list_templates(
    context: Context, params: PaginatedRequestParams | None
) -> ListResourceTemplatesResult:
    """The two forms of addresses."""
    return ListResourceTemplatesResult(
        resource_templates=[
            ResourceTemplate(
                name="documentation",
                title="Documentation page",
                uri_template=DOCS_TEMPLATE,
                description="A page of the platform's documentation, whole.",
                mime_type="text/markdown",
            ),
            ResourceTemplate(
                name="artifact",
                title="File of a session",
                uri_template=ARTIFACT_TEMPLATE,
                description="The newest version of a file of one of your sessions.",
            ),
        ]
    )


@protocol_errors
async def read_resource(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
    """The page or the file, whole; raises an MCP error for an address that is neither."""
    path = docs_path(params.uri)
    if path is not None:
        page = await find_page(resources().settings, path)
        text = TextResourceContents(uri=params.uri, mime_type="text/markdown", text=page.value.body)
        return ReadResourceResult(contents=[text])
    names = artifact_names(params.uri)
    if names is None:
        raise NotFoundError("resources are docs://{path} and artifact://{session_id}/{filename}")
    contents = await _file(caller_of(context), params.uri, *names)
    return ReadResourceResult(contents=[contents])


async def _file(
    caller: Caller, uri: str, session_id: str, filename: str
) -> TextResourceContents | BlobResourceContents:
    if not SESSION_ID.fullmatch(session_id):
        raise SessionNotFoundError("there is no such session")
    session = SessionKey(user_id=caller.user_id, session_id=session_id)
    found = await (await resources().artifacts()).read(key=ArtifactKey(session=session, filename=filename))
    kind = found.artifact.mime_type
    if len(found.data) > MOST_BYTES:
        raise TooLargeError(f"{filename} has over {MOST_BYTES} bytes: read_artifact reads it by stretches")
    try:
        return TextResourceContents(uri=uri, mime_type=kind, text=found.data.decode("utf-8"))
    except UnicodeDecodeError:
        return BlobResourceContents(uri=uri, mime_type=kind, blob=base64.b64encode(found.data).decode())


async def _pages() -> list[Resource]:
    return [
        Resource(
            name=page.path,
            title=page.title,
            uri=docs_uri(page.path),
            description=page.description or None,
            mime_type="text/markdown",
        )
        for page in (await outlines(resources().settings)).value
    ]


async def _session_files(caller: Caller) -> list[Resource]:
    if caller.session_id is None:
        return []
    session = SessionKey(user_id=caller.user_id, session_id=caller.session_id)
    try:
        files = await (await resources().artifacts()).list(session=session)
    except SessionNotFoundError:
        # A session begins with its first tool call: until then it has no files.
        return []
    return [
        Resource(
            name=file.filename,
            uri=artifact_uri(caller.session_id, file.filename),
            mime_type=file.mime_type,
            size=file.size,
        )
        for file in files
    ]


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise InvalidRequestError("cursor: take it from the page before")
    return int(cursor)
