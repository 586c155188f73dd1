"""What a transaction function works with: the connection's statements, and the codec of stored bodies."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection

from shared.sessions.codec import Codec


class Tx:
    """One transaction: `execute` and `dialect` are the connection's own, `codec` the store's.

    `driver` is SQLite's own connection, in the same transaction, for what goes past SQLAlchemy (prepared.py);
    None on other databases.
    """

    __slots__ = ("codec", "dialect", "driver", "execute")

    def __init__(self, conn: Connection, codec: Codec) -> None:
        self.execute = conn.execute
        self.dialect = conn.dialect
        self.codec = codec
        driver = conn.connection.driver_connection
        self.driver = driver if isinstance(driver, sqlite3.Connection) else None
