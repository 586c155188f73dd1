"""Where pages come from, and the index over them that a process keeps.

A `DocumentationSource` is where pages come from; the folder is the one there is. The platform's service
(service.py) is none: it ranks its pages itself.
"""

from __future__ import annotations

import hashlib
import threading
import time
from functools import cache
from pathlib import Path
from typing import Protocol

from shared.errors import UnavailableError
from shared.settings import Settings
from shared.tools.documentation import snapshot
from shared.tools.documentation.index import Index, prepare
from shared.tools.documentation.markdown import Page, Section, parse_page

SHIPPED_PAGES = Path(__file__).with_name("pages")
CHECK_SECONDS = 5.0
_LARGEST_PAGE = 2 * 1024 * 1024


class DocumentationSource(Protocol):
    """Gives pages as an index; its methods may block, and are called in a thread."""

    def revision(self) -> str:
        """A text that changes when a page does; cheap to ask for.

        Raises:
            UnavailableError: the pages cannot be reached.
        """
        ...

    def load(self) -> Index:
        """The index over the pages as they are now.

        Raises:
            UnavailableError: the pages cannot be reached, or there are none.
        """
        ...

    def url(self, page: Page, section: Section) -> str:
        """Where a reader finds the section."""
        ...


class FolderSource:
    """The Markdown files of a folder and its subfolders, README files and hidden ones left out."""

    def __init__(self, folder: Path, *, raw_route: str | None = None) -> None:
        self.folder = folder.absolute()
        self._raw_route = raw_route

    def revision(self) -> str:
        """Paths, sizes and times of change of the files."""
        digest = hashlib.sha256()
        try:
            for file in self._files():
                found = file.stat()
                digest.update(f"{file}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
        except OSError as error:
            raise UnavailableError("the documentation pages cannot be read") from error
        return digest.hexdigest()

    def load(self) -> Index:
        """The index as `python -m shared.tools.documentation` left it beside the pages, else a new one."""
        sources = self.sources()
        made_of = snapshot.signature(sources)
        return snapshot.read(self.folder, made_of) or build_index(sources)

    def sources(self) -> dict[str, bytes]:
        """The pages' bytes by path relative to the folder.

        Raises:
            UnavailableError: the folder cannot be read, or holds no page.
        """
        try:
            sources = {file.relative_to(self.folder).as_posix(): file.read_bytes() for file in self._files()}
        except OSError as error:
            raise UnavailableError("the documentation pages cannot be read") from error
        if not sources:
            raise UnavailableError("there are no documentation pages")
        return sources

    def url(self, page: Page, section: Section) -> str:
        """Our raw route for the shipped pages; for others the page's address on its site, less the host."""
        if self._raw_route:
            return f"{self._raw_route}/{page.path}#{section.anchor}"
        return f"/{page.path.removesuffix('.md')}#{section.anchor}"

    def _files(self) -> list[Path]:
        root = self.folder.resolve()
        return [
            file
            for file in sorted(self.folder.rglob("*.md"))
            if file.name.lower() != "readme.md"
            and not any(part.startswith(".") for part in file.relative_to(self.folder).parts)
            and file.resolve().is_relative_to(root)
            and file.is_file()
            and file.stat().st_size <= _LARGEST_PAGE
        ]


class Documentation:
    """A source's index, loaded on first use and again when its pages have changed."""

    def __init__(self, source: DocumentationSource) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._revision = ""
        self._checked = float("-inf")

    def index(self) -> Index:
        """The index of the pages as they were at most `CHECK_SECONDS` ago; blocks while it loads.

        When a loaded source has become unreachable, the index it had goes on serving.

        Raises:
            UnavailableError: the pages cannot be reached, or there are none.
        """
        if self._index is not None and time.monotonic() - self._checked < CHECK_SECONDS:
            return self._index
        with self._lock:
            if self._index is None or time.monotonic() - self._checked >= CHECK_SECONDS:
                self._index = self._fresh(self._index)
                self._checked = time.monotonic()
            return self._index

    def _fresh(self, known: Index | None) -> Index:
        try:
            revision = self.source.revision()
            if known is None or revision != self._revision:
                known = self.source.load()
                self._revision = revision
        except UnavailableError:
            if known is None:
                raise
        return known


def build_index(sources: dict[str, bytes]) -> Index:
    """A new index over pages given as path -> bytes."""
    pages = [parse_page(path, source.decode("utf-8", "replace")) for path, source in sorted(sources.items())]
    return Index(prepare(pages))


def source(settings: Settings) -> FolderSource:
    """The pages that the settings name: `docs_dir`, else those shipped with the project."""
    if settings.docs_dir is not None:
        return FolderSource(settings.docs_dir)
    return FolderSource(SHIPPED_PAGES, raw_route="/api/docs/raw")


def documentation(settings: Settings) -> Documentation:
    """The process's documentation for these settings."""
    return _documentation(settings.docs_dir)


@cache
def _documentation(docs_dir: Path | None) -> Documentation:
    return Documentation(source(Settings(docs_dir=docs_dir)))
