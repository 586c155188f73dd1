"""A test's database made as new for the next, which costs a tenth of making a new one."""

from __future__ import annotations

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]

_TIMEOUT_SECONDS = 10
# What a test may have changed but for rows: tables, columns, indexes, constraints, settings, the migration.
_SHAPE = """
SELECT md5(concat_ws('|',
  (SELECT string_agg(format('%s %s %s', oid, relname, relkind), ',' ORDER BY oid)
     FROM pg_class WHERE relnamespace = 'public'::regnamespace),
  (SELECT string_agg(format('%s %s %s %s', attrelid, attname, atttypid, attnotnull), ','
     ORDER BY attrelid, attnum)
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = 'public'::regnamespace AND attnum > 0),
  (SELECT string_agg(format('%s %s', conrelid, conname), ',' ORDER BY oid)
     FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
  (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
  (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
  (SELECT count(*) FROM pg_db_role_setting
     WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())),
  (SELECT string_agg(version_num, ',') FROM alembic_version)
))
"""
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
# Few rows are quicker deleted, and many forgotten with their file.
_EMPTY = """
DO $$
DECLARE one record;
BEGIN
  SET LOCAL session_replication_role = replica;
  SET LOCAL lock_timeout = '2s';
  FOR one IN
    SELECT oid::regclass AS name, pg_relation_size(oid) AS size FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
      AND pg_relation_size(oid) > 0
  LOOP
    IF one.size > 500000 THEN
      EXECUTE format('TRUNCATE %s CASCADE', one.name);
    ELSE
      EXECUTE format('DELETE FROM %s', one.name);
    END IF;
  END LOOP;
END $$
"""


async def shape_of(url: str) -> str:
    """What a database has but rows, as one word."""
    conn = await asyncpg.connect(url, timeout=_TIMEOUT_SECONDS)
    try:
        found: str = await conn.fetchval(_SHAPE)
        return found
    finally:
        await conn.close()


async def emptied(url: str, shape: str) -> bool:
    """Deletes all rows; False when it cannot be as new: it has another shape, or somebody is still there."""
    try:
        conn = await asyncpg.connect(url, timeout=_TIMEOUT_SECONDS)
    except (OSError, asyncpg.PostgresError):
        return False
    try:
        if await conn.fetchval(_OTHERS) or await conn.fetchval(_SHAPE) != shape:
            return False
        await conn.execute(_EMPTY)
        return True
    except asyncpg.PostgresError:
        return False
    finally:
        await conn.close()
