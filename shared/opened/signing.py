"""The keys that this deployment signs with."""

from __future__ import annotations

import hmac

from shared.settings import Settings


def signing_keys(settings: Settings, purpose: str) -> tuple[bytes, ...]:
    """Keys of one purpose that all services share: encryption keys, else the token secret, else a file."""
    from shared.sealing import Keyring

    if settings.encryption_keys is not None:
        return Keyring.of(settings.encryption_keys.get_secret_value()).signing_keys(purpose)
    if settings.jwt_secrets:
        return tuple(
            hmac.digest(secret.encode(), purpose.encode(), "sha256") for secret in settings.jwt_secrets
        )
    from shared.limits.key_file import file_keyring

    return file_keyring(settings.data_dir).signing_keys(purpose)
