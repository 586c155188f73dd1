"""Files inside an archive, opened within bounds: what an archive says of itself is not believed."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

MAX_MEMBERS = 1000
MAX_BYTES = 4 * 1024 * 1024

_XZ_MEMORY = 64 * 1024 * 1024
# zlib's number for its largest window and a gzip header.
_GZIP = 31
# What the modules raise on archives that are damaged, encrypted or packed in ways they do not know.
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
)


class UnopenedError(Exception):
    """The archive, or part of it, was not looked into: of another kind, damaged, locked or too large."""


def members(data: bytes, mime_type: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file of a zip, tar or packed file; 4 MiB in 1000 files at most.

    Raises:
        UnopenedError: from here on the archive was not looked into.
    """
    if len(data) > MAX_BYTES:
        raise UnopenedError
    try:
        if mime_type == "application/zip":
            yield from _bounded(_zipped(data))
            return
        plain = data if mime_type == "application/x-tar" else _unpacked(data, mime_type)
        if plain[257:262] == b"ustar":
            yield from _bounded(_tarred(plain))
        else:
            yield "", plain
    except _BROKEN as error:
        raise UnopenedError from error


def _bounded(found: Iterator[tuple[str, IO[bytes]]]) -> Iterator[tuple[str, bytes]]:
    left = MAX_BYTES
    for number, (name, file) in enumerate(found):
        if number == MAX_MEMBERS:
            raise UnopenedError
        content = file.read(left + 1)
        if len(content) > left:
            raise UnopenedError
        left -= len(content)
        yield name, content


def _zipped(data: bytes) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as file:
                    yield member.filename, file


def _tarred(data: bytes) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name, file


def _unpacked(data: bytes, mime_type: str) -> bytes:
    """All of it; raises UnopenedError when it is too much, and before it takes the memory for that."""
    match mime_type:
        case "application/gzip":
            plain = zlib.decompressobj(_GZIP).decompress(data, MAX_BYTES + 1)
        case "application/x-bzip2":
            plain = bz2.BZ2Decompressor().decompress(data, MAX_BYTES + 1)
        case "application/x-xz":
            plain = lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(data, MAX_BYTES + 1)
        case _:
            raise UnopenedError
    if len(plain) > MAX_BYTES:
        raise UnopenedError
    return plain
