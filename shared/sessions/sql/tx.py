"""What a transaction function works with: the connection's statements, and the codec of stored bodies."""

from __future__ import annotations

from sqlalchemy import Connection

from shared.sessions.codec import Codec


class Tx:
    """One transaction: `execute` and `dialect` are the connection's own, `codec` the store's."""

    __slots__ = ("codec", "dialect", "execute")

    def __init__(self, conn: Connection, codec: Codec) -> None:
        self.execute = conn.execute
        self.dialect = conn.dialect
        self.codec = codec
