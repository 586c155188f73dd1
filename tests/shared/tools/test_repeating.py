"""A tool call that is run again sees the files as they were before it, and finds what it saved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.clock import utc_now
from shared.errors import ArtifactNotFoundError, VersionConflictError
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.sql.store import SqlStore
from shared.tools.repeating import Repeated, RepeatedCallFiles
from tests.contracts.session_values import new_turn

SESSION = SessionKey(user_id="u", session_id="s")
FILE = ArtifactKey(session=SESSION, filename="a.py")
EARLIER = utc_now() - timedelta(hours=1)


@pytest.fixture
async def library(sqlite_url: str, tmp_path: Path) -> AsyncIterator[ArtifactLibrary]:
    async with await SqlStore.open(sqlite_url) as store:
        await store.create_session(key=SESSION, title="t", context={}, now=utc_now())
        # A version is taken from a turn that there is.
        for number, turn_id in enumerate(("mine", "other")):
            place = SessionKey(user_id="u", session_id=f"of-turn-{number}")
            await store.begin_turn(new=new_turn(place, utc_now(), turn_id=turn_id))
        objects = LocalObjectStore(tmp_path / "objects")
        yield ArtifactLibrary(objects=objects, index=store, clock=utc_now, new_id=new_id)


def again(library: ArtifactLibrary, since: datetime = EARLIER, settled: str = "") -> RepeatedCallFiles:
    """The files as the turn `mine` sees them when it runs a call again."""
    repeated = Repeated(since=since, settled=frozenset(settled.split()))
    return RepeatedCallFiles(files=library, turn_id="mine", repeated=repeated)


async def test_a_save_that_was_made_is_answered_as_it_was(library: ArtifactLibrary) -> None:
    first = await library.save(key=FILE, data=b"1", turn_id="mine")
    files = again(library)
    with pytest.raises(ArtifactNotFoundError):
        await files.read(key=FILE)
    assert await files.list(session=SESSION) == ()
    assert await files.save(key=FILE, data=b"1", turn_id="mine") == first
    assert (await files.read(key=FILE)).data == b"1"
    assert [found.version for found in await files.list(session=SESSION)] == [1]
    assert len(await library.versions(key=FILE)) == 1


async def test_an_edit_reads_what_was_there_before_it(library: ArtifactLibrary) -> None:
    await library.save(key=FILE, data=b"1", turn_id="other")
    await library.save(key=FILE, data=b"2", turn_id="mine")
    files = again(library)
    assert (await files.read(key=FILE)).data == b"1"
    assert [found.version for found in await files.list(session=SESSION)] == [1]
    assert [found.version for found in await files.versions(key=FILE)] == [1]
    saved = await files.save(key=FILE, data=b"2", expected_version=1, turn_id="mine")
    assert (saved.artifact.version, saved.outcome) == (2, "updated")
    assert len(await library.versions(key=FILE)) == 2


async def test_several_saves_of_one_file_are_found_one_after_the_other(library: ArtifactLibrary) -> None:
    for data in (b"1", b"2"):
        await library.save(key=FILE, data=data, turn_id="mine")
    files = again(library)
    outcomes = [await files.save(key=FILE, data=data, turn_id="mine") for data in (b"1", b"2", b"3")]
    assert [(saved.artifact.version, saved.outcome) for saved in outcomes] == [
        (1, "created"),
        (2, "updated"),
        (3, "updated"),
    ]


async def test_a_call_that_says_something_else_the_second_time_saves_on_top(library: ArtifactLibrary) -> None:
    await library.save(key=FILE, data=b"0")
    await library.save(key=FILE, data=b"1", turn_id="mine")
    saved = await again(library).save(key=FILE, data=b"2", expected_version=1, turn_id="mine")
    assert (saved.artifact.version, saved.outcome) == (3, "updated")


@pytest.mark.parametrize(
    ("turn_id", "since", "settled"),
    [
        ("other", EARLIER, ""),
        (None, EARLIER, ""),
        ("mine", datetime(9000, 1, 1, tzinfo=UTC), ""),
        ("mine", EARLIER, "a.py b.py"),
    ],
)
async def test_what_the_call_did_not_save_is_seen(
    library: ArtifactLibrary, turn_id: str | None, since: datetime, settled: str
) -> None:
    await library.save(key=FILE, data=b"1", turn_id=turn_id)
    files = again(library, since, settled)
    assert (await files.read(key=FILE)).data == b"1"
    assert (await files.save(key=FILE, data=b"1", turn_id="mine")).outcome == "unchanged"
    with pytest.raises(VersionConflictError):
        await files.save(key=FILE, data=b"2", expected_version=0, turn_id="mine")


async def test_what_somebody_saved_on_top_shows_all(library: ArtifactLibrary) -> None:
    await library.save(key=FILE, data=b"1", turn_id="mine")
    await library.save(key=FILE, data=b"2")
    files = again(library)
    assert (await files.read(key=FILE)).data == b"2"
    saved = await files.save(key=FILE, data=b"1", turn_id="mine")
    assert (saved.artifact.version, saved.outcome) == (3, "updated")
