"""A Firestore database as every part of the store has it: opened, checked, closed."""

from __future__ import annotations

import re
from typing import Self

from shared.clock import Clock, utc_now
from shared.errors import ConfigurationError
from shared.sessions.codec import Codec
from shared.sessions.firestore.client import Documents, check_answers
from shared.sessions.firestore.runner import Runner

_URL = re.compile(r"firestore://(?P<project>[a-z0-9.:-]+)/(?P<database>\(default\)|[a-z0-9-]+)?")


class OpenedFirestore:
    """What the parts of `FirestoreStore` share; `documents` counts what the store's calls cost."""

    def __init__(self, documents: Documents, *, codec: Codec | None = None, clock: Clock = utc_now) -> None:
        self.documents = documents
        self._codec = codec or Codec()
        self._runner = Runner(documents, self._codec)
        self._clock = clock

    @classmethod
    async def open(cls, database_url: str, *, codec: Codec | None = None, clock: Clock = utc_now) -> Self:
        """A store that is connected; to be closed by the caller.

        Raises:
            ConfigurationError: the URL is wrong, or there is no such database, or we may not use it.
            StoreUnavailableError: the database does not answer.
        """
        named = _URL.fullmatch(database_url)
        if named is None:
            raise ConfigurationError("DATABASE_URL: takes firestore://PROJECT/DATABASE")
        store = cls(Documents(named["project"], named["database"] or "(default)"), codec=codec, clock=clock)
        try:
            await store.check()
        except BaseException:
            await store.close()
            raise
        return store

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def check(self) -> None:
        await self._runner.read(lambda _: check_answers(self.documents))

    async def close(self) -> None:
        await self._runner.close()
