"""Which store a deployment uses: by the scheme of DATABASE_URL."""

from __future__ import annotations

from shared.errors import ConfigurationError, StoreUnavailableError
from shared.sealing import Keyring
from shared.sessions.codec import Codec
from shared.sessions.port import Store
from shared.settings import Settings

_SQL = ("sqlite", "postgresql", "postgres")


async def open_store(settings: Settings) -> Store:
    """The opened store; the caller closes it.

    Raises:
        ConfigurationError: DATABASE_URL names no store we have, or a Postgres that is to be migrated first;
            ENCRYPTION_KEYS holds what is no key.
        StoreUnavailableError: the database does not answer.
    """
    scheme = settings.database.partition(":")[0]
    keys = settings.encryption_keys
    codec = Codec(Keyring.of(keys.get_secret_value() if keys else None))
    if scheme == "firestore":
        from shared.sessions.firestore.store import FirestoreStore

        return await FirestoreStore.open(settings.database, codec=codec)
    if scheme.partition("+")[0] not in _SQL:
        raise ConfigurationError(
            "DATABASE_URL: takes sqlite+aiosqlite:///PATH, postgresql://USER:PASSWORD@HOST/DATABASE "
            "or firestore://PROJECT/DATABASE"
        )
    from shared.sessions.sql.store import SqlStore

    try:
        return await SqlStore.open(settings.database, codec=codec)
    except (ConfigurationError, StoreUnavailableError):
        if not scheme.startswith("sqlite"):
            raise
    # The embedded database is this installation's own: a first start makes it, an upgrade brings it along.
    from shared.sessions.migrate import migrate

    await migrate(settings.database)
    return await SqlStore.open(settings.database, codec=codec)
