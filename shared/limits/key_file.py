"""The key file of an installation without ENCRYPTION_KEYS, for secrets and signatures."""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from pathlib import Path

from shared.errors import StoreUnavailableError
from shared.sealing import KEY_BYTES, Keyring

NAME = "encryption.key"


def file_keyring(folder: Path) -> Keyring:
    """The keyring of the file `encryption.key` in the folder, made at first use, readable by its owner alone.

    The file holds one key in base64, as ENCRYPTION_KEYS takes it.

    Raises:
        StoreUnavailableError: the file can be neither read nor made.
        ConfigurationError: it holds no key.
    """
    path = folder / NAME
    try:
        if not path.exists():
            _create(path)
        return Keyring.of(path.read_text("ascii").strip())
    except OSError as error:
        raise StoreUnavailableError(f"the key file in DATA_DIR cannot be used ({error.strerror})") from error


def _create(path: Path) -> None:
    """Writes a new key whole or not at all; of two writers the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{NAME}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)
