"""The one door to the client library: documents read, found, counted and written, each within a deadline.

Only what real Firestore and its emulators have alike is used: reads by id, queries on top-level fields in the
order of one of them, and commits whose writes all carry a precondition (made new, or unchanged since it was
read).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from shared.errors import ConfigurationError
from shared.sessions.firestore.failures import unavailable
from shared.sessions.firestore.values import value_of

if TYPE_CHECKING:
    from google.cloud.firestore_v1.async_client import AsyncClient
    from google.cloud.firestore_v1.async_query import AsyncQuery

CALL_SECONDS = 10.0
READ_AT_ONCE = 100

# A channel that failed for long waits up to two minutes before it tries again: a new one tries at once.
_RENEW_SECONDS = 1.0


class Ref(NamedTuple):
    """The place of a document."""

    collection: str
    id: str


class Found(NamedTuple):
    """A document as it was read; `data` is None when there is none."""

    ref: Ref
    data: dict[str, Any] | None
    updated: Any = None


class Write(NamedTuple):
    """One write of a commit: `updated` is the time of update that the document must still have."""

    ref: Ref
    kind: Literal["create", "update", "delete"]
    values: dict[str, Any]
    updated: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Documents of one collection: equal in some fields, in a range of the field they are ordered by."""

    collection: str
    order: str
    equal: tuple[tuple[str, Any], ...] = ()
    range: tuple[tuple[str, Any], ...] = ()
    descending: bool = False
    limit: int | None = None


class _Connection:
    """A client and how many calls it has under way; a retired one is closed behind the last of them."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.made_at = time.monotonic()
        self._calls = 0
        self._retired = False

    @asynccontextmanager
    async def call(self) -> AsyncIterator[AsyncClient]:
        self._calls += 1
        try:
            yield self.client
        finally:
            self._calls -= 1
            await self._close_if_done()

    async def retire(self) -> None:
        self._retired = True
        await self._close_if_done()

    async def _close_if_done(self) -> None:
        if self._retired and not self._calls:
            # The library's client has no method to close its channel.
            await self.client._firestore_api.transport.close()


class Documents:
    """The documents of one database; `cost` counts calls, documents read and documents written.

    Reads go to the generated client below the library's own, whose snapshots take most of a millisecond each
    to make: a history of fifty turns would be their work alone.
    """

    def __init__(self, project: str, database: str) -> None:
        self.cost: Counter[str] = Counter()
        self._project = project
        self._database = database
        self._connection: _Connection | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def read(self, refs: Iterable[Ref]) -> dict[Ref, Found]:
        """The documents of these places, each as it is now."""
        wanted = list(dict.fromkeys(refs))
        found: dict[Ref, Found] = {}
        for start in range(0, len(wanted), READ_AT_ONCE):
            async with self._call("read") as client:
                places = [
                    client.document(*ref)._document_path for ref in wanted[start : start + READ_AT_ONCE]
                ]
                answers = await client._firestore_api.batch_get_documents(
                    request={"database": client._database_string, "documents": places},
                    metadata=client._rpc_metadata,
                    retry=None,
                    timeout=CALL_SECONDS,
                )
                async for answer in answers:
                    raw = type(answer).pb(answer)
                    document = raw.found if raw.HasField("found") else None
                    ref = _ref_of(raw.missing if document is None else document.name)
                    found[ref] = Found(ref, None) if document is None else _found(ref, document)
        self.cost["reads"] += len(found)
        return found

    async def find(self, query: Query) -> list[Found]:
        """The documents of a query, in its order."""
        found = []
        async with self._call("find") as client:
            prepared = _prepared(client, query)
            answers = await client._firestore_api.run_query(
                request={
                    "parent": prepared._parent._parent_info()[0],
                    "structured_query": prepared._to_protobuf(),
                },
                metadata=client._rpc_metadata,
                retry=None,
                timeout=CALL_SECONDS,
            )
            async for answer in answers:
                raw = type(answer).pb(answer)
                if raw.HasField("document"):
                    found.append(_found(_ref_of(raw.document.name), raw.document))
        # A query that finds nothing costs a read.
        self.cost["reads"] += len(found) or 1
        return found

    async def count(self, query: Query) -> int:
        """How many documents a query has; costs one read a thousand of them."""
        async with self._call("count") as client:
            counting: Any = _prepared(client, query).count()
            counted = await counting.get(retry=None, timeout=CALL_SECONDS)
        self.cost["reads"] += 1
        return int(counted[0][0].value)

    async def write(self, writes: Sequence[Write]) -> list[Any]:
        """Does all the writes or none, and gives their times of update.

        Raises the client library's own errors: who writes knows which of them leave it in doubt.
        """
        async with self._use() as client:
            batch = client.batch()
            for each in writes:
                place = client.document(*each.ref)
                option = client.write_option(last_update_time=each.updated) if each.updated else None
                if each.kind == "create":
                    batch.create(place, each.values)
                elif each.kind == "update":
                    batch.update(place, each.values, option=option)
                else:
                    batch.delete(place, option=option)
            self.cost["calls"] += 1
            results = await batch.commit(retry=None, timeout=CALL_SECONDS)
        self.cost["writes"] += len(writes)
        return [result.update_time for result in results]

    async def renew(self) -> None:
        """Lets go of a connection on which nothing answers; the next call makes a new one."""
        connection = self._connection
        if connection is not None and time.monotonic() - connection.made_at > _RENEW_SECONDS:
            self._connection = None
            await connection.retire()

    async def close(self) -> None:
        """Lets go of the connection; later calls raise StoreUnavailableError."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.retire()

    @asynccontextmanager
    async def _call(self, kind: str) -> AsyncIterator[AsyncClient]:
        self.cost["calls"] += 1
        async with self._use() as client:
            try:
                # The library's deadline covers one message of a stream, not a server that sends them slowly.
                async with asyncio.timeout(CALL_SECONDS + 1):
                    yield client
            except TimeoutError as error:
                raise unavailable() from error

    @asynccontextmanager
    async def _use(self) -> AsyncIterator[AsyncClient]:
        if self._closed:
            raise unavailable()
        if self._connection is None:
            async with self._opening:
                if self._connection is None:
                    self._connection = _Connection(await self._open())
        async with self._connection.call() as client:
            yield client

    async def _open(self) -> AsyncClient:
        # The import takes a second, and credentials may be asked from the network.
        return await asyncio.to_thread(_client, self._project, self._database)


def _client(project: str, database: str) -> AsyncClient:
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.firestore_v1.async_client import AsyncClient

    try:
        return AsyncClient(project=project, database=database)
    except DefaultCredentialsError:
        raise ConfigurationError(
            "DATABASE_URL: firestore needs credentials of Google Cloud (application default credentials)"
        ) from None


def _ref_of(path: str) -> Ref:
    return Ref(*path.rsplit("/", 2)[-2:])


def _found(ref: Ref, document: Any) -> Found:
    # proto-plus ships no types.
    from proto.datetime_helpers import DatetimeWithNanoseconds  # type: ignore[import-untyped]

    updated = DatetimeWithNanoseconds.from_timestamp_pb(document.update_time)
    return Found(ref, {name: value_of(value) for name, value in document.fields.items()}, updated)


def _prepared(client: AsyncClient, query: Query) -> AsyncQuery:
    from google.cloud.firestore_v1.base_query import FieldFilter

    found = client.collection(query.collection).order_by(
        query.order, direction="DESCENDING" if query.descending else "ASCENDING"
    )
    for field, value in query.equal:
        found = found.where(filter=FieldFilter(field, "==", value))
    for operator, value in query.range:
        found = found.where(filter=FieldFilter(query.order, operator, value))
    return found if query.limit is None else found.limit(query.limit)


async def check_answers(documents: Documents) -> None:
    """Returns when the database answers; raises what the client library raises.

    Raises:
        ConfigurationError: there is no such database, or we may not use it.
    """
    from google.api_core import exceptions

    try:
        await documents.read([Ref("sessions", "none")])
    except (exceptions.NotFound, exceptions.Forbidden, exceptions.Unauthorized) as error:
        raise ConfigurationError(
            f"DATABASE_URL: the Firestore database cannot be used ({type(error).__name__})"
        ) from error
