"""Which store a deployment uses: by the scheme of DATABASE_URL."""

from __future__ import annotations

from shared.errors import ConfigurationError
from shared.sessions.port import Store
from shared.settings import Settings

_SQL = ("sqlite", "postgresql", "postgres")


async def open_store(settings: Settings) -> Store:
    """The opened store; the caller closes it.

    Raises:
        ConfigurationError: DATABASE_URL names no store we have, or one that is to be migrated first.
        StoreUnavailableError: the database does not answer.
    """
    scheme = settings.database.partition(":")[0]
    if scheme.partition("+")[0] not in _SQL:
        raise ConfigurationError(
            "DATABASE_URL: takes sqlite+aiosqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    from shared.sessions.sql.store import SqlStore

    return await SqlStore.open(settings.database)
