"""What the artifacts function serves."""

from __future__ import annotations

from functions.artifacts import handlers
from functions.artifacts.deploy import DeployAnswer, DeployBody, deploy
from functions.artifacts.instances import (
    ChangeBody,
    InstanceAnswer,
    StartBody,
    change_instance,
    get_instance,
    list_instances,
    start_instance,
    stop_instance,
)
from functions.artifacts.retention import (
    DEFAULT_SECONDS,
    MAX_SECONDS,
    HoldAnswer,
    HoldBody,
    RetentionAnswer,
    put_hold,
    run_retention,
)
from functions.artifacts.wire import (
    ArtifactAnswer,
    ContentAnswer,
    ContentBody,
    DiffAnswer,
    RestoreBody,
    UrlAnswer,
)
from shared.web.endpoint import CURSOR, DRY_RUN, LIMIT, USER_ID, Endpoint, Query, seconds_query
from shared.web.system import SYSTEM_ROUTES, function_app

_ERRORS = (400, 401, 404, 503)
_SESSION = Query(name="session_id", description="the session", required=True)
_NUMBER = {"type": "integer", "minimum": 1}
_URL = Query(
    name="url",
    description="a URL of the object store in place of the content, where the store can",
    schema={"type": "boolean"},
)
_VERSION = Query(name="version", description="a version; the newest when left out", schema=_NUMBER)

ROUTES: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/artifacts/session/{session_id}",
        handler=handlers.list_files,
        summary="The session's files: names, or objects with details=true",
        query=(
            USER_ID,
            Query(name="details", description="objects in place of names", schema={"type": "boolean"}),
        ),
        errors=_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/artifacts/session/{session_id}/{filename:path}",
        handler=handlers.get_file,
        summary="One file, the newest version or the one asked for",
        answer=ContentAnswer | UrlAnswer,
        query=(USER_ID, _VERSION, _URL),
        errors=(*_ERRORS, 422),
    ),
    Endpoint(
        method="PUT",
        path="/artifacts/session/{session_id}/{filename:path}",
        handler=handlers.put_file,
        summary="Save a file: 201 for a new one, 200 for a further version or the same bytes",
        body=ContentBody,
        answer=ArtifactAnswer,
        query=(USER_ID,),
        errors=(*_ERRORS, 409, 413, 415, 422),
    ),
    Endpoint(
        method="DELETE",
        path="/artifacts/session/{session_id}/{filename:path}",
        handler=handlers.delete_file,
        summary="Take a file off the list; older versions stay until retention",
        status=204,
        query=(USER_ID,),
        errors=_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/artifacts/versions/{session_id}/{filename:path}",
        handler=handlers.list_versions,
        summary="All versions of a file, newest first",
        answer=list[ArtifactAnswer],
        query=(USER_ID,),
        errors=_ERRORS,
    ),
    Endpoint(
        method="POST",
        path="/artifacts/versions/{session_id}/{filename:path}",
        handler=handlers.restore_version,
        summary="Save the bytes of an old version as the next one",
        body=RestoreBody,
        answer=ArtifactAnswer,
        query=(USER_ID,),
        errors=(*_ERRORS, 409, 413, 415, 422),
    ),
    Endpoint(
        method="GET",
        path="/artifacts/diff/{session_id}/{filename:path}",
        handler=handlers.diff,
        summary="What changed between two versions, as a unified diff",
        answer=DiffAnswer,
        query=(
            USER_ID,
            Query(name="from", description="the older; the one before `to` when left out", schema=_NUMBER),
            Query(name="to", description="the newer; the newest when left out", schema=_NUMBER),
        ),
        errors=_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/artifacts/download",
        handler=handlers.download,
        summary="The session's files as a zip",
        media_type="application/zip",
        query=(USER_ID, _SESSION, _VERSION),
        errors=_ERRORS,
    ),
    Endpoint(
        method="POST",
        path="/artifacts/deploy/{session_id}",
        handler=deploy,
        summary="Deploy the session's files as a bot; Idempotency-Key makes a repeat the same deployment",
        body=DeployBody,
        answer=DeployAnswer,
        status=201,
        query=(USER_ID,),
        errors=(*_ERRORS, 409, 413, 415, 422, 502),
    ),
    Endpoint(
        method="POST",
        path="/artifacts/deploy/{session_id}/instances",
        handler=start_instance,
        summary="Start an instance of a deployed bot; Idempotency-Key makes a repeat the same instance",
        body=StartBody,
        answer=InstanceAnswer,
        status=201,
        query=(USER_ID,),
        errors=(*_ERRORS, 409, 413, 415, 422, 502),
    ),
    Endpoint(
        method="GET",
        path="/artifacts/deploy/{session_id}/instances",
        handler=list_instances,
        summary="The session's instances, newest first, each as far as there is evidence",
        answer=list[InstanceAnswer],
        query=(USER_ID, LIMIT, CURSOR),
        errors=_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/artifacts/deploy/{session_id}/instances/{bot_id}",
        handler=get_instance,
        summary="One instance, as far as there is evidence",
        answer=InstanceAnswer,
        query=(USER_ID,),
        errors=_ERRORS,
    ),
    Endpoint(
        method="PUT",
        path="/artifacts/deploy/{session_id}/instances/{bot_id}",
        handler=change_instance,
        summary="Change an instance; what is left out stays as it is",
        body=ChangeBody,
        answer=InstanceAnswer,
        query=(USER_ID,),
        errors=(*_ERRORS, 409, 413, 415, 422, 502),
    ),
    Endpoint(
        method="DELETE",
        path="/artifacts/deploy/{session_id}/instances/{bot_id}",
        handler=stop_instance,
        summary="Stop an instance: the platform deletes it",
        answer=InstanceAnswer,
        query=(USER_ID,),
        errors=(*_ERRORS, 409, 422, 502),
    ),
    Endpoint(
        method="POST",
        path="/artifacts/retention",
        handler=run_retention,
        summary="Services only: remove what is over its time; a call that is not complete is to be repeated",
        answer=RetentionAnswer,
        query=(
            DRY_RUN,
            seconds_query(default=DEFAULT_SECONDS, most=MAX_SECONDS),
        ),
        errors=(400, 401, 403, 409, 503),
    ),
    Endpoint(
        method="PUT",
        path="/artifacts/retention/holds",
        handler=put_hold,
        summary="Services only: put the legal hold on a session, or take it off",
        body=HoldBody,
        answer=HoldAnswer,
        errors=(400, 401, 403, 404, 413, 415, 422, 503),
    ),
    # Last of the GETs: any other path below /artifacts is a filename.
    Endpoint(
        method="GET",
        path="/artifacts/{filename:path}",
        handler=handlers.get_file,
        summary="One file, by name and session_id",
        answer=ContentAnswer | UrlAnswer,
        query=(USER_ID, _SESSION, _VERSION, _URL),
        errors=(*_ERRORS, 422),
    ),
    *SYSTEM_ROUTES,
)

app = function_app(ROUTES)
