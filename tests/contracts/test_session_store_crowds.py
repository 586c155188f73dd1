"""200 turns at once on one session in a mixture of `if_busy`: none lost, none interleaved, on every store."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from shared.errors import SessionConflictError, TurnInProgressError, TurnNotFoundError
from shared.keys import SessionKey
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn, IfBusy
from shared.turn import Turn
from tests.contracts.session_values import COMPLETED, DONE, MODEL, TOOL, SetClock, event, held, new_turn
from tests.contracts.turn_steps import append, claim

WAYS: tuple[IfBusy, ...] = ("reject", "wait", "interrupt", "rollback")
TURNS = 200


class _Waiting:
    """A turn in line, and the future of its start."""

    def __init__(self, begun: BegunTurn) -> None:
        self.begun = begun
        self.start: asyncio.Future[BegunTurn] = asyncio.get_running_loop().create_future()


class Crowd:
    """Callers that post at once, over two instances, and bring what they began to its end."""

    def __init__(self, stores: tuple[Store, Store], clock: SetClock, key: SessionKey) -> None:
        self.stores, self.clock, self.key = stores, clock, key
        self.ways: dict[str, IfBusy] = {}
        self.ends: dict[str, str] = {}
        self.joined: list[tuple[int, str]] = []
        self.lines: tuple[dict[str, _Waiting], ...] = ({}, {})
        self.stirred = asyncio.Event()

    async def post(self, n: int, way: IfBusy) -> None:
        """One caller with its message."""
        store, line = self.stores[n % 2], self.lines[n % 2]
        new = new_turn(self.key, self.clock.now, if_busy=way, default_title="T", wait_seconds=3600)
        self.ways[new.turn_id] = way
        try:
            begun = await store.begin_turn(new=new)
        except TurnInProgressError:
            self.ends[new.turn_id] = "refused"
            return
        if begun.lease is None:
            assert way == "wait"
            # Revisions count the session's changes: they tell in which order the places were given.
            self.joined.append((begun.session.revision, begun.turn.turn_id))
            line[new.turn_id] = waiting = _Waiting(begun)
            self.stirred.set()
            begun = await waiting.start
        await self._run(store, begun)
        self.stirred.set()

    async def serve_lines(self) -> None:
        """Each instance asks for all its waiting turns, whenever the session may be free."""
        while True:
            await self.stirred.wait()
            self.stirred.clear()
            for store, line in zip(self.stores, self.lines, strict=True):
                waiting = [each.begun for each in line.values()]
                begun = await claim(store, self.clock, *waiting, wait=3600) if waiting else None
                if begun is not None:
                    line.pop(begun.turn.turn_id).start.set_result(begun)

    async def _run(self, store: Store, begun: BegunTurn) -> None:
        turn_id, lease = begun.turn.turn_id, held(begun)
        assert all(turn.status in ("completed", "interrupted") for turn in begun.history or ())
        try:
            await append(store, lease, 1, MODEL, self.clock, events=(event(turn_id),))
            await append(store, lease, 2, TOOL, self.clock)
            await store.finish_turn(lease=lease, number=3, steps=(DONE, COMPLETED), now=self.clock.now)
            self.ends[turn_id] = "completed"
        except SessionConflictError:
            self.ends[turn_id] = await self._how_it_was_lost(store, turn_id)

    @staticmethod
    async def _how_it_was_lost(store: Store, turn_id: str) -> str:
        try:
            return (await store.load_turn(user_id="alice", turn_id=turn_id)).status
        except TurnNotFoundError:
            return "rolled back"


async def test_a_crowd_of_every_mixture_is_served_one_by_one(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    # The same mixture each time; nothing secret.
    dice = random.Random(7)
    crowd = Crowd((store, other_store), clock, key)
    ways = [dice.choice(WAYS) for _ in range(TURNS)]
    serving = asyncio.create_task(crowd.serve_lines())
    async with asyncio.timeout(120):
        await asyncio.gather(*(crowd.post(n, way) for n, way in enumerate(ways)))
    serving.cancel()
    # None is lost: each caller knows how it ended, and the record says the same.
    assert len(crowd.ends) == TURNS
    ended = Counter(crowd.ends.values())
    assert set(ended) <= {"completed", "interrupted", "rolled back", "refused"}
    turns = await _all_turns(store, key)
    recorded = {turn.turn_id: turn.status for turn in turns}
    assert recorded == {
        turn_id: end for turn_id, end in crowd.ends.items() if end not in ("refused", "rolled back")
    }
    # None is interleaved: what was not cut is whole, numbers are the order of beginning.
    for turn in turns:
        kinds = [step.kind for step in turn.steps]
        whole = ["user", "model", "tool", "model", "final"]
        assert kinds == (whole if turn.status == "completed" else whole[: len(kinds)])
    numbers = [turn.number for turn in turns]
    assert numbers == sorted(set(numbers), reverse=True)
    # Those that waited began in the order of their places.
    order = {turn.turn_id: turn.number for turn in turns}
    in_line = [order[turn_id] for _, turn_id in sorted(crowd.joined) if turn_id in order]
    assert in_line == sorted(in_line)
    # Each turn that ran on past its first step told it once, unless it was rolled back.
    told = [each.event.event_id for each in await store.unpublished_events(limit=TURNS * 2)]
    assert sorted(told) == sorted(turn.turn_id for turn in turns if len(turn.steps) > 1)
    # The session is free in the end.
    assert (await store.begin_turn(new=new_turn(key, clock.now))).lease is not None


async def _all_turns(store: Store, key: SessionKey) -> list[Turn]:
    page = await store.list_turns(key=key, limit=50, cursor=None)
    turns = list(page.items)
    while page.next_cursor is not None:
        page = await store.list_turns(key=key, limit=50, cursor=page.next_cursor)
        turns += page.items
    return turns
