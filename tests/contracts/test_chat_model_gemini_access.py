"""GeminiModel's ways in: a key, or Vertex AI by project or by key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.errors import ConfigurationError, ModelRefusedError
from shared.messages import ToolCall
from shared.model.gemini import GeminiModel
from tests.contracts.gemini_models import (
    LIST,
    MODEL,
    assistant,
    failure,
    gemini_model,
    ok,
    read,
    request,
    results,
    user,
)
from tests.servers.gemini import API_KEY, GeminiServer
from tests.servers.gemini_answers import call, reply


async def test_vertex_by_project_uses_its_path_and_token(gemini: GeminiServer) -> None:
    from google.oauth2.credentials import Credentials

    # google-auth is without types.
    credentials = Credentials(token="vertex-token")  # type: ignore[no-untyped-call]
    model = gemini_model(
        gemini.url,
        vertexai=True,
        project="our-project",
        location="europe-west4",
        credentials=credentials,
    )
    gemini.script(reply(call("list_artifacts", {}, signature=b"s")), reply("ok"))

    (listing,), done = await read(model.stream(request(tools=(LIST,))))
    assert isinstance(listing, ToolCall)
    await read(model.stream(request(user("Hi"), assistant(listing), results(ok(listing, [])), tools=(LIST,))))
    await model.close()

    assert done.finish_reason == "tool_calls"
    sent = gemini.requests[0]
    assert sent.vertex
    assert sent.path == (
        "/v1beta1/projects/our-project/locations/europe-west4/publishers/google"
        f"/models/{MODEL}:streamGenerateContent"
    )


async def test_vertex_by_key_needs_no_project(gemini: GeminiServer) -> None:
    model = gemini_model(gemini.url, vertexai=True, location="us-central1")
    gemini.script(reply("ok"))

    await read(model.stream(request()))
    await model.close()

    assert gemini.requests[0].path == f"/v1beta1/publishers/google/models/{MODEL}:streamGenerateContent"


def test_a_model_needs_a_key_or_vertex() -> None:
    with pytest.raises(ConfigurationError):
        GeminiModel(api_key=None, model=MODEL)


def test_the_key_does_not_show() -> None:
    model = GeminiModel(api_key=API_KEY, model=MODEL)

    assert API_KEY not in repr(model) + repr(vars(model))


async def test_vertex_without_credentials_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", f"{tmp_path}/missing.json")
    model = gemini_model("http://127.0.0.1:9", api_key=None, vertexai=True, project="p", location="l")

    error = await failure(model)
    await model.close()

    assert isinstance(error, ModelRefusedError)
    assert error.message == "There are no valid credentials for the model's service."


async def test_vertex_without_a_project_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    person = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "person.json").write_text(json.dumps({**person, "quota_project_id": "q"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "person.json"))
    model = GeminiModel(api_key=None, model=MODEL, vertexai=True)

    with pytest.raises(ModelRefusedError, match="GOOGLE_CLOUD_PROJECT"):
        await model.warm()
    await model.close()
