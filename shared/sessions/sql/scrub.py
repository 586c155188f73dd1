"""Old bytes of a SQLite file, taken out of its free pages and its log."""

from __future__ import annotations

import sqlite3

from sqlalchemy import make_url

from shared.sessions.sql.failures import unavailable
from shared.sessions.sql.sqlite import connect


def scrub(database_url: str) -> bool:
    """Rewrites the file without what was removed or replaced; False when a reader still keeps the old log.

    Raises:
        StoreUnavailableError: the file is busy or the disk full; it stays as it was.
    """
    try:
        conn = connect(make_url(database_url).database or "")
        try:
            conn.execute("VACUUM")
            busy, _, _ = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            conn.close()
    except sqlite3.Error as error:
        raise unavailable() from error
    return not busy
