"""The bot that a session's files are, read at exactly the versions that were listed."""

from __future__ import annotations

import asyncio

from shared.artifact import Artifact
from shared.artifact_set import bot_artifacts
from shared.artifacts.port import Artifacts
from shared.deployment.bot import Bot
from shared.deployment.package import check_size
from shared.deployment.validate import read_bot
from shared.keys import ArtifactKey, SessionKey

_READS = 8


async def bot_of(
    library: Artifacts, session: SessionKey, artifacts: tuple[Artifact, ...], *, name: str | None = None
) -> Bot:
    """The bot of these versions without the evidence beside it, under `name` instead of its own.

    Raises:
        TooLargeError: they are too many bytes.
        BotInvalidError: they are no bot that the platform takes.
        AppError: one cannot be read.
    """
    artifacts = bot_artifacts(artifacts)
    check_size({artifact.filename: artifact.size for artifact in artifacts})
    reads = asyncio.Semaphore(_READS)

    async def read(artifact: Artifact) -> bytes:
        key = ArtifactKey(session=session, filename=artifact.filename)
        async with reads:
            found = await library.read(key=key, version=artifact.version)
        return found.data

    data = await asyncio.gather(*map(read, artifacts))
    files = {artifact.filename: each for artifact, each in zip(artifacts, data, strict=True)}
    return await asyncio.to_thread(lambda: read_bot(files, name=name))
