"""The agent dies while a tool of another service has had its effect and has not answered yet."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.deployment import Deployment
from tests.faults.script import Script
from tests.servers.gemini import Request
from tests.servers.gemini_answers import Answer, call, reply
from tests.servers.web_service import Asked, Said, json_answer, web_service

_SPEC = {
    "name": "place_order",
    "description": "Places an order.",
    "input_schema": {"type": "object"},
    "output_schema": {"type": "object"},
    "requires_approval": False,
}


class OrderService:
    """Places an order for each call id once; while it `hangs` it has its effect and does not answer."""

    def __init__(self) -> None:
        self.orders: dict[str, object] = {}
        self.asked: list[str] = []
        self.hangs = True

    def __call__(self, asked: Asked) -> Said:
        if asked.method == "GET":
            return json_answer([_SPEC])
        body = asked.json()
        call_id = body["call_id"]
        self.asked.append(call_id)
        self.orders.setdefault(call_id, body["arguments"])
        if self.hangs:
            return Said(hang=True)
        result = {"call_id": call_id, "name": "place_order", "status": "ok", "result": {"placed": True}}
        return json_answer({**result, "duration_ms": 1, "artifacts": [], "untrusted": False})


class OrderScript(Script):
    """Orders twice in one reply, then is done."""

    def __call__(self, request: Request) -> Answer:
        if request.tool_results:
            return reply("Ordered.")
        return reply((call("place_order", {"size": 1}), call("place_order", {"size": 2})))


@pytest.fixture
def script() -> Script:
    return OrderScript()


@pytest.mark.parametrize("kept_url", ["sqlite"], indirect=True)
async def test_the_effect_is_had_once_by_the_same_call_id(deployment: Deployment) -> None:
    service = OrderService()
    async with web_service(service) as site:
        deployment.settings["TOOLS_URL"] = site.url
        deployment.start()
        speaking = asyncio.create_task(deployment.say("order"))
        await deployment.until(lambda: len(service.asked) == 2)
        deployment.kill()
        service.hangs = False
        deployment.start()
        first = await speaking
        rest = await deployment.take_up(first)
    assert rest.last["type"] == "complete"
    assert sorted(service.asked[2:]) == sorted(service.asked[:2])
    assert len(service.orders) == 2
    turn = await deployment.get(f"/chat/turns/{first.turn_id}")
    assert [made["status"] for made in turn["tool_calls"]] == ["ok", "ok"]
    assert turn["response"] == "Ordered."
