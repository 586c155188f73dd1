"""The offline planner and a bot that its user broke: what is formal is repaired, the rest is left to him."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_gate import verdicts
from tests.servers.agent import agent_server
from tests.servers.sse import Stream, chat_stream

pytestmark = pytest.mark.timeout(300)

GOOD, BROKEN = "needed = candles_needed(parameters)", "needed = candles_needed(parameters, parameters)"


def contents(client: Any, name: str) -> str:
    return str(client.get(f"/artifacts/session/s/{name}").json()["content"])


def called(stream: Stream) -> list[str]:
    return [call["name"] for call in stream.of("tool_call")]


def test_forms_are_repaired_and_code_is_put_back_at_the_users_word_only(tmp_path: Path) -> None:
    with agent_server(tmp_path) as agent, agent.client() as client:
        built = chat_stream(client, "Build me an RSI momentum bot for BTC/USDT", session_id="s")
        assert verdicts(built)[0].startswith("verified"), built.chunks

        config, strategy = contents(client, "bot-config.yaml"), contents(client, "strategy.py")
        broken = "# mine\n" + config.replace('version: "1.0.0"', "version: 1.0")
        changed = strategy.replace(GOOD, BROKEN, 1)
        assert broken.count("version: 1.0\n") == changed.count(BROKEN) == 1
        for name, text in (("bot-config.yaml", broken), ("README.md", "Mine"), ("strategy.py", changed)):
            client.put(f"/artifacts/session/s/{name}", content=text.encode()).raise_for_status()

        told = chat_stream(client, "verify it", session_id="s")
        assert verdicts(told) == ["rejected", "rejected"], told.chunks
        assert contents(client, "bot-config.yaml") == "# mine\n" + config
        assert contents(client, "README.md").startswith("Mine\n\n# rsi-momentum-btc-usdt")
        # The user's own code stays as it is; he is told what remains and what he can say.
        assert contents(client, "strategy.py") == changed
        assert "TypeError" in told.text
        assert '"restore strategy.py"' in told.text
        assert "`bot-config.yaml` has version 3" in told.text

        put_back = chat_stream(client, "restore strategy.py", session_id="s")
        assert verdicts(put_back)[0].startswith("verified"), put_back.text
        assert contents(client, "strategy.py") == strategy
