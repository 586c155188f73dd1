"""A transaction function's view of the documents: what it read, and what it changes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from shared.sessions.codec import Codec
from shared.sessions.firestore.client import Documents, Found, Query, Ref, Write

T = TypeVar("T")


class ReadAgainError(Exception):
    """Two reads of one transaction saw different moments."""


class Document:
    """One document as the transaction sees it: as it was read, with the transaction's own changes."""

    __slots__ = ("_changes", "_deleted", "_found", "_values", "ref")

    def __init__(self, found: Found) -> None:
        self.ref = found.ref
        self._found = found
        self._values = dict(found.data or {})
        self._changes: dict[str, Any] = {}
        self._deleted = False

    @property
    def exists(self) -> bool:
        """Whether there is such a document."""
        return bool(self._values)

    @property
    def is_changed(self) -> bool:
        """Whether the transaction writes it."""
        return self._deleted or bool(self._changes)

    @property
    def updated(self) -> Any:
        """The time of update it was read at, None when there was none."""
        return self._found.updated if self._found.data is not None else None

    def __getitem__(self, field: str) -> Any:
        return self._values[field]

    def get(self, field: str, default: Any = None) -> Any:
        """The field's value, or the default where a document was written before there was such a field."""
        return self._values.get(field, default)

    def set(self, **values: Any) -> None:
        """Sets fields; a document that was not there is made. A value inside is never changed in place."""
        self._values |= values
        self._changes |= values

    def put(self, field: str, entries: Mapping[str, Any]) -> None:
        """Adds entries to a field that is a map, without sending the others again."""
        self._values[field] = {**self._values.get(field, {}), **entries}
        if field in self._changes or self._found.data is None:
            self._changes[field] = self._values[field]
        else:
            self._changes |= {f"{field}.{name}": value for name, value in entries.items()}

    def replace(self, **values: Any) -> None:
        """Makes these the fields that are set, beside the id, and all others None."""
        self._changes = {}
        self.set(**{name: None for name in self._values if name not in values and name != "id"}, **values)

    def delete(self) -> None:
        """Removes the document."""
        self._deleted = True
        self._values = {}

    def write(self, mark: str) -> Write | None:
        """What the commit does to it; a document that is written carries the commit's mark."""
        if self._deleted:
            return Write(self.ref, "delete", {}, self.updated) if self.updated else None
        if not self._changes:
            return None
        marked = {"by": mark}
        if self._found.data is None:
            return Write(self.ref, "create", {"id": self.ref.id, **self._values, **marked})
        return Write(self.ref, "update", {**self._changes, **marked}, self.updated)

    def as_written(self, updated: Any) -> Found:
        """The document as it is after the commit."""
        return Found(self.ref, self._values or None, updated)


class Transaction:
    """One attempt of a transaction function, which reads with it and changes the documents it got."""

    def __init__(
        self,
        documents: Documents,
        codec: Codec,
        *,
        kept: Mapping[Ref, Found] | None = None,
        is_first: bool = True,
    ) -> None:
        self.codec = codec
        self.used_kept = False
        self._documents = documents
        self._kept = kept or {}
        self._is_first = is_first
        self._known: dict[Ref, Document] = {}

    async def get(self, *refs: Ref, kept: bool = False) -> list[Document]:
        """The documents of these places, those that are not there as such.

        With `kept` a document may be as this process last wrote it: the commit finds out, and a function that
        raises or writes nothing then is run again on what is there.
        """
        missing = [ref for ref in refs if ref not in self._known]
        if kept:
            for ref in [ref for ref in missing if ref in self._kept]:
                self._known[ref] = Document(self._kept[ref])
                self.used_kept = True
            missing = [ref for ref in missing if ref not in self._known]
        if missing:
            found = await self._documents.read(missing)
            self._known |= {ref: Document(found[ref]) for ref in missing}
        return [self._known[ref] for ref in refs]

    async def one(self, ref: Ref, *, kept: bool = False) -> Document:
        """The document of one place, see `get`."""
        return (await self.get(ref, kept=kept))[0]

    async def get_new(self, *refs: Ref) -> list[Document]:
        """The documents of these places, which are most likely not there: the first attempt does not look."""
        if self._is_first:
            for ref in refs:
                self._known.setdefault(ref, Document(Found(ref, None)))
        return await self.get(*refs)

    async def find(self, query: Query) -> list[Document]:
        """The documents of a query, with this transaction's changes.

        Raises:
            ReadAgainError: one was read before and has changed since.
        """
        documents = []
        for found in await self._documents.find(query):
            known = self._known.setdefault(found.ref, Document(found))
            if known.updated != found.updated:
                raise ReadAgainError
            documents.append(known)
        return documents

    async def count(self, query: Query) -> int:
        """How many documents a query has."""
        return await self._documents.count(query)

    async def read(self, refs: Iterable[Ref]) -> dict[Ref, Found]:
        """Documents that never change once they are there, which the transaction therefore need not guard."""
        return await self._documents.read(refs)

    def known(self, collection: str) -> list[Document]:
        """The documents of a collection that the transaction has to do with."""
        return [document for ref, document in self._known.items() if ref.collection == collection]

    def new(self, ref: Ref, **values: Any) -> Document:
        """A document that must not be there yet, without having looked."""
        document = self._known[ref] = Document(Found(ref, None))
        document.set(**values)
        return document

    def writes(self, mark: str) -> list[tuple[Document, Write]]:
        """What to commit."""
        pairs = ((document, document.write(mark)) for document in self._known.values())
        return [(document, write) for document, write in pairs if write is not None]


Work = Callable[[Transaction], Awaitable[T]]
