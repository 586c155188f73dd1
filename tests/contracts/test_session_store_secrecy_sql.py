"""What users said stays out of error texts, whatever the database complains about."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import Connection, text

from shared.sessions.sql.runner import open_runner

SECRET = "the user's own words"


async def test_an_errors_whole_trace_does_not_tell_the_parameters(database_url: str) -> None:
    def fail(conn: Connection) -> None:
        conn.execute(text("SELECT :words FROM no_such_table"), {"words": SECRET})

    runner = open_runner(database_url)
    try:
        with pytest.raises(Exception) as caught:
            await runner.read(fail)
    finally:
        await runner.close()
    trace = "".join(traceback.format_exception(caught.value))
    assert "no_such_table" in trace
    assert SECRET not in trace
