"""What bytes are, by the bytes: archives, programs and media by their first ones, text by being UTF-8.

The signatures are those of the formats' own specifications.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["archive", "program", "media", "text", "bytes"]

_TAR_AT = 257


class Content(NamedTuple):
    """A kind of content and its media type."""

    kind: Kind
    mime_type: str


TEXT = Content("text", "text/plain")
BYTES = Content("bytes", "application/octet-stream")

_ZIP = Content("archive", "application/zip")
_PROGRAM = Content("program", "application/x-executable")
_TAR = Content("archive", "application/x-tar")
_SIGNATURES: tuple[tuple[bytes, Content], ...] = (
    (b"PK\x03\x04", _ZIP),
    (b"PK\x05\x06", _ZIP),
    (b"\x1f\x8b\x08", Content("archive", "application/gzip")),
    (b"BZh", Content("archive", "application/x-bzip2")),
    (b"\xfd7zXZ\x00", Content("archive", "application/x-xz")),
    (b"\x28\xb5\x2f\xfd", Content("archive", "application/zstd")),
    (b"7z\xbc\xaf\x27\x1c", Content("archive", "application/x-7z-compressed")),
    (b"Rar!\x1a\x07", Content("archive", "application/vnd.rar")),
    (b"\x7fELF", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", _PROGRAM),
    (b"\xca\xfe\xba\xbe", _PROGRAM),
    (b"\x00asm", Content("program", "application/wasm")),
    (b"\x89PNG\r\n\x1a\n", Content("media", "image/png")),
    (b"\xff\xd8\xff", Content("media", "image/jpeg")),
    (b"GIF8", Content("media", "image/gif")),
    (b"%PDF-", Content("media", "application/pdf")),
    (b"PAR1", Content("bytes", "application/vnd.apache.parquet")),
    (b"SQLite format 3\x00", Content("bytes", "application/vnd.sqlite3")),
)
_BEGINNINGS = tuple(signature for signature, _ in _SIGNATURES)


def content_of(data: bytes) -> Content:
    """What the bytes are, whatever their name says."""
    for signature, content in _SIGNATURES if data.startswith(_BEGINNINGS) else ():
        if data.startswith(signature) and not _is_plain(content, data):
            return content
    if data[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return _TAR
    if _is_windows_program(data):
        return _PROGRAM
    return TEXT if text_of(data) is not None else BYTES


def text_of(data: bytes) -> str | None:
    """The text of bytes that are UTF-8 or, by their mark, UTF-16; None for anything else."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _is_plain(content: Content, data: bytes) -> bool:
    """Whether the signature is of letters alone, and the rest shows a text that begins with them."""
    head = data[:512]
    return content.kind != "media" and head.isascii() and not any(byte < 9 for byte in head)


def _is_windows_program(data: bytes) -> bool:
    if not data.startswith(b"MZ") or len(data) < 64:
        return False
    at = int.from_bytes(data[60:64], "little")
    return data[at : at + 4] == b"PE\x00\x00"
