"""What a model puts into a call under a credential's name is in no record."""

from __future__ import annotations

from typing import Any

import pytest

from shared.agent.reply import ReplyBuilder
from shared.agent.secret_arguments import REMOVED
from shared.messages import ToolCall

MARK = "MARK-4471-zanzibar"


def recorded(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the step of the reply has them."""
    builder = ReplyBuilder(model="m")
    builder.add(ToolCall(id="c", name="deploy_bot", arguments=arguments))
    (call,) = builder.step().tool_calls
    return call.arguments


@pytest.mark.parametrize(
    "config",
    [
        {"api_key": MARK},
        {"apiSecret": MARK, "symbol": "BTC/USDT"},
        {"exchange": {"credentials": {"id": MARK}}},
        {"api_keys": 1, "secret": [MARK, {"a": MARK}]},
    ],
)
def test_a_credential_is_taken_out(config: dict[str, Any]) -> None:
    found = recorded({"instance": {"config": config}})
    assert MARK not in repr(found)
    assert REMOVED in repr(found)
    assert found["instance"]["config"].get("symbol") == config.get("symbol")


@pytest.mark.parametrize(
    "arguments",
    [
        {"instance": {"config": {"api_key": "", "symbol": "ETH/USDT", "key": "value"}}},
        {"filename": "a.py", "content": "api_key = config['api_key']"},
        {},
    ],
)
def test_other_arguments_are_left_as_they_are(arguments: dict[str, Any]) -> None:
    assert recorded(arguments) == arguments
