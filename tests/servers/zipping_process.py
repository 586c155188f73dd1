"""`python -m tests.servers.zipping_process DATABASE FILES`: saves files of 1 MiB, zips them, tells the cost.

Standard output is one line of JSON: the archive's bytes, its sha256, and by how many bytes the process grew
while it was made. The object store is that of the environment's settings.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys

# psutil has no types, and the lock file no stubs of it.
import psutil  # type: ignore[import-untyped]

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.select import open_objects
from shared.artifacts.zipped import zip_stream
from shared.clock import utc_now
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.sql.store import SqlStore
from shared.settings import read_settings

SIZE = 1024 * 1024
_SESSION = SessionKey(user_id="u", session_id="s")


async def _main(database_url: str, files: int) -> None:
    objects = open_objects(read_settings())
    # Noise that repeats within zlib's window: what is to be measured is memory, not zlib.
    noise = random.Random(1).randbytes(SIZE // 64) * 64
    async with await SqlStore.open(database_url) as store:
        await store.create_session(key=_SESSION, title="", context={}, now=utc_now())
        library = ArtifactLibrary(objects=objects, index=store, clock=utc_now, new_id=new_id, max_files=files)
        for number in range(files):
            name = ArtifactKey(session=_SESSION, filename=f"data/{number:03}.bin")
            data = b"%08d" % number + noise[8:]
            await library.save(key=name, data=data)
        artifacts = await library.list(session=_SESSION)
        process, hashed, size = psutil.Process(), hashlib.sha256(), 0
        before = most = process.memory_info().rss
        async for piece in zip_stream(lambda found: library.read_bytes(artifact=found), artifacts):
            hashed.update(piece)
            size += len(piece)
            most = max(most, process.memory_info().rss)
    await objects.close()
    print(json.dumps({"size": size, "sha256": hashed.hexdigest(), "grown": most - before}))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
