"""The contract of `DeadLetters`, over every backend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import DeadLetterNotFoundError, InvalidRequestError
from shared.sessions.port import Store
from tests.contracts.bot_values import letter
from tests.contracts.session_values import ODD, SetClock

DAY = 86_400.0


async def waiting(store: Store) -> list[str]:
    page = await store.list_dead_letters(limit=99, cursor=None)
    assert await store.count_dead_letters() == len(page.items)
    return [each.letter_id for each in page.items]


async def test_a_letter_comes_back_as_it_was(store: Store, clock: SetClock) -> None:
    assert await waiting(store) == []
    whole = letter("a1", clock.now)
    bare = letter(
        "b2", clock.now, source=None, event_id=None, type=None, time=None, bot_id=None, payload={"t": ODD}
    )
    await store.keep_dead_letters(letters=(whole, bare))
    for each in (whole, bare):
        assert await store.load_dead_letter(letter_id=each.letter_id) == each
    assert await waiting(store) == ["b2", "a1"]
    with pytest.raises(DeadLetterNotFoundError):
        await store.load_dead_letter(letter_id="c3")


async def test_the_same_again_is_the_same_letter(store: Store, other_store: Store, clock: SetClock) -> None:
    first = letter("a1", clock.now)
    for instance in (store, other_store):
        await instance.keep_dead_letters(letters=(first, first))
    assert await waiting(store) == ["a1"]
    changed = replace(first, reason="unknown_session", detail="gone", received_at=clock.pass_time(5))
    await store.keep_dead_letters(letters=(changed,))
    assert await store.load_dead_letter(letter_id="a1") == changed


async def test_a_settled_one_waits_no_more_until_it_comes_again(store: Store, clock: SetClock) -> None:
    letters = tuple(letter(f"a{number}", clock.now) for number in range(3))
    await store.keep_dead_letters(letters=letters)
    for _ in range(2):
        await store.settle_dead_letters(letter_ids=("a0", "a2", "none"), now=clock.pass_time(1))
        assert await waiting(store) == ["a1"]
    with pytest.raises(DeadLetterNotFoundError):
        await store.load_dead_letter(letter_id="a0")
    assert [each.letter_id for each in await store.dead_letters_of_bot(bot_id="bot-1", limit=9)] == ["a1"]
    await store.keep_dead_letters(letters=(letters[0],))
    assert await waiting(store) == ["a1", "a0"]


async def test_those_of_a_bot(store: Store, clock: SetClock) -> None:
    await store.keep_dead_letters(
        letters=(
            letter("a0", clock.now),
            letter("a1", clock.now, bot_id="bot-2"),
            letter("a2", clock.now, bot_id=None),
        )
    )
    assert await store.dead_letters_of_bot(bot_id="bot-2", limit=9) == (
        letter("a1", clock.now, bot_id="bot-2"),
    )
    assert await store.dead_letters_of_bot(bot_id="bot-3", limit=9) == ()


async def test_the_list_is_newest_first_and_paged(store: Store, clock: SetClock) -> None:
    letters = []
    for number in range(7):
        if number % 2:
            clock.pass_time(1)
        letters.append(letter(f"a{number}", clock.now))
    await store.keep_dead_letters(letters=tuple(letters))
    found: list[str] = []
    cursor = None
    for _ in range(9):
        page = await store.list_dead_letters(limit=2, cursor=cursor)
        found += [each.letter_id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [f"a{number}" for number in range(6, -1, -1)]
    with pytest.raises(InvalidRequestError):
        await store.list_dead_letters(limit=2, cursor="x")


async def test_letters_go_30_days_after_they_came(store: Store, clock: SetClock) -> None:
    await store.keep_dead_letters(letters=(letter("a0", clock.now), letter("a1", clock.now)))
    await store.settle_dead_letters(letter_ids=("a1",), now=clock.now)
    assert await store.tidy(now=clock.pass_time(30 * DAY - 1), limit=99) == 0
    assert await store.tidy(now=clock.pass_time(1), limit=99) == 2
    assert await waiting(store) == []
