"""One deployment for one call id: both forms, refusals, lost answers, death at any point."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from shared.deployment.deployer import Order
from shared.errors import (
    AppError,
    ApprovalConflictError,
    BotInvalidError,
    BotUnverifiedError,
    DeploymentInProgressError,
    DeploymentNotConfiguredError,
    DeploymentRefusedError,
    DeploymentUnknownError,
    IdempotencyMismatchError,
    PlatformUnavailableError,
    SessionNotFoundError,
    UnauthenticatedError,
)
from shared.keys import ArtifactKey, SessionKey
from shared.verification.seal import RecordSeal
from tests.shared.deployment.bots import CONFIG, tiny_bot, with_config
from tests.shared.deployment.rig import KEY, ORDER, SEAL, Dying, KilledError, Rig


async def test_a_bot_is_deployed_once_however_often_its_call_is_repeated(rig: Rig) -> None:
    deployed = await rig.deploy()
    (bot,) = rig.platform.bots
    assert (deployed.bot_id, deployed.name, deployed.version) == (bot["id"], "tiny-bot", "1.2.3")
    assert deployed.url.startswith(rig.platform.url)
    asked = len(rig.platform.asked)
    assert await rig.deploy() == deployed
    assert len(rig.platform.asked) == asked
    (event,) = await rig.events()
    assert event == {
        "session_id": "s",
        "user_id": "alice",
        "bot_id": bot["id"],
        "name": "tiny-bot",
        "version": "1.2.3",
        "deployment_url": deployed.url,
        "artifacts_sha256": await rig.sha256(),
    }
    assert rig.stirred == 1
    assert await rig.store.sessions_of_bot(bot_id=bot["id"]) == (KEY,)


async def test_the_upload_form_gets_exactly_the_files(uploading: Rig) -> None:
    await uploading.deploy()
    (bot,) = uploading.platform.bots
    assert uploading.platform.files(bot) == tiny_bot()
    assert uploading.platform.times("register") == 1
    assert bot["config"]["readme"] == tiny_bot()["README.md"].decode()
    assert bot["config"]["metadata"]["tags"] == ["hello", "tiny"]


async def test_the_code_form_gets_the_fields_it_takes(rig: Rig) -> None:
    rig.platform.form = "code"
    await rig.deploy()
    (bot,) = rig.platform.bots
    assert bot["code"] == 'print("hello")\n'
    assert (bot["type"], bot["description"]) == ("realtime", "Says hello")
    assert bot["tags"][:2] == ["hello", "tiny"]


async def test_a_version_that_exists_is_raised_and_put(uploading: Rig) -> None:
    first = await uploading.deploy()
    again = await uploading.deploy(Order(unverified=True, session=KEY, call_id="another"))
    assert (first.version, again.version) == ("1.2.3", "1.2.4")
    assert first.bot_id != again.bot_id
    assert uploading.platform.times("renew") == 1
    await uploading.save(with_config("1.2.3", "2.0.0"))
    assert (await uploading.deploy(Order(unverified=True, session=KEY, call_id="third"))).version == "2.0.0"


async def test_the_callers_own_credential_goes_before_the_agents_key(rig: Rig) -> None:
    rig.platform.users["Bearer her-token"] = "alice"
    await rig.deploy(Order(unverified=True, session=KEY, call_id="c", authorization="Bearer her-token"))
    assert {asked for _, asked in rig.platform.asked} == {"Bearer her-token"}
    assert rig.platform.bots[0]["userId"] == "alice"


async def test_another_name_of_the_callers(rig: Rig) -> None:
    deployed = await rig.deploy(Order(unverified=True, session=KEY, call_id="c", name="other-name"))
    assert deployed.name == rig.platform.bots[0]["name"] == "other-name"
    with pytest.raises(IdempotencyMismatchError):
        await rig.deploy(Order(unverified=True, session=KEY, call_id="c", name="third-name"))


async def test_only_the_set_that_was_said_yes_to_is_deployed(rig: Rig) -> None:
    order = Order(unverified=True, session=KEY, call_id="c", artifacts_sha256=await rig.sha256())
    await rig.save({"main.py": b'print("changed")\n'})
    with pytest.raises(ApprovalConflictError):
        await rig.deploy(order)
    assert rig.platform.asked == []
    await rig.save({"main.py": b'print("hello")\n'})
    await rig.deploy(order)
    assert len(rig.platform.bots) == 1


async def test_what_is_no_bot_is_not_sent_and_not_recorded(rig: Rig) -> None:
    await rig.save({"bot-config.yaml": b"name: x"})
    with pytest.raises(BotInvalidError):
        await rig.deploy()
    assert rig.platform.asked == []
    await rig.save({"bot-config.yaml": CONFIG.encode()})
    await rig.deploy()


async def test_no_platform_and_no_session(rig: Rig) -> None:
    with pytest.raises(DeploymentNotConfiguredError, match="THE0_API_URL"):
        await rig.deployer(url=None).deploy(ORDER)
    other = SessionKey(user_id="bob", session_id="s")
    await rig.save({})
    for name, data in tiny_bot().items():
        await rig.files.save(key=ArtifactKey(session=other, filename=name), data=data)
    with pytest.raises(SessionNotFoundError):
        await rig.deploy(Order(unverified=True, session=other, call_id="c"))
    assert rig.platform.asked == []


async def test_a_refusal_is_shown_as_it_is_and_stays(rig: Rig) -> None:
    kind = "create" if rig.platform.form == "code" else "register"
    rig.platform.fail(kind, 400, message=["type must be\x1b[31m good", "x" * 5000])
    for _ in range(2):
        with pytest.raises(DeploymentRefusedError) as refused:
            await rig.deploy()
        assert "the platform answered 400: type must be [31m good; xxx" in refused.value.message
        assert len(refused.value.message) < 700
        assert refused.value.details["platform_status"] == 400
    assert rig.platform.bots == []
    assert await rig.events() == []
    await rig.deploy(Order(unverified=True, session=KEY, call_id="another"))
    assert len(rig.platform.bots) == 1


async def test_a_key_that_does_not_hold_is_the_platforms_refusal(rig: Rig) -> None:
    with pytest.raises(DeploymentRefusedError) as refused:
        await rig.deployer(api_key="wrong").deploy(ORDER)
    assert refused.value.details == {"platform_status": 401, "platform_message": "Unauthorized"}
    assert "wrong" not in refused.value.message


async def test_a_credential_that_no_header_carries_is_refused_before_anything(rig: Rig) -> None:
    with pytest.raises(UnauthenticatedError):
        await rig.deploy(Order(unverified=True, session=KEY, call_id="c", authorization="Bearer é"))
    assert await rig.store.load_deployment(key=KEY, call_id="c") is None
    assert rig.platform.asked == []


async def test_a_bot_of_somebody_elses_is_not_touched(uploading: Rig) -> None:
    uploading.platform.users["ApiKey other"] = "bob"
    await uploading.deploy(Order(unverified=True, session=KEY, call_id="bob's", authorization="ApiKey other"))
    with pytest.raises(DeploymentRefusedError, match="Insufficient permissions"):
        await uploading.deploy()
    assert len(uploading.platform.bots) == 1


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize("how", [{"lost": True}, {"status": 503}, {"status": 500}])
async def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(
    rig: Rig, takes: bool, how: dict[str, Any]
) -> None:
    kind = "create" if rig.platform.form == "code" else "register"
    rig.platform.fail(kind, takes=takes, **how)
    deployed = await rig.deploy()
    assert [bot["id"] for bot in rig.platform.bots] == [deployed.bot_id]
    assert rig.platform.times(kind) == (1 if takes else 2)
    assert len(await rig.events()) == 1


@pytest.mark.parametrize("shows", [("name", "code"), ("name", "tags")])
async def test_a_bot_is_known_by_its_mark_or_by_its_name_and_code(rig: Rig, shows: tuple[str, ...]) -> None:
    rig.platform.form, rig.platform.shows = "code", shows
    rig.platform.fail("create", takes=True, lost=True)
    assert (await rig.deploy()).bot_id == rig.platform.bots[0]["id"]
    assert rig.platform.times("create") == 1


@pytest.mark.parametrize("told", [{"lists": False}, {"shows": ("name",)}])
async def test_what_cannot_be_known_is_said_and_never_sent_twice(rig: Rig, told: dict[str, Any]) -> None:
    rig.platform.form = "code"
    for name, value in told.items():
        setattr(rig.platform, name, value)
    rig.platform.fail("create", takes=True, status=502, message="upstream")
    for _ in range(2):
        with pytest.raises(DeploymentUnknownError, match="may have made the bot"):
            await rig.deploy()
    assert rig.platform.times("create") == 1
    rig.platform.lists, rig.platform.shows = True, ("name", "tags", "code")
    assert (await rig.deploy()).bot_id == rig.platform.bots[0]["id"]


async def test_a_platform_that_is_down_makes_nothing_and_the_call_may_be_repeated(rig: Rig) -> None:
    with pytest.raises(PlatformUnavailableError):
        await rig.deployer(url="http://127.0.0.1:1").deploy(ORDER)
    assert (await rig.deploy()).bot_id == rig.platform.bots[0]["id"]


async def test_too_many_requests_are_no_refusal(rig: Rig) -> None:
    rig.platform.fail("create" if rig.platform.form == "code" else "register", 429)
    with pytest.raises(PlatformUnavailableError, match="429"):
        await rig.deploy()
    assert (await rig.deploy()).bot_id == rig.platform.bots[0]["id"]


async def test_reading_and_uploading_are_tried_again(uploading: Rig) -> None:
    uploading.platform.fail("versions", 502)
    uploading.platform.fail("upload", lost=True, takes=True)
    await uploading.deploy()
    assert len(uploading.platform.bots) == 1


async def test_a_number_that_another_deployment_took_meanwhile_is_passed_over(uploading: Rig) -> None:
    held = uploading.platform.fail("upload", holds=True, takes=True)
    held.reply = type(held.reply)(200, {"success": True, "filePath": "agent/tiny-bot/1.2.3"})
    slow = asyncio.create_task(uploading.deploy())
    await asyncio.to_thread(held.reached.wait, 10)
    quick = await uploading.deploy(Order(unverified=True, session=KEY, call_id="quick"))
    held.release.set()
    assert (quick.version, (await slow).version) == ("1.2.3", "1.2.4")


async def test_two_processes_of_one_call_make_one_bot(rig: Rig) -> None:
    order = Order(unverified=True, session=KEY, call_id="c", wait_seconds=10)
    found = await asyncio.gather(*(rig.deployer().deploy(order) for _ in range(5)))
    assert {each.bot_id for each in found} == {rig.platform.bots[0]["id"]}
    assert len(rig.platform.bots) == 1


async def test_a_call_that_is_under_way_elsewhere_is_not_waited_for_long(rig: Rig) -> None:
    held = rig.platform.fail("create" if rig.platform.form == "code" else "register", holds=True)
    first = asyncio.create_task(rig.deploy())
    await asyncio.to_thread(held.reached.wait, 10)
    with pytest.raises(DeploymentInProgressError):
        await rig.deploy()
    held.release.set()
    assert (await first).bot_id == rig.platform.bots[0]["id"]


async def test_a_deployment_goes_on_when_its_caller_leaves(rig: Rig) -> None:
    held = rig.platform.fail(
        "create" if rig.platform.form == "code" else "register", holds=True, takes=True, lost=True
    )
    deployer = rig.deployer()
    caller = asyncio.create_task(deployer.deploy(ORDER))
    await asyncio.to_thread(held.reached.wait, 10)
    caller.cancel()
    held.release.set()
    await deployer.close()
    record = await rig.store.load_deployment(key=KEY, call_id=ORDER.call_id)
    assert record is not None
    assert (record.state, record.bot_id) == ("created", rig.platform.bots[0]["id"])


async def test_a_process_killed_at_any_write_and_resumed_makes_one_bot(rig: Rig) -> None:
    deaths = 0
    for at in range(1, 12):
        for after in (False, True):
            order = Order(
                unverified=True, session=KEY, call_id=f"{at} {after}", name=f"bot-{at}-{int(after)}"
            )
            dying = Dying(rig.store, at, after=after)
            try:
                await rig.deployer(dying).deploy(order)
            except KilledError:
                deaths += 1
            rig.clock.pass_time(120)
            deployed = await rig.deploy(order)
            made = [bot for bot in rig.platform.bots if bot["name"] == order.name]
            assert [bot["id"] for bot in made] == [deployed.bot_id], (at, after)
    assert deaths >= (8 if rig.platform.form == "upload" else 6)
    told = [event["bot_id"] for event in await rig.events()]
    assert sorted(told) == sorted(bot["id"] for bot in rig.platform.bots)


async def test_killed_and_resumed_with_other_files_the_platform_is_asked_and_nothing_else_sent(
    rig: Rig,
) -> None:
    # The third write of either form is the end, after the bot was made, or the first one before it.
    for at, made in ((2, 0), (3, 1)):
        order = Order(unverified=True, session=KEY, call_id=f"c{at}", name=f"bot-{at}")
        rig.platform.form = "code"
        with pytest.raises(KilledError):
            await rig.deployer(Dying(rig.store, at, after=False)).deploy(order)
        await rig.save({"main.py": f"print({at})\n".encode()})
        rig.clock.pass_time(120)
        if made:
            assert (await rig.deploy(order)).name == "bot-3"
        else:
            with pytest.raises(ApprovalConflictError):
                await rig.deploy(order)
    assert len(rig.platform.bots) == 1


async def test_a_platform_of_neither_form_refuses(rig: Rig) -> None:
    rig.platform.form = "neither"
    with pytest.raises(DeploymentRefusedError, match="404"):
        await rig.deploy()


@pytest.mark.parametrize(
    "answer",
    [b"", b"no json", b"[]", b"{}", b'{"id": {}}', b'{"id": ""}', b'{"id": true}', b'{"success": false}'],
)
async def test_an_answer_that_names_no_bot_is_no_bot(rig: Rig, answer: bytes) -> None:
    from tests.servers.web_service import Said, web_service

    def says(asked: Any) -> Said:
        return Said(status=201 if asked.method == "POST" else 404, body=answer)

    async with web_service(says) as service:
        with pytest.raises(AppError) as failed:
            await rig.deployer(url=service.url).deploy(ORDER)
        assert failed.value.http_status in (422, 502)
        assert sum(asked.method == "POST" for asked in service.asked) == 1


async def test_notes_say_what_runs_and_what_is_missing(rig: Rig) -> None:
    await rig.save({"requirements.txt": b"# none\nccxt==4.0\n"})
    notes = (await rig.deploy()).notes
    assert "not started" in notes[0]
    assert "vendor/" in notes[1]
    assert json.dumps(notes)


@pytest.mark.parametrize(
    ("package", "told"),
    [(b'{"dependencies": {"ccxt": "4"}}', True), (b'{"name": "a"}', False), (b"{", False), (b"[1]", False)],
)
async def test_a_note_says_that_node_packages_are_missing(rig: Rig, package: bytes, told: bool) -> None:
    await rig.save({"package.json": package})
    notes = (await rig.deploy()).notes
    assert any("node_modules/" in note for note in notes) == told


def _known(rig: Rig, **changes: Any) -> Order:
    given: dict[str, Any] = {"session": KEY, "call_id": "gate", "wait_seconds": 0, **changes}
    return Order(**given)


async def _with_record(rig: Rig, verdict: str = "verified", seal: RecordSeal = SEAL) -> None:
    form = {
        "schema_version": 1,
        "verdict": verdict,
        "reasons": ["It looks ahead."],
        "artifacts_sha256": await rig.sha256(),
    }
    await rig.save({"verification.json": seal.signed(form)})


@pytest.mark.parametrize("verdict", ["verified", "verified_with_warnings"])
async def test_a_verified_bot_goes_out_without_its_evidence(rig: Rig, verdict: str) -> None:
    await _with_record(rig, verdict)
    await rig.save({"backtest/report.html": b"<p>"})
    await rig.deploy(_known(rig))
    (bot,) = rig.platform.bots
    if rig.platform.form == "upload":
        assert not any("backtest" in name or "verification" in name for name in rig.platform.files(bot))


async def test_what_no_record_speaks_for_does_not_go_out(rig: Rig) -> None:
    with pytest.raises(BotUnverifiedError, match="has not been verified"):
        await rig.deploy(_known(rig))
    await _with_record(rig, "rejected")
    with pytest.raises(BotUnverifiedError, match="It looks ahead"):
        await rig.deploy(_known(rig))
    await _with_record(rig, seal=RecordSeal((b"somebody's own key",)))
    with pytest.raises(BotUnverifiedError, match="not written by a verification"):
        await rig.deploy(_known(rig))
    await _with_record(rig)
    await rig.save({"main.py": b'print("another")\n'})
    with pytest.raises(BotUnverifiedError, match="have changed"):
        await rig.deploy(_known(rig))
    assert rig.platform.asked == []
    await rig.deploy(_known(rig, unverified=True))
    assert len(rig.platform.bots) == 1
