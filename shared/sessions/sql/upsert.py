"""Inserts that meet an existing row: the one construct that SQLAlchemy keeps apart per database."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from sqlalchemy import Insert

from shared.sessions.sql.tx import Tx


def upsert(build: Callable[[Any], Insert]) -> Callable[[Tx], Insert]:
    """The statement `build` makes with the database's own `insert`, made once per kind of database."""
    made: dict[str, Insert] = {}

    def statement(tx: Tx) -> Insert:
        kind = tx.dialect.name
        if kind not in made:
            made[kind] = build(import_module(f"sqlalchemy.dialects.{kind}").insert)
        return made[kind]

    return statement
