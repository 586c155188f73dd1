"""`python -m tests.servers.exporting_process DATABASE_URL FOLDER`: exports much, and tells its memory.

Standard output: the bytes that went into the archive, and by how much the process has grown, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

# psutil has no types, and the lock file no stubs of it.
import psutil  # type: ignore[import-untyped]

from shared.account.export import Export
from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.clock import utc_now
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.messages import TextPart, Usage
from shared.sessions.sql.store import SqlStore
from shared.turn import FinalStep, ModelStep, TurnRequest
from tests.contracts.session_values import held, new_turn

KEY = SessionKey(user_id="u", session_id="s")
FILES, FILE_SIZE = 60, 1024 * 1024
TURNS, TURN_SIZE = 30, 1024 * 1024


async def _fill(store: SqlStore, library: ArtifactLibrary) -> None:
    for number in range(TURNS):
        request = TurnRequest(message=f"turn {number}")
        begun = await store.begin_turn(new=new_turn(KEY, utc_now(), request=request, history_messages=1))
        reply = ModelStep(
            parts=(TextPart(text=f"{number:09} " * (TURN_SIZE // 10)),),
            finish_reason="stop",
            usage=Usage(),
            model="m",
        )
        end = FinalStep(status="completed", finish_reason="stop")
        await store.finish_turn(lease=held(begun), number=1, steps=(reply, end), now=utc_now())
    for number in range(FILES):
        data = f"{number:09}\n".encode() * (FILE_SIZE // 10)
        await library.save(key=ArtifactKey(session=KEY, filename=f"{number}.bin"), data=data)


async def _main(database_url: str, folder: str) -> None:
    objects = LocalObjectStore(Path(folder))
    async with await SqlStore.open(database_url) as store:
        library = ArtifactLibrary(objects=objects, index=store, clock=utc_now, new_id=new_id)
        await _fill(store, library)
        process = psutil.Process()
        before = highest = process.memory_info().rss
        export = Export(store=store, library=library, messages_of=lambda turn: [], user_id="u")
        async for _ in export.session("s"):
            highest = max(highest, process.memory_info().rss)
        content = sum(member["size"] for member in export._members)
        print(json.dumps({"content": content, "grown": highest - before}))
    await objects.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2]))
