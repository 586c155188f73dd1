"""Whose key a user's turns run on: the real Gemini client on the wire server, keys in a real store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import ModelRefusedError
from shared.ids import new_id
from shared.limits.keys import UserKeys
from shared.limits.meter import MeteredModel
from shared.limits.own_models import OwnModels
from shared.limits.select import open_user_keys, open_user_models
from shared.limits.source import UserModels
from shared.model.gemini import GeminiModel
from shared.model.port import ChatModel
from shared.model.select import open_model, open_own_model
from shared.sessions.account_port import Charge
from shared.sessions.port import Store
from shared.settings import Settings, read_settings
from tests.contracts.gemini_models import closable, gemini_model, read, request
from tests.contracts.session_values import SetClock
from tests.servers.gemini import API_KEY, GeminiServer
from tests.servers.gemini_answers import hang, reply, status

OWN = "AIza-alices-own-key"


class Deployment:
    """What a deployment opens, on the test's store; closed with the test."""

    def __init__(self, settings: Settings, store: Store, clock: SetClock) -> None:
        self.model = open_model(settings)
        self.keys: UserKeys = open_user_keys(settings, store, clock)
        self.models: UserModels = open_user_models(
            settings, deployment=self.model, keys=self.keys, ledger=store, clock=clock, new_id=new_id
        )

    async def close(self) -> None:
        await self.models.close()
        await self.model.close()


@pytest.fixture
async def deployed(gemini: GeminiServer, store: Store, clock: SetClock, tmp_path: Path) -> AsyncIterator[Any]:
    opened: list[Deployment] = []

    def deploy(**variables: str) -> Deployment:
        environment = {"DATA_DIR": str(tmp_path), "GEMINI_BASE_URL": gemini.url, **variables}
        opened.append(Deployment(read_settings(environment), store, clock))
        return opened[-1]

    yield deploy
    for each in opened:
        await each.close()


async def words(model: ChatModel) -> str:
    parts, _ = await read(model.stream(request()))
    return "".join(part.text for part in parts if part.kind == "text")


async def test_without_limits_the_deployments_model_serves_as_it_is(deployed: Any) -> None:
    deployment = deployed(GEMINI_API_KEY=API_KEY)
    assert await deployment.models.for_user("alice") is deployment.model
    assert not await deployment.models.pays_self("alice")


async def test_an_own_key_serves_its_user_alone_and_is_not_metered(
    deployed: Any, gemini: GeminiServer, store: Store, clock: SetClock
) -> None:
    gemini.api_key = OWN
    deployment = deployed(GEMINI_API_KEY=API_KEY, DAILY_TOKEN_LIMIT="1")
    await deployment.keys.save("alice", OWN)
    gemini.script(reply("hers"))
    assert await words(await deployment.models.for_user("alice")) == "hers"
    assert await deployment.models.pays_self("alice")
    assert await store.usage_today(user_id="alice", now=clock()) == Charge()
    assert isinstance(await deployment.models.for_user("bob"), MeteredModel)


async def test_an_own_key_brings_gemini_where_the_deployment_has_none(
    deployed: Any, gemini: GeminiServer
) -> None:
    gemini.api_key = OWN
    deployment = deployed(DAILY_TOKEN_LIMIT="1")
    assert await deployment.models.for_user("alice") is deployment.model
    await deployment.keys.save("alice", OWN)
    gemini.script(reply("hers"))
    model = await deployment.models.for_user("alice")
    assert model.name == "gemini-2.5-flash"
    assert await words(model) == "hers"
    await deployment.keys.delete("alice")
    assert await deployment.models.for_user("alice") is deployment.model


async def test_a_refused_own_key_is_told_without_the_key(
    deployed: Any, gemini: GeminiServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    deployment = deployed(GEMINI_API_KEY=API_KEY)
    await deployment.keys.save("alice", OWN)
    model = await deployment.models.for_user("alice")
    with pytest.raises(ModelRefusedError, match="your own model key") as caught:
        await words(model)
    error = caught.value
    assert error.code == "model_refused"
    assert not error.retryable
    seen = [repr(model), repr(vars(model)["_models"]), repr(error), str(error.details), caplog.text]
    assert not any(OWN in text for text in seen)
    gemini.script(status(403))
    gemini.api_key = OWN
    with pytest.raises(ModelRefusedError, match="your own model key"):
        await words(model)
    gemini.script(status(404))
    with pytest.raises(ModelRefusedError, match="has no model"):
        await words(model)


async def test_a_key_that_changes_closes_the_client_of_the_old_one(
    deployed: Any, gemini: GeminiServer
) -> None:
    gemini.api_key = None
    deployment = deployed(GEMINI_API_KEY=API_KEY)
    await deployment.keys.save("alice", OWN)
    gemini.script(hang("one "), reply("two"), reply("three"))
    before = await deployment.models.for_user("alice")
    running = closable(before.stream(request()))
    await anext(running)
    await deployment.keys.save("alice", "another")
    after = await deployment.models.for_user("alice")
    assert await words(after) == "two"
    # What runs on the old key ends in its own time.
    await gemini.until(lambda server: server.open_streams == 1)
    await running.aclose()
    await deployment.keys.delete("alice")
    assert await words(await deployment.models.for_user("alice")) == "three"
    await gemini.until(lambda server: server.connections == 1)


async def test_few_clients_stay_open_and_none_that_is_used_is_closed(gemini: GeminiServer) -> None:
    gemini.api_key = None
    opened: list[GeminiModel] = []

    def open_one(key: str) -> ChatModel:
        opened.append(gemini_model(gemini.url, api_key=key))
        return opened[-1]

    models = OwnModels(open_one, most=2)
    gemini.script(hang("one "), *(reply(str(n)) for n in range(5)))
    running = closable(models.of("user-0", "key-0").stream(request()))
    await anext(running)
    for n in range(1, 5):
        await words(models.of(f"user-{n}", f"key-{n}"))
    late = models.of("user-1", "key-1")
    for n in range(2, 5):
        models.of(f"user-{n}", f"key-{n}")
    # Its client was closed in between; it gets another.
    await words(late)
    await gemini.until(lambda server: server.open_streams == 1)
    await gemini.until(lambda server: server.connections <= 3)
    await running.aclose()
    await models.close()
    await gemini.until(lambda server: server.connections == 0)
    assert all(model._closed for model in opened)


async def test_calls_at_once_share_one_client(gemini: GeminiServer) -> None:
    gemini.api_key = None
    opened: list[str] = []

    def open_one(key: str) -> ChatModel:
        opened.append(key)
        return gemini_model(gemini.url, api_key=key)

    models = OwnModels(open_one)
    gemini.always(reply("word"))
    await asyncio.gather(*(words(models.of("alice", OWN)) for _ in range(8)))
    assert opened == [OWN]
    await models.close()


def test_beside_vertex_ai_an_own_key_means_the_developer_api() -> None:
    settings = read_settings(
        {
            "GOOGLE_GENAI_USE_VERTEXAI": "true",
            "GOOGLE_CLOUD_PROJECT": "p",
            "GEMINI_BASE_URL": "http://vertex.test",
        }
    )
    model = open_own_model(settings, OWN)
    assert isinstance(model, GeminiModel)
    endpoint = model._endpoint
    assert (endpoint.vertexai, endpoint.project, endpoint.base_url) == (False, None, None)
    assert endpoint.identity() == {"vertexai": False, "api_key": OWN}
    assert OWN not in repr(endpoint)
