"""Inserts that meet an existing row: the one construct that SQLAlchemy keeps apart per database."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Insert


def upsert(build: Callable[[Any], Insert]) -> Callable[[Connection], Insert]:
    """The statement `build` makes with the database's own `insert`, made once per kind of database."""
    made: dict[str, Insert] = {}

    def statement(conn: Connection) -> Insert:
        kind = conn.dialect.name
        if kind not in made:
            made[kind] = build(import_module(f"sqlalchemy.dialects.{kind}").insert)
        return made[kind]

    return statement
