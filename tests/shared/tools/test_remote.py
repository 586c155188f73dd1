"""The remote tool runner against a service on loopback: what is sent, what failures become."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from shared.errors import ConfigurationError, ToolNotFoundError, UnavailableError
from shared.keys import SessionKey
from shared.messages import ToolCall, ToolFault, ToolResult
from shared.settings import read_settings
from shared.tools.remote import RemoteToolRunner
from shared.tools.select import open_remote
from shared.web.service_token import user_credentials
from tests.servers.web_service import Asked, Said, WebService, json_answer, web_service

SESSION = SessionKey(user_id="alice", session_id="s1")
CALL = ToolCall(id="c1", name="read_artifact", arguments={"filename": "ä.py"})
SPEC = {
    "name": "read_artifact",
    "description": "Reads.",
    "input_schema": {"type": "object"},
    "output_schema": {"type": "object"},
    "requires_approval": False,
}
OK = {
    "call_id": "c1",
    "name": "read_artifact",
    "status": "ok",
    "result": {"a": 1},
    "duration_ms": 7,
    "artifacts": ["a.py"],
    "untrusted": False,
}


def error(code: str, *, retryable: bool = False) -> Said:
    fault = {"code": code, "message": "no", "retryable": retryable}
    return json_answer({**OK, "status": "error", "result": None, "error": fault})


def problem(status: int, code: str, detail: str = "no such thing") -> Said:
    return json_answer({"status": status, "code": code, "detail": detail}, status)


class Script:
    """Answers in order, the last one again and again; an exception cuts the connection."""

    def __init__(self, *answers: Said | None) -> None:
        self.answers = list(answers)

    def __call__(self, asked: Asked) -> Said:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise ConnectionResetError
        return answer


class Ages:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ages() -> Ages:
    return Ages()


@pytest.fixture
async def service() -> AsyncIterator[WebService]:
    async with web_service(Script(json_answer(OK))) as opened:
        yield opened


@pytest.fixture
async def remote(service: WebService, ages: Ages) -> AsyncIterator[RemoteToolRunner]:
    runner = RemoteToolRunner(url=service.url + "/", call_seconds=5, pauses=(0.0, 0.01), monotonic=ages)
    yield runner
    await runner.close()


async def fault(remote: RemoteToolRunner) -> ToolFault:
    result = await remote.run(call=CALL, session=SESSION)
    assert result.error is not None
    assert (result.id, result.name, result.status) == ("c1", "read_artifact", "error")
    return result.error


async def test_a_call_goes_with_its_session_user_and_id(
    service: WebService, remote: RemoteToolRunner
) -> None:
    result = await remote.run(call=CALL, session=SESSION)
    assert result == ToolResult(
        id="c1", name="read_artifact", status="ok", result={"a": 1}, duration_ms=7, artifacts=("a.py",)
    )
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("POST", "/tools/read_artifact")
    assert asked.json() == {
        "arguments": {"filename": "ä.py"},
        "call_id": "c1",
        "session_id": "s1",
        "user_id": "alice",
    }
    assert "authorization" not in asked.headers


async def test_odd_names_and_ids_are_sent_as_the_contract_allows(
    service: WebService, remote: RemoteToolRunner
) -> None:
    odd = ToolCall(id="a b\ud800" * 99, name="../x?y\ud800", arguments={})
    assert (await remote.run(call=odd, session=None)).id == odd.id
    (asked,) = service.asked
    assert asked.path.startswith("/tools/../x?y")
    assert asked.query == {}
    assert len(asked.json()["call_id"]) == 64


async def test_with_a_secret_the_user_is_in_a_short_token(service: WebService) -> None:
    settings = read_settings(
        {"AUTH_MODE": "jwt", "JWT_SECRET": "s" * 32, "JWT_ISSUER": "i", "TOOLS_URL": service.url}
    )
    remote = open_remote(settings)
    await remote.run(call=CALL, session=SESSION)
    service.answer = Script(json_answer([SPEC]))
    await remote.catalogue()
    await remote.close()
    for asked, user in zip(service.asked, ("alice", "the0-agent"), strict=True):
        token = asked.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, "s" * 32, algorithms=["HS256"], issuer="i")
        assert claims["sub"] == user
        assert claims["exp"] - claims["iat"] == 300
    assert "user_id" not in service.asked[0].json()


async def test_a_token_names_the_configured_audience() -> None:
    settings = read_settings({"AUTH_MODE": "jwt", "JWT_SECRET": "s" * 32, "JWT_AUDIENCE": "agent"})
    headers = await user_credentials(settings, lambda: datetime.now(UTC))("bob")
    token = headers["authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, "s" * 32, algorithms=["HS256"], audience="agent")["sub"] == "bob"


def test_tokens_that_cannot_be_signed_stop_the_start() -> None:
    with pytest.raises(ConfigurationError, match="JWT_SECRET"):
        read_settings({"AUTH_MODE": "jwt", "JWT_JWKS_URL": "https://k.test/jwks", "TOOLS_URL": "http://t:1"})
    for wrong in ("tools:8080", "ftp://x", "http://user:secret@x/", "http://"):
        with pytest.raises(ConfigurationError, match="TOOLS_URL") as refused:
            read_settings({"TOOLS_URL": wrong})
        assert "secret" not in refused.value.message


@pytest.mark.parametrize("lost", [None, Said(status=503), Said(status=502, body=b"<html>")])
async def test_a_lost_answer_is_asked_for_again_with_the_same_id(
    service: WebService, remote: RemoteToolRunner, lost: Said | None
) -> None:
    service.answer = Script(lost, lost, json_answer(OK))
    assert (await remote.run(call=CALL, session=SESSION)).status == "ok"
    assert {asked.json()["call_id"] for asked in service.asked} == {"c1"}
    assert len(service.asked) == 3


async def test_a_repeat_waits_for_the_first_call_that_still_runs(
    service: WebService, remote: RemoteToolRunner
) -> None:
    busy = error("call_in_progress", retryable=True)
    service.answer = Script(None, busy, busy, json_answer(OK))
    assert (await remote.run(call=CALL, session=SESSION)).status == "ok"
    # Without a lost answer the id is another's, and waiting is not ours to decide.
    service.answer = Script(busy)
    assert (await fault(remote)).code == "call_in_progress"


async def test_a_service_that_stays_down_is_an_error_result(
    service: WebService, remote: RemoteToolRunner
) -> None:
    service.answer = Script(None)
    down = await fault(remote)
    assert (down.code, down.retryable, len(service.asked)) == ("tool_service_unavailable", True, 3)


async def test_a_service_that_is_not_there_is_an_error_result() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        remote = RemoteToolRunner(url=url, pauses=(0.0,))
        assert (await fault(remote)).code == "tool_service_unavailable"
        with pytest.raises(UnavailableError):
            await remote.catalogue()
        await remote.close()


async def test_a_call_ends_with_its_deadline(service: WebService) -> None:
    service.answer = Script(Said(hang=True))
    remote = RemoteToolRunner(url=service.url, call_seconds=0.2)
    late = await fault(remote)
    assert (late.code, late.retryable) == ("tool_service_unavailable", True)
    await remote.close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (error("url_not_allowed"), "url_not_allowed"),
        (problem(404, "session_not_found"), "session_not_found"),
        (problem(413, "payload_too_large"), "payload_too_large"),
        (problem(401, "unauthenticated"), "tool_service_unavailable"),
        (Said(status=404, body=b"<html>"), "tool_service_unavailable"),
        (Said(body=b"<html>"), "tool_service_unavailable"),
        (json_answer({**OK, "status": "error"}), "tool_service_unavailable"),
    ],
)
async def test_what_the_service_says_reaches_the_model(
    service: WebService, remote: RemoteToolRunner, said: Said, code: str
) -> None:
    service.answer = Script(said)
    assert (await fault(remote)).code == code
    assert len(service.asked) == 1


async def test_a_result_of_an_older_service_is_not_trusted(
    service: WebService, remote: RemoteToolRunner
) -> None:
    older = {name: value for name, value in OK.items() if name not in ("artifacts", "untrusted")}
    service.answer = Script(json_answer(older))
    result = await remote.run(call=CALL, session=SESSION)
    assert (result.untrusted, result.artifacts) == (True, ())


async def test_the_catalogue_is_kept_for_a_minute_and_while_the_service_is_down(
    service: WebService, remote: RemoteToolRunner, ages: Ages
) -> None:
    service.answer = Script(json_answer([SPEC]))
    specs = await asyncio.gather(*(remote.catalogue() for _ in range(5)))
    assert len(service.asked) == 1
    assert [spec.name for spec in specs[0]] == ["read_artifact"]
    service.answer = Script(None)
    ages.now += 60
    assert await remote.catalogue() == specs[0]
    assert await remote.catalogue() == specs[0]
    assert len(service.asked) == 2
    renamed: dict[str, Any] = {**SPEC, "name": "save_artifact"}
    service.answer = Script(json_answer([renamed]))
    ages.now += 5
    assert [spec.name for spec in await remote.catalogue()] == ["save_artifact"]


@pytest.mark.parametrize("said", [Said(status=500), Said(body=b"[{}]"), Said(body=b"<html>")])
async def test_without_any_catalogue_the_service_is_unavailable(
    service: WebService, remote: RemoteToolRunner, said: Said
) -> None:
    service.answer = Script(said)
    with pytest.raises(UnavailableError):
        await remote.catalogue()
    service.answer = Script(json_answer([SPEC]))
    assert len(await remote.catalogue()) == 1


async def test_a_tool_that_is_gone_is_told_and_the_catalogue_read_anew(
    service: WebService, remote: RemoteToolRunner
) -> None:
    service.answer = Script(json_answer([SPEC]))
    await remote.catalogue()
    service.answer = Script(problem(404, "tool_not_found", "there is no tool 'read_artifact'"))
    with pytest.raises(ToolNotFoundError, match="there is no tool"):
        await remote.run(call=CALL, session=SESSION)
    service.answer = Script(json_answer([]))
    assert await remote.catalogue() == ()
