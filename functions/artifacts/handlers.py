"""The handlers of the artifact routes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import difflib
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from functions.artifacts.wire import ContentBody, RestoreBody, content_wire, url_wire
from shared.artifact import Artifact, ArtifactContent, SavedArtifact
from shared.artifacts.port import Artifacts
from shared.artifacts.zipped import begun, zip_stream
from shared.errors import ArtifactNotFoundError, InvalidRequestError, TooLargeError, UnprocessableError
from shared.keys import ArtifactKey, SessionKey
from shared.resources import resources
from shared.web.app import note
from shared.web.body import MAX_JSON_BYTES, flag, int_parameter, json_response, read_bytes, read_json

_MAX_VERSION = 10**9
_MAX_DIFF_BYTES = 1024 * 1024
_LOOKUPS = 8


async def list_files(request: Request) -> Response:
    """`GET /artifacts/session/{sid}`."""
    library = await resources().artifacts()
    artifacts = await library.list(session=await _session(request))
    if flag(request, "details"):
        return json_response([artifact.wire() for artifact in artifacts])
    return json_response([artifact.filename for artifact in artifacts])


async def get_file(request: Request) -> Response:
    """`GET /artifacts/session/{sid}/{filename}` and `GET /artifacts/{filename}?session_id=`."""
    library = await resources().artifacts()
    key, version = await _file(request), _version(request, "version")
    if flag(request, "url"):
        given = await library.direct_url(key=key, version=version)
        # Whoever holds the URL has the file: no cache may.
        return json_response(url_wire(given), headers={"Cache-Control": "no-store"})
    found = await library.read(key=key, version=version)
    headers = {"ETag": f'"{found.artifact.version}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if "application/octet-stream" in request.headers.get("accept", ""):
        # Never the file's own type: a page of a bot must not run in the platform's origin.
        headers["X-Content-Type-Options"] = "nosniff"
        return Response(found.data, media_type="application/octet-stream", headers=headers)
    return json_response(content_wire(found), headers=headers)


async def put_file(request: Request) -> Response:
    """`PUT /artifacts/session/{sid}/{filename}`."""
    key = await _file(request)
    data = await _body(request)
    library = await resources().artifacts()
    saved = await library.save(key=key, data=data, expected_version=_if_match(request))
    return _saved(request, saved)


async def restore_version(request: Request) -> Response:
    """`POST /artifacts/versions/{sid}/{filename}`: an old version's bytes as the next version."""
    key = await _file(request)
    body = await read_json(request, RestoreBody)
    library = await resources().artifacts()
    saved = await library.restore(key=key, version=body.restore, expected_version=_if_match(request))
    return _saved(request, saved)


async def delete_file(request: Request) -> Response:
    """`DELETE /artifacts/session/{sid}/{filename}`."""
    library = await resources().artifacts()
    await library.delete(key=await _file(request))
    return Response(status_code=204)


async def list_versions(request: Request) -> Response:
    """`GET /artifacts/versions/{sid}/{filename}`."""
    library = await resources().artifacts()
    versions = await library.versions(key=await _file(request))
    return json_response([artifact.wire() for artifact in versions])


async def diff(request: Request) -> Response:
    """`GET /artifacts/diff/{sid}/{filename}?from=&to=`."""
    key = await _file(request)
    library = await resources().artifacts()
    newer = await library.read(key=key, version=_version(request, "to"))
    asked = _version(request, "from")
    older_version = asked if asked is not None else newer.artifact.version - 1
    older = await library.read(key=key, version=older_version) if older_version >= 1 else None
    text = await asyncio.to_thread(_unified, older, newer)
    return json_response({"diff": text})


async def download(request: Request) -> Response:
    """`GET /artifacts/download?session_id=&version=`: every file, or each at the version asked for."""
    session = await _session(request)
    library = await resources().artifacts()
    artifacts = await library.list(session=session)
    version = _version(request, "version")
    if version is not None:
        artifacts = await _at_version(library, artifacts, version)
    if not artifacts:
        # An empty archive looks like a bot and is none.
        raise ArtifactNotFoundError("the session has no files to download")
    note(request, files=len(artifacts))
    stream = zip_stream(lambda artifact: library.read_bytes(artifact=artifact), artifacts)
    return StreamingResponse(
        await begun(stream),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="trading-bot.zip"'},
    )


async def _at_version(
    library: Artifacts, artifacts: tuple[Artifact, ...], version: int
) -> tuple[Artifact, ...]:
    """Each file as it was at that version: its newest not above it. Nothing, when no file has come so far."""
    if all(artifact.version < version for artifact in artifacts):
        return ()
    lookups = asyncio.Semaphore(_LOOKUPS)

    async def then(artifact: Artifact) -> Artifact | None:
        if artifact.version <= version:
            return artifact
        async with lookups:
            versions = await library.versions(key=artifact.key)
        return next((found for found in versions if found.version <= version), None)

    found = await asyncio.gather(*map(then, artifacts))
    return tuple(artifact for artifact in found if artifact is not None)


def _saved(request: Request, saved: SavedArtifact) -> Response:
    note(request, version=saved.artifact.version, outcome=saved.outcome)
    return json_response(
        saved.artifact.wire(),
        status=201 if saved.outcome == "created" else 200,
        headers={"ETag": f'"{saved.artifact.version}"'},
    )


def _unified(older: ArtifactContent | None, newer: ArtifactContent) -> str:
    name = newer.artifact.filename
    before = _lines(older) if older else []
    return "".join(
        difflib.unified_diff(
            before,
            _lines(newer),
            fromfile=f"{name} ({older.artifact.version})" if older else "/dev/null",
            tofile=f"{name} ({newer.artifact.version})",
        )
    )


def _lines(content: ArtifactContent) -> list[str]:
    if len(content.data) > _MAX_DIFF_BYTES:
        raise TooLargeError(f"files over {_MAX_DIFF_BYTES} bytes are not compared", limit=_MAX_DIFF_BYTES)
    try:
        text = content.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnprocessableError(f"{content.artifact.filename} is not text") from error
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n\\ No newline at end of file\n"
    return lines


async def _body(request: Request) -> bytes:
    """The file's bytes: the JSON form `{"content"}`, or the raw body for any other Content-Type."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    limit = resources().settings.max_artifact_bytes
    if media_type != "application/json":
        return await read_bytes(request, limit=limit)
    body = await read_json(request, ContentBody, limit=limit * 4 // 3 + MAX_JSON_BYTES)
    try:
        if body.encoding == "base64":
            return base64.b64decode(body.content, validate=True)
        return body.content.encode("utf-8")
    except (binascii.Error, UnicodeEncodeError) as error:
        raise UnprocessableError(f"content: is not {body.encoding}") from error


def _if_match(request: Request) -> int | None:
    value = request.headers.get("if-match")
    if value is None or value.strip() == "*":
        return None
    number = value.strip().removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit()):
        raise InvalidRequestError('If-Match: takes a version as ETag gives it, "3"')
    return int(number[:10])


def _version(request: Request, name: str) -> int | None:
    if name not in request.query_params:
        return None
    return int_parameter(request, name, 0, low=1, high=_MAX_VERSION)


async def _session(request: Request) -> SessionKey:
    user_id = await resources().authenticator.user_of(request)
    session_id = request.path_params.get("session_id") or request.query_params.get("session_id")
    if not session_id:
        raise InvalidRequestError("session_id: is required")
    note(request, session_id=session_id[:128])
    return SessionKey(user_id=user_id, session_id=session_id)


async def _file(request: Request) -> ArtifactKey:
    session = await _session(request)
    _check_encoding(request)
    return ArtifactKey(session=session, filename=request.path_params["filename"])


def _check_encoding(request: Request) -> None:
    """Refuses a path that is not UTF-8: the server decodes it with replacements, and names would meet."""
    raw: bytes = request.scope.get("raw_path") or b""
    try:
        unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequestError("the path is not percent-encoded UTF-8") from error
