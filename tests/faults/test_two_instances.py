"""Two instances on one database, 200 turns on 20 sessions, and one of the two is killed again and again."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.faults.crowd import CrowdScript, answer_of
from tests.faults.deployment import Deployment, check_failure
from tests.faults.heard import hear
from tests.servers.gemini import gemini_server

SESSIONS = 20
TURNS = 10
KILLS = 5
WAIT_SECONDS = 240.0


@pytest.fixture
def crowd_script() -> CrowdScript:
    return CrowdScript()


@pytest.fixture
async def instances(
    tmp_path: Path, kept_postgres_url: str, crowd_script: CrowdScript
) -> AsyncIterator[list[Deployment]]:
    """Two, over one database and one folder of files."""
    with gemini_server() as model:
        model.always(crowd_script)
        async with AsyncExitStack() as stack:
            made = [
                await stack.enter_async_context(Deployment(tmp_path, model, kept_postgres_url, name=name))
                for name in ("one", "two")
            ]
            for one in made:
                one.start()
            yield made
        assert not model.violations, model.violations


async def converse(name: str, session: str, instances: list[Deployment], chance: random.Random) -> int:
    """Says one message, on either instance, again until it is answered; how many keys it took.

    It is the same key, but for a turn that died and that the session has gone on without: that is told.
    """
    body = {"message": f"Please do {name}", "session_id": session, "if_busy": "wait"}
    deadline, keys = time.monotonic() + WAIT_SECONDS, 1
    while True:
        client = chance.choice(instances).client
        heard = await hear(
            client, "POST", "/chat/stream", json=body, headers={"Idempotency-Key": f"{name}-{keys}"}
        )
        if heard.last.get("type") == "complete":
            return keys
        if heard.problem.get("code") == "session_conflict":
            assert "under a new Idempotency-Key" in heard.problem["detail"]
            keys += 1
            continue
        check_failure(heard)
        assert time.monotonic() < deadline, (name, heard)
        await asyncio.sleep(chance.uniform(0.05, 0.3))


@pytest.mark.long
@pytest.mark.timeout(420)
async def test_every_turn_is_whole_and_done_once(
    instances: list[Deployment], crowd_script: CrowdScript
) -> None:
    chance = random.Random(7)
    names = [(f"turn-{s}-{t}", f"s-{s}") for t in range(TURNS) for s in range(SESSIONS)]
    conversing = [asyncio.create_task(converse(name, session, instances, chance)) for name, session in names]
    for _ in range(KILLS):
        # The moment itself is what is tested.
        await asyncio.sleep(chance.uniform(0.5, 4))
        await asyncio.to_thread(instances[1].kill)
        instances[1].start()
    keys = await asyncio.gather(*conversing)
    used = {name: count for (name, _), count in zip(names, keys, strict=True)}
    assert sum(keys) - len(keys) < 2 * KILLS * SESSIONS
    for number in range(SESSIONS):
        await _check(instances[0], number, used)


async def _check(instance: Deployment, number: int, used: dict[str, int]) -> None:
    """Each message is there once for each key, and was answered under the last; each effect is there once."""
    session, names = f"s-{number}", [f"turn-{number}-{turn}" for turn in range(TURNS)]
    messages = await instance.get(f"/chat/sessions/{session}/messages?limit=200")
    asked = Counter(m["content"].split()[-1] for m in messages if m["role"] == "user")
    assert asked == {name: used[name] for name in names}
    answers = [m for m in messages if m["role"] == "assistant"]
    answered = [m for m in answers if m["content"].endswith("is done.")]
    assert sorted(m["content"].split()[0] for m in answered) == sorted(names)
    for message in answered:
        name = message["content"].split()[0]
        assert message["content"] == answer_of(name)
        assert [call["status"] for call in message["tool_calls"]] == ["ok", "ok"]
    # A turn that was given up may have saved already: the one that was sent anew changes nothing then.
    assert await instance.watcher.count("artifact_versions", session) == TURNS
    events = Counter(await instance.watcher.events(session))
    assert events["ai.artifact.created"] == TURNS
    assert TURNS <= events["ai.bot.suggestion"] <= sum(used[name] for name in names)
    assert await instance.watcher.count("held_events", session) == 0
