"""Instances: what is sent, what is refused, what is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.deployment.deployer import Order
from shared.errors import (
    ApprovalConflictError,
    DeploymentNotConfiguredError,
    DeploymentRefusedError,
    InstanceInvalidError,
    InstanceNotFoundError,
    PlatformUnavailableError,
    SessionNotFoundError,
)
from shared.keys import SessionKey
from shared.sessions.sql.store import SqlStore
from tests.servers.platform import Platform
from tests.shared.deployment.bots import SCHEMA, tiny_bot, with_config
from tests.shared.deployment.instance_rig import BOTS, START, InstanceRig, deployed
from tests.shared.deployment.rig import KEY


@pytest.fixture
async def rig(store: SqlStore, uploads: Platform) -> InstanceRig:
    """The tiny bot, a realtime one."""
    return await deployed(store, uploads, BOTS["rig"])


async def test_what_the_platform_gets_and_what_is_told(scheduled: InstanceRig) -> None:
    made = await scheduled.do(name="hourly", schedule=" 0 * *  * *", config={"buy_below": 25})
    row = scheduled.only
    assert (row["name"], row["config"]["type"]) == ("hourly", "scheduled/rsi-bot")
    assert (row["config"]["schedule"], row["config"]["version"]) == ("0 * * * *", "1.0.0")
    # Given, and the schema's default for the rest.
    assert (row["config"]["buy_below"], row["config"]["sell_above"]) == (25, 70)
    assert made.wire() == {
        "bot_id": row["id"],
        "name": "hourly",
        "type": "scheduled/rsi-bot",
        "version": "1.0.0",
        "schedule": "0 * * * *",
        "created_at": made.created_at,
        "status": "accepted, not started",
    }
    assert await scheduled.instances().list(KEY) == (made,)
    assert await scheduled.store.sessions_of_bot(bot_id=row["id"]) == (KEY,)
    assert await scheduled.do(name="hourly", schedule=" 0 * *  * *", config={"buy_below": 25}) == made
    assert len(scheduled.rows) == 1


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({}, "schedule", "is missing"),
        ({"schedule": "0 * * *"}, "schedule", "takes five fields"),
        ({"schedule": "61 * * * *"}, "schedule", "the minute takes"),
        ({"name": ""}, "name", "takes 1 to 255"),
        ({"name": "a\nb"}, "name", "takes 1 to 255"),
        ({"config": {"buy_below": 1000}}, "config.buy_below", "takes at most 98"),
        ({"config": {"buy_bellow": 10}}, "config.buy_bellow", "is no field of the bot"),
        ({"config": {"rsi_period": "x"}}, "config.rsi_period", "takes a whole number"),
        ({"config": {"type": "realtime/x"}}, "config.type", "is told beside"),
        ({"config": {"symbol": {"a": [[]] * 6000}}}, "config", "has more than"),
        ({"version": "9.9.9"}, "version", "has deployed no such bot"),
        ({"custom_bot": "another"}, "custom_bot", "has deployed no such bot"),
    ],
)
async def test_what_the_platform_would_not_take_is_told_by_field_and_not_sent(
    scheduled: InstanceRig, changes: dict[str, Any], field: str, told: str
) -> None:
    given = {"name": "n", "schedule": "0 * * * *", **changes}
    if not changes:
        del given["schedule"]
    with pytest.raises(InstanceInvalidError) as refused:
        await scheduled.do(**given)
    problems = {each["field"]: each["message"] for each in refused.value.details["problems"]}
    assert told in problems[field], problems
    assert scheduled.platform.times("start") == 0
    # Nothing was recorded either: the same call may be put right.
    await scheduled.do(name="n", schedule="0 * * * *")


async def test_a_realtime_bot_takes_no_schedule(rig: InstanceRig) -> None:
    with pytest.raises(InstanceInvalidError, match="schedule: is for scheduled bots"):
        await rig.do(schedule="0 * * * *")
    await rig.do()
    assert rig.only["config"]["type"] == "realtime/tiny-bot"
    assert "schedule" not in rig.only["config"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name: tiny-bot", "name: tiny--bot", "of this name"),
        ("type: realtime", "type: event", "realtime bots"),
    ],
)
async def test_bots_that_can_be_deployed_and_not_started(
    store: SqlStore, uploads: Platform, old: str, new: str, told: str
) -> None:
    rig = await deployed(store, uploads, with_config(old, new))
    with pytest.raises(InstanceInvalidError, match=told):
        await rig.do()


async def test_an_older_version_has_the_schema_that_it_was_deployed_with(rig: InstanceRig) -> None:
    closed = SCHEMA.replace(b'"properties"', b'"additionalProperties": false, "properties"')
    await rig.save({**with_config("1.2.3", "1.3.0"), "bot-schema.json": closed})
    # Not deployed: the version of before is what the newest instance is of.
    await rig.do(call_id="old", config={"anything": 1})
    assert rig.platform.times("version") == 1
    await rig.deploy(Order(unverified=True, session=KEY, call_id="newer"))
    with pytest.raises(InstanceInvalidError, match=r"config\.anything: is no field of the bot"):
        await rig.do(config={"anything": 1})
    await rig.do(call_id="old again", version="1.2.3", config={"anything": 1})
    assert [row["config"]["version"] for row in rig.rows] == ["1.2.3", "1.2.3"]


async def test_a_version_that_nobody_shows_any_more(rig: InstanceRig) -> None:
    await rig.save({"main.py": b"1"})
    rig.platform.fail("version", 404)
    with pytest.raises(InstanceInvalidError, match=r"version: the files are no longer those of 1\.2\.3"):
        await rig.do()


async def test_only_the_files_that_were_said_yes_to(rig: InstanceRig) -> None:
    order = replace(START, artifacts_sha256=await rig.sha256())
    await rig.save({"main.py": b"1"})
    with pytest.raises(ApprovalConflictError):
        await rig.do(order)
    await rig.save({"main.py": tiny_bot()["main.py"]})
    await rig.do(order)
    # Done, it is told whatever the files are now.
    await rig.save({"main.py": b"2"})
    assert (await rig.do(order)).bot_id == rig.only["id"]


async def test_no_platform_no_session_no_instance(rig: InstanceRig) -> None:
    with pytest.raises(DeploymentNotConfiguredError):
        await rig.instances(url=None).do(START)
    mallory = SessionKey(user_id="mallory", session_id="s")
    for work in (
        rig.do(session=mallory),
        rig.instances().list(mallory),
        rig.instances().get(mallory, "x"),
    ):
        with pytest.raises(SessionNotFoundError):
            await work
    for act in ("change", "stop"):
        with pytest.raises(InstanceNotFoundError):
            await rig.do(act=act, bot_id="i-nobody's", call_id=act)
    with pytest.raises(InstanceNotFoundError):
        await rig.instances().get(KEY, "i-nobody's")


async def test_what_is_left_out_of_a_change_stays(scheduled: InstanceRig) -> None:
    secret = {"api_key": "k" * 8 + "-not-to-be-lost"}
    made = await scheduled.do(schedule="0 * * * *", config={"buy_below": 25, **secret})
    change = replace(START, act="change", bot_id=made.bot_id, call_id="change", takes_secrets=False)
    changed = await scheduled.do(change, schedule="0 0 * * *")
    config = scheduled.only["config"]
    assert (config["schedule"], config["buy_below"]) == ("0 0 * * *", 25)
    assert config["api_key"] == secret["api_key"]
    assert config["hasFrontend"] is False
    assert (changed.bot_id, changed.schedule) == (made.bot_id, "0 0 * * *")
    await scheduled.do(change, call_id="more", name="renamed", config={"sell_above": 80})
    config = scheduled.only["config"]
    assert (config["schedule"], config["buy_below"], config["sell_above"]) == ("0 0 * * *", 25, 80)
    (told,) = await scheduled.instances().list(KEY)
    assert (told.name, told.schedule, told.created_at) == ("renamed", "0 0 * * *", made.created_at)
    with pytest.raises(InstanceInvalidError, match="schedule"):
        await scheduled.do(change, call_id="wrong", schedule="hourly")


async def test_an_instance_moves_to_a_newer_version_but_not_over_a_major_one(rig: InstanceRig) -> None:
    made = await rig.do()
    for number, call in (("1.3.0", "minor"), ("2.0.0", "major")):
        await rig.save(with_config("1.2.3", number))
        await rig.deploy(Order(unverified=True, session=KEY, call_id=call))
    change = replace(START, act="change", bot_id=made.bot_id)
    assert (await rig.do(change, call_id="c1", version="1.3.0")).version == "1.3.0"
    with pytest.raises(InstanceInvalidError, match=r"version: 1\.3\.0 cannot become 2\.0\.0"):
        await rig.do(change, call_id="c2", version="2.0.0")
    assert rig.only["config"]["version"] == "1.3.0"


async def test_a_stopped_instance_is_gone_and_said_so(rig: InstanceRig) -> None:
    made = await rig.do()
    stop = replace(START, act="stop", bot_id=made.bot_id, call_id="stop")
    stopped = await rig.do(stop)
    assert rig.rows == []
    assert (stopped.status, stopped.evidence) == ("deleted", "the platform took its deletion")
    assert await rig.do(stop) == stopped
    assert rig.platform.times("stop") == 1
    with pytest.raises(InstanceNotFoundError):
        await rig.do(stop, call_id="again")


async def test_an_instance_that_was_deleted_at_the_platform_is_gone_for_its_maker_alone(
    rig: InstanceRig,
) -> None:
    rig.platform.users["Bearer hers"] = "alice"
    hers = await rig.do(call_id="hers", authorization="Bearer hers")
    # The agent's key does not see it: that it is not there says nothing.
    with pytest.raises(DeploymentRefusedError, match="Bot not found"):
        await rig.do(act="stop", bot_id=hers.bot_id, call_id="agent")
    rig.rows.clear()
    gone = await rig.do(act="stop", bot_id=hers.bot_id, call_id="h2", authorization="Bearer hers")
    assert gone.status == "deleted"


async def test_running_is_said_on_evidence_alone(rig: InstanceRig) -> None:
    made = await rig.do()
    bot_id = made.bot_id or ""
    # A status without its evidence, and words that are none of ours, are not believed.
    for said in ({"status": "running"}, {"status": "unknown"}, {"status": "on fire", "evidence": "x"}):
        await rig.hear(bot_id, **{"evidence": None, **said})
        assert (await rig.instances().get(KEY, bot_id)).status == "accepted, not started"
    at = "2026-11-28T12:00:00Z"
    await rig.hear(bot_id, status="running", evidence="the0.bot.log", status_since=at)
    running = await rig.instances().get(KEY, bot_id)
    assert (running.status, running.evidence, running.since) == ("running", "the0.bot.log", at)
    # As the events function writes them.
    signs = {"evidence": {"type": "bot.execution.completed", "time": at}, "status_since": at}
    await rig.hear(bot_id, status="running", **signs)
    assert (await rig.instances().get(KEY, bot_id)).evidence == "bot.execution.completed"
    await rig.hear(bot_id, status="failed", evidence=None, last_error={"time": at, "text": "no key"})
    failed = await rig.instances().get(KEY, bot_id)
    assert (failed.status, failed.cause) == ("failed", "no key")
    await rig.do(act="stop", bot_id=bot_id, call_id="stop")
    assert (await rig.instances().get(KEY, bot_id)).status == "deleted"


async def test_a_refusal_is_shown_as_it_is_and_stays(rig: InstanceRig) -> None:
    rig.platform.fail("start", 400, message=["too many\x1b bots", "x" * 5000])
    for _ in range(2):
        with pytest.raises(DeploymentRefusedError) as refused:
            await rig.do()
        assert "the platform answered 400: too many bots; xxx" in refused.value.message
        assert len(refused.value.message) < 700
    (told,) = await rig.instances().list(KEY)
    assert (told.status, told.bot_id, told.cause) == ("failed", None, refused.value.message)
    assert "bot_id" not in told.wire()


async def test_no_word_and_no_record_holds_a_value(scheduled: InstanceRig) -> None:
    mark, key = "MARK-zanzibar-7731", "zQ81MARKkd0a9sdKJ3mm20xk"
    config = {"api_key": key, "api_secret": mark}
    rig = scheduled
    rig.platform.fail("start", 400, message=f"bad: {json.dumps(config)}")
    with pytest.raises(DeploymentRefusedError) as refused:
        await rig.do(schedule="0 * * * *", config=config)
    rig.platform.fail("start", 429, message=f"later: {key}")
    with pytest.raises(PlatformUnavailableError) as later:
        await rig.do(call_id="later", schedule="0 * * * *", config=config)
    with pytest.raises(InstanceInvalidError) as wrong:
        await rig.do(call_id="wrong", schedule="0 * * * *", config=config | {"symbol": key + "!"})
    for error in (refused.value, later.value, wrong.value):
        for value in (mark, key):
            assert value not in error.message + json.dumps(error.details)
    made = await rig.do(call_id="made", schedule="0 * * * *", config=config)
    assert rig.only["config"]["api_secret"] == mark
    rig.platform.fail("change", 400, message=f"bad: {mark}")
    with pytest.raises(DeploymentRefusedError) as change:
        await rig.do(act="change", bot_id=made.bot_id, call_id="change", config={"buy_below": 20})
    assert mark not in change.value.message + json.dumps(change.value.details)
    records = await rig.store.session_deployments(key=KEY, limit=99)
    for value in (mark, key):
        assert value not in repr(records)
        assert value not in repr(await rig.instances().list(KEY))


async def test_a_chat_takes_no_credential(scheduled: InstanceRig) -> None:
    order = replace(START, takes_secrets=False, schedule="0 * * * *")
    for config in ({"api_key": "abc"}, {"symbol": "sk_live_4eC39HqLyjWDarjtT1zdp7dc"}):
        with pytest.raises(InstanceInvalidError, match="holds a credential, which a chat must not"):
            await scheduled.do(order, config=config)
    await scheduled.do(order, config={"symbol": "ETH/USDT", "api_key": ""})
