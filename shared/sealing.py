"""Encryption at rest: AES-256-GCM under a key that the sealed bytes name, several keys in rotation.

A sealed value is `0x01, key id (4 bytes), nonce (12 bytes), ciphertext with tag`; a key's id is the beginning
of its SHA-256. The owner's id is authenticated with the value: what is sealed for one user does not open for
another. Plain values are read beside sealed ones, so that a store can be encrypted later: one who may write
to the store can thus put a plain value in place of a sealed one. Source: NIST SP 800-38D; random nonces are
safe for 2**32 values under one key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from typing import TYPE_CHECKING

from shared.errors import ConfigurationError, InternalError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32

_MARK = b"\x01"
_ID_BYTES, _NONCE_BYTES = 4, 12
_HEAD = len(_MARK) + _ID_BYTES + _NONCE_BYTES
_TAG_BYTES = 16
_TAKES = (
    "ENCRYPTION_KEYS: takes keys of 32 bytes in base64, separated by commas; the first encrypts, all decrypt"
)
_CHANGED = "a stored value does not open: it was changed or is another's"


class Keyring:
    """The keys of a deployment: the first seals, all open. Without keys values stay as they are."""

    def __init__(self, keys: tuple[bytes, ...] = ()) -> None:
        self._keys = {hashlib.sha256(key).digest()[:_ID_BYTES]: key for key in keys}
        self._ciphers: dict[bytes, AESGCM] = {}
        self._first = next(iter(self._keys), None)

    @classmethod
    def of(cls, setting: str | None) -> Keyring:
        """The keyring of the setting ENCRYPTION_KEYS.

        Raises:
            ConfigurationError: it holds no key, or what is none; its text is not in the message.
        """
        if setting is None:
            return cls()
        keys = tuple(_key(word.strip()) for word in setting.split(",") if word.strip())
        if not keys:
            # Somebody meant to encrypt.
            raise ConfigurationError(_TAKES)
        return cls(keys)

    @property
    def is_empty(self) -> bool:
        """Whether there is no key, so that nothing is sealed."""
        return self._first is None

    def seal(self, plain: bytes, owner: str) -> bytes:
        """The value under the first key; as it is when there is none."""
        if self._first is None:
            return plain
        nonce = os.urandom(_NONCE_BYTES)
        return b"".join(
            (_MARK, self._first, nonce, self._cipher(self._first).encrypt(nonce, plain, _bytes(owner)))
        )

    def open(self, stored: bytes, owner: str) -> bytes:
        """The value that was sealed, or that was stored before there were keys.

        Raises:
            InternalError: its key is not here, or it was changed, or sealed for another owner.
        """
        if not self.is_sealed(stored):
            return stored
        if len(stored) < _HEAD + _TAG_BYTES:
            raise InternalError(_CHANGED)
        name, nonce = stored[1 : 1 + _ID_BYTES], stored[1 + _ID_BYTES : _HEAD]
        if name not in self._keys:
            raise InternalError("a stored value is encrypted under a key that ENCRYPTION_KEYS lacks")
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher(name).decrypt(nonce, stored[_HEAD:], _bytes(owner))
        except InvalidTag as error:
            raise InternalError(_CHANGED) from error

    @staticmethod
    def is_sealed(stored: bytes) -> bool:
        """Whether the bytes are sealed; JSON never begins so."""
        return stored[:1] == _MARK

    def is_current(self, stored: bytes) -> bool:
        """Whether the bytes are as `seal` would make them now: under the first key, or plain without keys."""
        if self._first is None:
            return not self.is_sealed(stored)
        return self.is_sealed(stored) and stored[1 : 1 + _ID_BYTES] == self._first

    def signing_keys(self, purpose: str) -> tuple[bytes, ...]:
        """Keys for signatures of one purpose, the one that signs first (HMAC-SHA-256 of the purpose)."""
        return tuple(hmac.digest(key, purpose.encode(), "sha256") for key in self._keys.values())

    def _cipher(self, name: bytes) -> AESGCM:
        cipher = self._ciphers.get(name)
        if cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            cipher = self._ciphers[name] = AESGCM(self._keys[name])
        return cipher


def _key(text: str) -> bytes:
    # Either alphabet, and with or without the padding: as `openssl rand -base64 32` and
    # `secrets.token_urlsafe(32)` print keys.
    padded = text + "=" * (-len(text) % 4)
    try:
        key = base64.b64decode(padded, altchars=b"-_" if "-" in text or "_" in text else None, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(_TAKES) from None
    if len(key) != KEY_BYTES:
        raise ConfigurationError(_TAKES)
    return key


def _bytes(owner: str) -> bytes:
    # A user id may hold half a surrogate pair, as any string of a caller may.
    return owner.encode("utf-8", "surrogatepass")
