"""The users' own model keys: encrypted, fresh, and nowhere in plain text."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from shared.errors import ConfigurationError, ConflictError, ModelRefusedError, StoreUnavailableError
from shared.limits.key_file import NAME, file_keyring
from shared.limits.keys import SECRET_NAME, UserKeys
from shared.limits.select import open_user_keys
from shared.sealing import Keyring
from shared.sessions.codec import Codec
from shared.sessions.port import Store
from shared.sessions.sql.store import SqlStore
from shared.settings import read_settings
from tests.contracts.session_values import SetClock

KEY = "AIza-users-own-key-0123456789"
ONE = Keyring((b"1" * 32,))
TWO = Keyring((b"2" * 32,))


class Seconds:
    """A monotonic clock that stands where the test puts it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def keys_on(
    store: Store, clock: SetClock, seconds: Seconds, folder: Path | None, *, store_encrypts: bool = False
) -> UserKeys:
    return UserKeys(
        secrets=store,
        store_encrypts=store_encrypts,
        open_file_keyring=partial(file_keyring, folder) if folder else None,
        clock=clock,
        monotonic=seconds,
    )


@pytest.fixture
def here(store: Store, clock: SetClock, seconds: Seconds, tmp_path: Path) -> UserKeys:
    return keys_on(store, clock, seconds, tmp_path)


@pytest.fixture
def there(other_store: Store, clock: SetClock, seconds: Seconds, tmp_path: Path) -> UserKeys:
    return keys_on(other_store, clock, seconds, tmp_path)


async def test_a_key_is_the_users_until_it_is_replaced_or_deleted(here: UserKeys) -> None:
    assert not await here.has("alice")
    assert await here.current("alice") is None
    await here.save("alice", KEY)
    assert await here.has("alice")
    assert await here.current("alice") == KEY
    assert await here.current("bob") is None
    await here.save("alice", "another")
    assert await here.current("alice") == "another"
    await here.delete("alice")
    assert not await here.has("alice")
    assert await here.current("alice") is None
    await here.delete("alice")


async def test_another_instance_knows_of_a_change_in_three_seconds(
    here: UserKeys, there: UserKeys, seconds: Seconds
) -> None:
    assert await there.current("alice") is None
    await here.save("alice", KEY)
    seconds.now += 3
    assert await there.current("alice") == KEY
    await here.delete("alice")
    assert await there.current("alice") == KEY
    seconds.now += 3
    assert await there.current("alice") is None


async def test_without_encryption_keys_the_store_never_sees_the_key(here: UserKeys, store: Store) -> None:
    await here.save("alice", KEY)
    stored = await store.load_user_secret(user_id="alice", name=SECRET_NAME)
    assert stored is not None
    assert KEY not in stored
    # Sealed for alice: it opens for nobody else.
    await store.save_user_secret(user_id="bob", name=SECRET_NAME, value=stored, now=SetClock().now)
    with pytest.raises(ModelRefusedError, match="can no longer be read"):
        await here.current("bob")
    assert await here.has("bob")


async def test_without_any_key_nothing_is_stored(store: Store, clock: SetClock, seconds: Seconds) -> None:
    keys = keys_on(store, clock, seconds, None)
    with pytest.raises(ConflictError, match="ENCRYPTION_KEYS"):
        await keys.save("alice", KEY)
    assert not await keys.has("alice")


@pytest.fixture
async def sealing_store(database_url: str, clock: SetClock) -> AsyncIterator[Store]:
    async with await SqlStore.open(database_url, codec=Codec(ONE), clock=clock) as opened:
        yield opened


async def test_with_encryption_keys_the_store_encrypts_and_older_keys_still_open(
    store: Store, sealing_store: Store, here: UserKeys, clock: SetClock, seconds: Seconds, tmp_path: Path
) -> None:
    await here.save("alice", KEY)
    keys = keys_on(sealing_store, clock, seconds, tmp_path, store_encrypts=True)
    assert await keys.current("alice") == KEY
    await keys.save("bob", KEY)
    assert await keys.current("bob") == KEY


async def test_a_key_that_cannot_be_decrypted_is_told_to_its_user(
    sealing_store: Store, database_url: str, clock: SetClock, seconds: Seconds
) -> None:
    await keys_on(sealing_store, clock, seconds, None, store_encrypts=True).save("alice", KEY)
    async with await SqlStore.open(database_url, codec=Codec(TWO), clock=clock) as rotated:
        keys = keys_on(rotated, clock, seconds, None, store_encrypts=True)
        with pytest.raises(ModelRefusedError, match="store it again") as caught:
            await keys.current("alice")
        assert caught.value.http_status == 502
        assert await keys.has("alice")
        await keys.save("alice", "another")
        assert await keys.current("alice") == "another"


def test_the_key_file_is_its_owners_alone_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    sealed = file_keyring(folder).seal(b"secret", "alice")
    assert file_keyring(folder).open(sealed, "alice") == b"secret"
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


async def test_of_many_first_users_of_the_key_file_all_get_one_key(tmp_path: Path) -> None:
    rings = await asyncio.gather(*(asyncio.to_thread(file_keyring, tmp_path) for _ in range(20)))
    sealed = rings[0].seal(b"secret", "alice")
    assert {ring.open(sealed, "alice") for ring in rings} == {b"secret"}


def test_a_key_file_that_cannot_be_used_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError):
        file_keyring(tmp_path / "file")
    (tmp_path / NAME).write_text("no key")
    with pytest.raises(ConfigurationError):
        file_keyring(tmp_path)


@pytest.mark.parametrize(
    ("variables", "stores"),
    [
        ({}, True),
        ({"K_SERVICE": "chat", "ALLOW_UNAUTHENTICATED": "true"}, False),
        ({"DATABASE_URL": "postgresql://u:p@h/d"}, False),
    ],
)
async def test_a_key_file_serves_only_an_installation_on_one_disk(
    variables: dict[str, str], stores: bool, store: Store, clock: SetClock, tmp_path: Path
) -> None:
    settings = read_settings({"DATA_DIR": str(tmp_path / "data"), **variables})
    keys = open_user_keys(settings, store, clock)
    if stores:
        await keys.save("alice", KEY)
        assert await keys.current("alice") == KEY
    else:
        with pytest.raises(ConflictError):
            await keys.save("alice", KEY)
    assert (tmp_path / "data" / NAME).exists() == stores
