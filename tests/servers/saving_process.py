"""`python -m tests.servers.saving_process DATABASE_URL`: saves versions without end, until it is killed.

A line of standard output is a save that was answered: the version and the sha256. The object store is that of
the environment's settings.
"""

from __future__ import annotations

import asyncio
import os
import sys

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.select import open_objects
from shared.clock import utc_now
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.sql.store import SqlStore
from shared.settings import read_settings

SESSION = SessionKey(user_id="u", session_id="s")
WRITERS = 4


def file_of(writer: int) -> ArtifactKey:
    """The file that a writer saves; two writers share each."""
    return ArtifactKey(session=SESSION, filename=f"src/file {writer % 2}.bin")


async def _save_for_ever(library: ArtifactLibrary, writer: int) -> None:
    while True:
        saved = await library.save(key=file_of(writer), data=os.urandom(30_000))
        artifact = saved.artifact
        print(artifact.filename, artifact.version, artifact.sha256, sep="\t", flush=True)


async def _main(database_url: str) -> None:
    objects = open_objects(read_settings())
    async with await SqlStore.open(database_url) as store:
        library = ArtifactLibrary(objects=objects, index=store, clock=utc_now, new_id=new_id)
        await asyncio.gather(*(_save_for_ever(library, writer) for writer in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
