"""Names of callers as document ids and as fields: any Python string, safely."""

from __future__ import annotations

import hashlib
import re

from shared.errors import UnprocessableError
from shared.keys import ArtifactKey, SessionKey

NAME_BYTES = 512

# A Firestore string is UTF-8: no half of a surrogate pair.
_ODD = re.compile("[\\\\\ud800-\udfff]")
_ESCAPED = re.compile(r"\\([0-9a-f]{4})")


def to_name(value: str) -> str:
    """The string as a field holds it; `from_name` gives it back.

    Raises:
        UnprocessableError: it is longer than `NAME_BYTES` bytes.
    """
    if _ODD.search(value):
        value = _ODD.sub(lambda odd: f"\\{ord(odd[0]):04x}", value)
    if len(value) * 4 > NAME_BYTES and len(value.encode()) > NAME_BYTES:
        raise UnprocessableError(f"a name has at most {NAME_BYTES} bytes")
    return value


def from_name(stored: str) -> str:
    """The string that was given."""
    if "\\" not in stored:
        return stored
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), stored)


def document_id(*names: str) -> str:
    """The id of the document of these names: a hash, as ids take neither slashes nor dots nor `__x__`.

    Hashes also spread neighbouring names over the key space, as Firestore wants its ids.

    Raises:
        UnprocessableError: a name is longer than `NAME_BYTES` bytes.
    """
    digest = hashlib.sha256()
    for name in names:
        encoded = to_name(name).encode()
        digest.update(len(encoded).to_bytes(2, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def session_id(key: SessionKey) -> str:
    """The id of a session's document."""
    return document_id(key.user_id, key.session_id)


def file_id(key: ArtifactKey) -> str:
    """The id of a file's document."""
    return document_id(key.session.user_id, key.session.session_id, key.filename)
