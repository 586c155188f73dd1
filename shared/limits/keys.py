"""The users' own model keys: kept encrypted, looked up for each turn, shown to nobody."""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Callable

from shared.clock import Clock
from shared.errors import ConflictError, InternalError, ModelRefusedError
from shared.sealing import Keyring
from shared.sessions.account_port import UserSecrets

SECRET_NAME = "model_api_key"  # noqa: S105 (a name, not a secret)

# What the store does not encrypt, as it has no keys, is encrypted here and says so.
_SEALED = "sealed:"
_FRESH_SECONDS = 3.0
_MOST_REMEMBERED = 4096


class UserKeys:
    """The users' own model keys, in the store.

    What was looked up is taken as true for three seconds: that long another instance may go on with a key
    that was changed here.
    """

    def __init__(
        self,
        *,
        secrets: UserSecrets,
        store_encrypts: bool,
        open_file_keyring: Callable[[], Keyring] | None,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`open_file_keyring` opens the installation's key file; None where there must be none."""
        self._secrets = secrets
        self._store_encrypts = store_encrypts
        self._open_file_keyring = open_file_keyring
        self._clock = clock
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[float, str | None]] = OrderedDict()

    async def has(self, user_id: str) -> bool:
        """Whether the user has stored a key, be it one that can no longer be read."""
        try:
            return await self._load(user_id) is not None
        except InternalError:
            return True

    async def current(self, user_id: str) -> str | None:
        """The user's key, None when there is none.

        Raises:
            ModelRefusedError: there is one, and it can no longer be decrypted.
            StoreUnavailableError: it cannot be known now.
        """
        known = self._known.get(user_id)
        if known is not None and known[0] > self._monotonic():
            return known[1]
        try:
            stored = await self._load(user_id)
            key = None if stored is None else await self._open(user_id, stored)
        except InternalError as error:
            raise ModelRefusedError(
                "Your own model key can no longer be read; store it again, or delete it."
            ) from error
        self._remember(user_id, key)
        return key

    async def save(self, user_id: str, key: str) -> None:
        """Stores or replaces the user's key.

        Raises:
            ConflictError: this deployment has no key to encrypt it with.
        """
        value = key if self._store_encrypts else await self._seal(user_id, key)
        await self._secrets.save_user_secret(
            user_id=user_id, name=SECRET_NAME, value=value, now=self._clock()
        )
        self._known.pop(user_id, None)

    async def delete(self, user_id: str) -> None:
        """Removes the user's key; nothing happens when there is none."""
        await self._secrets.delete_user_secret(user_id=user_id, name=SECRET_NAME)
        self._known.pop(user_id, None)

    def forget(self, user_id: str) -> None:
        """Looks the user's key up anew at the next turn."""
        self._known.pop(user_id, None)

    async def _load(self, user_id: str) -> str | None:
        return await self._secrets.load_user_secret(user_id=user_id, name=SECRET_NAME)

    async def _seal(self, user_id: str, key: str) -> str:
        if self._open_file_keyring is None:
            raise ConflictError("this deployment stores no secrets: ENCRYPTION_KEYS is not set")
        keyring = await asyncio.to_thread(self._open_file_keyring)
        return _SEALED + b64encode(keyring.seal(key.encode("ascii"), user_id)).decode("ascii")

    async def _open(self, user_id: str, stored: str) -> str:
        if not stored.startswith(_SEALED):
            return stored
        if self._open_file_keyring is None:
            raise InternalError("a secret is encrypted under a key file that is not used any more")
        keyring = await asyncio.to_thread(self._open_file_keyring)
        return keyring.open(b64decode(stored.removeprefix(_SEALED)), user_id).decode("ascii")

    def _remember(self, user_id: str, key: str | None) -> None:
        self._known[user_id] = (self._monotonic() + _FRESH_SECONDS, key)
        self._known.move_to_end(user_id)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
