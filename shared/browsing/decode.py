"""From the bytes of a response to text: bounded decompression and character sets."""

from __future__ import annotations

import re
import zlib

from shared.browsing.faults import fetch_failed, too_large, unsupported

# Only what can be unpacked within a limit of bytes; `deflate` is read, but not asked for, as servers disagree
# on what it is.
ACCEPT_ENCODING = "gzip"

_ENCODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True, "deflate": True}
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
# Only the text encodings that pages use: Python's list also holds codecs that are none (base64, utf-7).
_CHARSETS = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|us-ascii|iso-?8859-?\d{1,2}|latin-?1|windows-?125\d|cp125\d|koi8-?[ru]"
    r"|shift[-_]jis|sjis|euc-?jp|iso-2022-jp|euc-?kr|gbk|gb2312|gb18030|big5|macintosh"
)
_META_CHARSET = re.compile(rb"<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class BodyReader:
    """Collects a body chunk by chunk, never holding more than `limit` decompressed bytes.

    Raises (from the constructor and its methods):
        ToolFailedError: `too_large`, `fetch_failed` for broken data, `unsupported_content` for an encoding
            that was not offered.
    """

    def __init__(self, *, encoding: str, limit: int) -> None:
        name = encoding.strip().lower()
        if name not in _ENCODINGS:
            raise unsupported(f"the site sent the page compressed as {name[:20]!r}, which was not offered")
        self._limit = limit
        self._raw = 0
        self._body = bytearray()
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB) if _ENCODINGS[name] else None

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes from the wire."""
        self._raw += len(chunk)
        if self._raw > self._limit + 65536:
            raise too_large(self._limit)
        if self._inflater is None:
            self._body += chunk
        else:
            self._inflate(chunk)
        if len(self._body) > self._limit:
            raise too_large(self._limit)

    def finish(self) -> bytes:
        """The whole body."""
        if self._inflater is not None and self._raw and not self._inflater.eof:
            raise fetch_failed("the page came incomplete; try once more", retryable=True)
        return bytes(self._body)

    def _inflate(self, pending: bytes) -> None:
        while pending and len(self._body) <= self._limit:
            # A gzip body may be several members, one after the other (RFC 1952, 2.2).
            if self._inflater is None or self._inflater.eof:
                if not pending.startswith(_GZIP_MAGIC):
                    return
                self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                self._body += self._inflater.decompress(pending, self._limit + 1 - len(self._body))
            except zlib.error as error:
                raise fetch_failed("the page came with broken compression") from error
            pending = self._inflater.unused_data or self._inflater.unconsumed_tail


def decode_text(body: bytes, *, charset: str | None, is_html: bool) -> str:
    """The body as text: by its byte order mark, the header's charset, the page's meta element, else UTF-8."""
    name = next((codec for mark, codec in _MARKS if body.startswith(mark)), None) or _known(charset)
    if name is None and is_html:
        found = _META_CHARSET.search(body[:4096])
        name = _known(found[1].decode("ascii")) if found else None
        # A meta element that could be read is not in UTF-16 (HTML standard, 13.2.3.2).
        name = "utf-8" if name and name.startswith("utf-16") else name
    if name is None:
        name = "utf-8" if _is_utf8(body) else "cp1252"
    return body.decode(name, errors="replace")


def _known(charset: str | None) -> str | None:
    name = (charset or "").strip().strip("\"'").lower()
    if not _CHARSETS.fullmatch(name):
        return None
    if name in ("us-ascii", "latin1", "latin-1") or re.fullmatch(r"iso-?8859-?1", name):
        return "cp1252"
    # cp1252 leaves five bytes undefined; errors="replace" covers them. Names Python spells otherwise:
    name = {"windows-874": "cp874", "macintosh": "mac_roman"}.get(name, name)
    try:
        b"".decode(name)
    except LookupError:
        return None
    return name


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
