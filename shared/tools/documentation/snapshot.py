"""An index written to a file and read back, so that a process need not build it.

The file lies beside the pages and names what it was made of; when a page or the way of indexing has changed
since, it no longer counts. It is JSON: reading it can run nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from shared.tools.documentation.index import Index, Prepared
from shared.tools.documentation.markdown import Page, Section
from shared.tools.documentation.ranking import Ranking

NAME = ".search-index.json"
_CODE = ("index.py", "markdown.py", "ranking.py", "snapshot.py", "text.py")


def signature(sources: Mapping[str, bytes]) -> str:
    """What an index depends on: the pages by path, and the code that makes it."""
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update(Path(__file__).with_name(name).read_bytes())
    for path, source in sorted(sources.items()):
        digest.update(f"\0{path}\0{len(source)}\0".encode())
        digest.update(source)
    return digest.hexdigest()


def write(folder: Path, index: Index, made_of: str) -> Path:
    """Writes the index beside its pages, all or nothing, and gives the file's path.

    Raises:
        OSError: the folder cannot be written.
    """
    prepared = index.prepared
    stored = {
        "signature": made_of,
        "pages": [asdict(page) for page in prepared.pages],
        "sections": {"size": prepared.sections.size, "postings": prepared.sections.postings},
        "wholes": {"size": prepared.wholes.size, "postings": prepared.wholes.postings},
        "words": prepared.words,
    }
    file = folder / NAME
    draft = folder / f"{NAME}.{os.getpid()}"
    draft.write_bytes(orjson.dumps(stored))
    draft.replace(file)
    return file


def read(folder: Path, made_of: str) -> Index | None:
    """The index written for exactly these pages and this code; None when there is none."""
    try:
        stored = orjson.loads((folder / NAME).read_bytes())
        return _index(stored) if stored["signature"] == made_of else None
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _index(stored: dict[str, Any]) -> Index:
    pages = tuple(
        Page(**{**page, "sections": tuple(Section(**section) for section in page["sections"])})
        for page in stored["pages"]
    )
    return Index(
        Prepared(
            pages=pages,
            sections=Ranking(**stored["sections"]),
            wholes=Ranking(**stored["wholes"]),
            words=stored["words"],
        )
    )
