"""Exports over every store: odd texts and names, long sessions, damaged bytes, memory that does not grow."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.account.export import Export
from shared.account.member_names import MemberNames, segment_of
from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.errors import SessionNotFoundError
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.port import Store
from shared.turn import Turn, TurnRequest
from tests.contracts.planted import plant
from tests.contracts.session_values import COMPLETED, MODEL, ODD, TOOL, SetClock, artifact, held, new_turn
from tests.servers.object_fixtures import ObjectPlace

KEY = SessionKey(user_id="alice", session_id="s-planted")


def messages_of(turn: Turn) -> list[dict[str, Any]]:
    return [{"role": "user", "content": turn.request.message}]


@pytest.fixture
async def library(store: Store, local_place: ObjectPlace, clock: SetClock) -> AsyncIterator[ArtifactLibrary]:
    objects = LocalObjectStore(local_place.folder)
    yield ArtifactLibrary(objects=objects, index=store, clock=clock, new_id=new_id)
    await objects.close()


def export(store: Store, library: ArtifactLibrary, user_id: str = "alice") -> Export:
    return Export(store=store, library=library, messages_of=messages_of, user_id=user_id)


async def whole(pieces: AsyncIterator[bytes]) -> zipfile.ZipFile:
    data = b"".join([piece async for piece in pieces])
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).splitlines()]


async def test_all_that_was_planted_comes_out_but_secrets_and_tokens(
    store: Store, library: ArtifactLibrary, clock: SetClock
) -> None:
    marks = await plant(store, clock)
    archive = await whole(export(store, library).everything())
    text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    found = {mark for mark in marks.given if mark in text or json.dumps(mark)[1:-1] in text}
    left = {mark.split("-", 1)[1].rsplit("-", 3)[0] for mark in set(marks.given) - found}
    # Events repeat what is elsewhere; calls that clients named are kept a day, to answer repeats.
    events = {*("event-1", "event-2", "last-event", "held-event", "file-event", "own-event")}
    opaque = {"secret", "signature", "approval-token"}
    # Events that reached no session are nobody's.
    left = {name for name in left if not name.startswith("letter-")}
    # What the session says in other words, and a title that another replaced.
    assert left <= {*events, *opaque, "named-call-result", "summary", "waiting-message", "waiting-context"}
    assert opaque <= left
    manifest = json.loads(archive.read("manifest.json"))
    # The planted record of a file has no bytes.
    assert [(each["filename"], each["version"]) for each in manifest["unreadable"]] == [("main.py", 1)]
    [version] = lines(archive, "sessions/s-planted/artifacts.jsonl")
    assert version["member"] is None
    [deployment] = lines(archive, "sessions/s-planted/deployments.jsonl")
    assert (deployment["call_id"], deployment["state"]) == ("c-10", "begun")


async def test_a_long_session_comes_in_order_and_odd_text_as_it_was(
    store: Store, library: ArtifactLibrary, clock: SetClock
) -> None:
    for number in range(23):
        clock.pass_time(1)
        request = TurnRequest(message=f"{number} {ODD}", context={"huge": 2**80})
        begun = await store.begin_turn(new=new_turn(KEY, clock.now, request=request))
        await store.finish_turn(lease=held(begun), number=1, steps=(MODEL, TOOL, COMPLETED), now=clock.now)
    archive = await whole(export(store, library).session(KEY.session_id))
    turns = lines(archive, "turns.jsonl")
    assert [turn["number"] for turn in turns] == list(range(1, 24))
    assert [turn["request"]["message"] for turn in turns] == [f"{n} {ODD}" for n in range(23)]
    assert turns[0]["request"]["context"] == {"huge": 2**80}
    assert [step["kind"] for step in turns[0]["steps"]] == ["user", "model", "tool", "final"]
    assert turns[0]["usage"] == {"input_tokens": 12, "output_tokens": 3, "total_tokens": 15}
    assert [each["content"] for each in lines(archive, "messages.jsonl")] == [f"{n} {ODD}" for n in range(23)]
    again = await whole(export(store, library).session(KEY.session_id))
    assert [again.read(name) for name in again.namelist()] == [
        archive.read(name) for name in archive.namelist()
    ]


async def test_usage_is_told_by_day(store: Store, library: ArtifactLibrary, clock: SetClock) -> None:
    for user_id, tokens in (("alice", 5), ("bob", 7), ("alice", 11)):
        await store.reserve_usage(
            user_id=user_id,
            reservation_id=new_id(),
            charge=Charge(tokens=tokens, micros=tokens * 10),
            limits=DailyLimits(),
            now=clock.now,
            lease_seconds=60,
        )
        await store.tidy(now=clock.pass_time(86_400), limit=99)
    archive = await whole(export(store, library).everything())
    assert lines(archive, "usage.jsonl") == [
        {"day": "2026-03-01", "tokens": 5, "cost_micros": 50},
        {"day": "2026-03-03", "tokens": 11, "cost_micros": 110},
    ]


async def test_deleted_files_are_there_and_other_users_are_not(
    store: Store, library: ArtifactLibrary, clock: SetClock
) -> None:
    bobs = SessionKey(user_id="bob", session_id=KEY.session_id)
    for key in (KEY, bobs):
        await store.create_session(key=key, title=key.user_id, context={}, now=clock.now)
        for name in ("a", "a/b", "ü.py", "C:evil.py"):
            saved = ArtifactKey(session=key, filename=name)
            await library.save(key=saved, data=f"{key.user_id} {name}".encode())
    await library.delete(key=ArtifactKey(session=KEY, filename="ü.py"))
    archive = await whole(export(store, library).session(KEY.session_id))
    versions = lines(archive, "artifacts.jsonl")
    assert [each["filename"] for each in versions] == ["C:evil.py", "a", "a/b", "ü.py"]
    assert [bool(each["file_deleted_at"]) for each in versions] == [False, False, False, True]
    assert [archive.read(each["member"]).decode() for each in versions] == [
        f"alice {each['filename']}" for each in versions
    ]
    assert all(b"bob" not in archive.read(name) for name in archive.namelist())
    with pytest.raises(SessionNotFoundError):
        await whole(export(store, library, "carol").session(KEY.session_id))


async def test_damaged_bytes_are_told_and_never_given(
    store: Store, library: ArtifactLibrary, clock: SetClock, local_place: ObjectPlace
) -> None:
    await store.create_session(key=KEY, title="t", context={}, now=clock.now)
    for name in ("good.py", "bad.py"):
        await library.save(key=ArtifactKey(session=KEY, filename=name), data=b"x = 1  # " + name.encode())
    [bad] = [path for path in local_place.folder.rglob("*") if path.is_file() and "bad" in str(path)]
    bad.chmod(0o600)
    bad.write_bytes(bad.read_bytes()[:-1] + b"\0")
    archive = await whole(export(store, library).session(KEY.session_id))
    members = {each["filename"]: each["member"] for each in lines(archive, "artifacts.jsonl")}
    assert members == {"bad.py": None, "good.py": "artifacts/v1/good.py"}
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["unreadable"] == [{"session_id": KEY.session_id, "filename": "bad.py", "version": 1}]


def test_no_two_members_are_at_one_place_and_none_is_in_anothers_way(clock: SetClock) -> None:
    names = MemberNames("artifacts/")
    files = ("a/b/c", "a", "a/b", "a_/b", "_a", "a_", "b", "b/c/d", "b/c", "b_/c/d")
    places = [names.of(artifact(KEY, clock.now, name)) for name in files]
    assert len(set(places)) == len(files)
    for place in places:
        assert not any(other.startswith(f"{place}/") for other in places)
        assert place.startswith("artifacts/v1/")
    assert names.of(artifact(KEY, clock.now, "a", 2)) == "artifacts/v2/a"
    assert [segment_of(each) for each in ("s-1", "..", ".", "a/b", "é")] == [
        *("s-1", "%2E%2E", "%2E", "a%2Fb", "%C3%A9")
    ]


def test_memory_does_not_grow_with_the_session(sqlite_url: str, local_place: ObjectPlace) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.servers.exporting_process", sqlite_url, str(local_place.folder)],
        capture_output=True,
        timeout=110,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["content"] > 80 * 1024 * 1024
    assert told["grown"] < 48 * 1024 * 1024
