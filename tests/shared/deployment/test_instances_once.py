"""Instances: once for one call id, whoever dies when, and whatever answer is lost."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any, Literal

import pytest

from shared.deployment.instance import Act
from shared.errors import (
    DeploymentInProgressError,
    DeploymentUnknownError,
    IdempotencyMismatchError,
    PlatformUnavailableError,
)
from shared.sessions.sql.store import SqlStore
from tests.servers.platform import Platform
from tests.shared.deployment.instance_rig import BOTS, START, InstanceRig, deployed
from tests.shared.deployment.rig import KEY, Dying, KilledError


@pytest.fixture
async def rig(store: SqlStore, uploads: Platform) -> InstanceRig:
    """The tiny bot, a realtime one."""
    return await deployed(store, uploads, BOTS["rig"])


async def test_the_same_id_for_something_else(rig: InstanceRig) -> None:
    await rig.do(config={"symbol": "A"})
    others: tuple[dict[str, Any], ...] = (
        {"config": {"symbol": "B"}},
        {"name": "x"},
        {"authorization": "ApiKey planted-secret-platform-key"},
    )
    for changes in others:
        given: dict[str, Any] = {"config": {"symbol": "A"}, **changes}
        with pytest.raises(IdempotencyMismatchError):
            await rig.do(**given)
    assert len(rig.rows) == 1


LOST: tuple[dict[str, Any], ...] = ({"lost": True}, {"status": 503}, {"status": 500})


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("kind", ["rig", "unmarked"])
async def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(
    store: SqlStore, uploads: Platform, kind: str, takes: bool, how: dict[str, Any]
) -> None:
    rig = await deployed(store, uploads, BOTS[kind])
    rig.platform.fail("start", takes=takes, **how)
    made = await rig.do()
    assert rig.only["id"] == made.bot_id
    assert rig.platform.times("start") == (1 if takes else 2)
    assert ("deployment" in rig.only["config"]) == (kind == "rig")


async def test_one_that_was_there_before_is_not_taken_for_ours(unmarked: InstanceRig) -> None:
    first = await unmarked.do(call_id="first")
    # One that somebody made elsewhere, alike in everything.
    unmarked.rows.append({**unmarked.only, "id": "i-foreign"})
    unmarked.platform.fail("start", takes=False, lost=True)
    second = await unmarked.do(call_id="second")
    assert second.bot_id not in (first.bot_id, "i-foreign")
    assert len(unmarked.rows) == 3


async def test_two_that_cannot_be_told_apart_are_said_so(unmarked: InstanceRig) -> None:
    held = unmarked.platform.fail("start", takes=True, lost=True, holds=True)
    work = asyncio.create_task(unmarked.do())
    assert await asyncio.to_thread(held.reached.wait, 30)
    unmarked.rows.append({**unmarked.only, "id": "i-foreign"})
    held.release.set()
    with pytest.raises(DeploymentUnknownError, match="2 instances of that name and configuration"):
        await work
    (told,) = await unmarked.instances().list(KEY)
    assert (told.status, told.bot_id) == ("unknown", None)
    with pytest.raises(DeploymentUnknownError):
        await unmarked.do()
    assert unmarked.platform.times("start") == 1


@pytest.mark.parametrize("told", [{"lists": False}, {"shows": ("id", "name")}])
async def test_what_cannot_be_known_is_said_and_never_sent_twice(
    rig: InstanceRig, told: dict[str, Any]
) -> None:
    for name, value in told.items():
        setattr(rig.platform.instances, name, value)
    rig.platform.fail("start", takes=True, lost=True)
    for _ in range(2):
        with pytest.raises(DeploymentUnknownError, match="may have made the instance"):
            await rig.do()
    assert len(rig.rows) == rig.platform.times("start") == 1
    rig.platform.instances.lists, rig.platform.instances.shows = True, ("id", "name", "config")
    assert (await rig.do()).bot_id == rig.only["id"]
    assert rig.platform.times("start") == 1


async def test_a_platform_that_is_away_did_nothing(rig: InstanceRig) -> None:
    with pytest.raises(PlatformUnavailableError):
        await rig.instances(url="http://127.0.0.1:9").do(START)
    rig.platform.fail("start", 429, message="slow down")
    with pytest.raises(PlatformUnavailableError, match="slow down"):
        await rig.do()
    await rig.do()
    assert len(rig.rows) == 1


WRITES_OF: dict[Act | Literal["unmarked"], int] = {"start": 3, "change": 3, "stop": 3, "unmarked": 4}


# The claim, before it is sent and at its end; where there is no mark, once more before asking what is there.
WRITES = [(act, at) for act, most in WRITES_OF.items() for at in range(1, most + 1)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("act", "at"), WRITES)
async def test_killed_at_any_write_and_repeated_it_is_done_once(
    store: SqlStore, uploads: Platform, act: Act | Literal["unmarked"], at: int, after: bool
) -> None:
    rig = await deployed(store, uploads, BOTS["unmarked" if act == "unmarked" else "rig"])
    order = replace(START, name="first")
    if act == "change" or act == "stop":
        made = await rig.do(order)
        order = replace(
            START, act=act, bot_id=made.bot_id, call_id="then", name=None if act == "stop" else "second"
        )
    dying = Dying(rig.store, at, after=after)
    with contextlib.suppress(KilledError):
        await rig.instances(dying).do(order)
    rig.clock.pass_time(60)
    done = await rig.do(order)
    if act == "stop":
        assert (rig.rows, done.status) == ([], "deleted")
        return
    assert rig.only["id"] == done.bot_id
    assert rig.only["name"] == ("second" if act == "change" else "first")
    (told,) = await rig.instances().list(KEY)
    assert told.name == rig.only["name"]


async def test_killed_while_the_platform_makes_it(rig: InstanceRig) -> None:
    held = rig.platform.fail("start", takes=True, holds=True)
    process = rig.instances()
    work = asyncio.create_task(process.do(START))
    assert await asyncio.to_thread(held.reached.wait, 30)
    with pytest.raises(DeploymentInProgressError):
        await rig.do()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    held.release.set()
    # The caller left; the process went on and asked the platform what the lost answer was.
    for _ in range(600):
        if (await rig.instances().list(KEY))[0].bot_id is not None:
            break
        await asyncio.sleep(0.05)
    assert (await rig.do()).bot_id == rig.only["id"]
    assert rig.platform.times("start") == 1


async def test_the_same_call_at_once_in_two_processes(rig: InstanceRig) -> None:
    both = await asyncio.gather(rig.do(wait_seconds=30), rig.do(wait_seconds=30))
    assert both[0] == both[1]
    assert len(rig.rows) == 1
