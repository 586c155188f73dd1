"""The agent as a release with one more migration would be: `python -m tests.servers.next_release`.

It needs a column that the present release does not know, and says that it is at migration NEXT.
"""

from __future__ import annotations

import sys

from shared.sessions.sql import schema

NEXT = "9001"
# What such a release's migration does: it adds, and takes nothing away that the present release uses.
MIGRATION = (
    "ALTER TABLE sessions ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'",
    f"UPDATE alembic_version SET version_num = '{NEXT}'",
)

if __name__ == "__main__":
    # Before anything has taken it from there.
    schema.HEAD = NEXT

    from infra.local.gateway import main

    sys.exit(main())
