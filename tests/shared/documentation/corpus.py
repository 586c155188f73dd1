"""Small pages for tests of the search engine."""

from __future__ import annotations

from shared.tools.documentation.index import Index
from shared.tools.documentation.library import build_index

PAGES = {
    "guide/state.md": """---
title: "State"
description: "What a bot keeps"
---

# State

Values that survive a restart.

## Saving values

Call `state.set(key, value)`; the file is written at once.

```python
# not a heading
state.set("trades", 3)
```

## Removing values

### One key

`the0 bot state delete <bot_id> <key>`

### All keys

`the0 bot state clear` asks for confirmation; `--yes` skips the prompt.
""",
    "guide/realtime.md": """---
title: "Realtime bots"
description: "Bots that run continuously"
---

# Realtime bots

A realtime bot runs continuously until somebody stops it.

## Query port

Queries reach it on port 9476; set `THE0_QUERY_PORT` or `minio.external.useSSL` to change that.

## Saving values

See the page on state.
""",
    "operation/backup.md": """# Backup

Dump the PostgreSQL database every night and keep the dump elsewhere. Restore it with psql.
""",
}


def small_index() -> Index:
    """An index over the small pages."""
    return build_index({path: text.encode() for path, text in PAGES.items()})
