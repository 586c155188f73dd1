"""Messages that meet a running turn: rejected, in line, in its place; on one instance and on two."""

from __future__ import annotations

import asyncio
import random

import pytest

from shared.agent.updates import CompleteUpdate
from shared.errors import StoreUnavailableError, TurnInProgressError
from shared.turn import FinalStep, Turn, UserStep
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, reply
from tests.shared.agent.rig import KEY, Deployment, Instance


async def test_a_second_message_is_rejected_by_default(deployment: Deployment, gemini: GeminiServer) -> None:
    here = await deployment.instance()
    gate = Gate()
    gemini.script(reply("One", gate))
    turn = await here.begin("One")
    with pytest.raises(TurnInProgressError) as refused:
        await here.begin("Two")
    assert refused.value.details["turn_id"] == turn.turn_id
    assert refused.value.retry_after
    gate.open()
    assert (await here.wait(turn)).status == "completed"


async def test_waiting_messages_run_in_their_order_on_two_instances(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    instances = [await deployment.instance(), await deployment.instance()]
    gate = Gate()
    gemini.script(reply("Answer 0", gate))
    for number in range(1, 7):
        gemini.on(f"Message {number}", reply(f"Answer {number}"))
    turns: list[tuple[int, Turn]] = [(0, await instances[0].begin("Message 0"))]
    for number in range(1, 7):
        index = number % 2
        turns.append((index, await instances[index].begin(f"Message {number}", if_busy="wait")))
        assert turns[-1][1].status == "waiting"
    with pytest.raises(TurnInProgressError):
        await instances[1].begin("Message 9")
    gate.open()
    for number, (index, turn) in enumerate(turns):
        ended = await instances[index].wait(turn)
        assert (ended.status, ended.number, ended.response) == ("completed", number + 1, f"Answer {number}")
    assert isinstance((await instances[0].updates(turns[1][1]))[-1], CompleteUpdate)


async def test_a_waiting_turn_is_cancelled_and_the_line_goes_on(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    gate = Gate()
    gemini.script(reply("One", gate), reply("Three"))
    first = await here.begin("One")
    second = await here.begin("Two", if_busy="wait")
    third = await here.begin("Three", if_busy="wait")
    cancelled = await here.engine.cancel(user_id=KEY.user_id, turn_id=second.turn_id)
    assert cancelled.status == "cancelled"
    gate.open()
    assert (await here.wait(first)).response == "One"
    assert (await here.wait(second)).status == "cancelled"
    assert (await here.wait(third)).response == "Three"


async def test_a_dead_instances_place_in_line_is_passed_over(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    gate = Gate()
    gemini.script(reply("One", gate), reply("Three"))
    first = await here.begin("One")
    dead = await there.begin("Two", if_busy="wait")
    await there.engine.close()
    third = await here.begin("Three", if_busy="wait")
    gate.open()
    assert (await here.wait(first)).status == "completed"
    assert (await here.engine.load(user_id=KEY.user_id, turn_id=dead.turn_id)).status == "waiting"
    assert (await here.engine.load(user_id=KEY.user_id, turn_id=third.turn_id)).status == "waiting"
    deployment.clock.pass_time(31)
    assert (await here.wait(third)).response == "Three"
    assert (await here.engine.load(user_id=KEY.user_id, turn_id=dead.turn_id)).status == "interrupted"


async def insist(instance: Instance, number: int, if_busy: str) -> Turn:
    """Begins a turn as a client does: what was told to be unavailable is asked again under its key."""
    while True:
        try:
            return await instance.begin(
                f"Message {number}", if_busy=if_busy, idempotency_key=f"k-{number}", body_hash=str(number)
            )
        except StoreUnavailableError:
            # So many at one session may wait longer for a connection than a store may take.
            await asyncio.sleep(0.1)


async def test_two_hundred_messages_at_once_in_any_mixture(
    deployment: Deployment, gemini: GeminiServer, backend_url: str
) -> None:
    # Firestore's test server takes a minute for so many; its store has a crowd of 200 in its own tests.
    many = 60 if backend_url.startswith("firestore") else 200
    instances = [await deployment.instance(), await deployment.instance()]
    gemini.always(reply("Yes."))
    choice = random.Random(7)
    ways = [choice.choice(("reject", "wait", "interrupt", "rollback")) for _ in range(many)]

    async def post(number: int) -> tuple[str, Turn | None]:
        instance = instances[number % 2]
        try:
            turn = await insist(instance, number, ways[number])
            return ways[number], await instance.wait(turn, 150)
        except TurnInProgressError:
            return ways[number], None
        except Exception as error:  # noqa: BLE001 (which one is the question)
            return f"{ways[number]}: {type(error).__name__}", None

    outcomes = await asyncio.gather(*(post(number) for number in range(many)))
    # Each was answered, refused as it asked to be, or removed by a rollback: none is lost, none failed.
    assert {kind for kind, _ in outcomes} <= {
        *ways,
        *(f"{way}: TurnRolledBackError" for way in ways),
        # Asked again under its key, when another had removed it.
        *(f"{way}: TurnNotFoundError" for way in ways),
    }
    for kind, turn in outcomes:
        if kind in ("wait", "interrupt", "rollback"):
            assert turn is not None
            assert turn.status in ("completed", "interrupted"), turn.status
    kept = [turn for kind, turn in outcomes if turn is not None and kind == "wait"]
    assert all(turn.status == "completed" for turn in kept if turn.status != "interrupted")
    recorded: list[Turn] = []
    cursor = None
    while True:
        page = await instances[0].store.list_turns(key=KEY, limit=100, cursor=cursor)
        recorded.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert {turn.turn_id for _, turn in outcomes if turn} <= {turn.turn_id for turn in recorded}
    recorded.reverse()
    # Each is whole and ended: its message first, one end last (none where another took its place).
    for turn in recorded:
        assert isinstance(turn.steps[0], UserStep)
        ends = [index for index, step in enumerate(turn.steps) if isinstance(step, FinalStep)]
        assert ends == [len(turn.steps) - 1] or (not ends and turn.status == "interrupted")
    # One after another: the last turn's model was sent the others in the order they are recorded in.
    order = [turn.request.message for turn in recorded]
    asked = next(turn for turn in reversed(recorded) if turn.status == "completed").request.message
    sent = next(request for request in reversed(gemini.requests) if request.last_user_text == asked)
    seen = [content["parts"][0]["text"] for content in sent.contents if content["role"] == "user"]
    places = [order.index(message) for message in seen]
    assert places == sorted(set(places))
    assert len(places) > 5
