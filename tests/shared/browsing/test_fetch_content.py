"""What comes back from a server: its size, its time, its type and its characters."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from shared.browsing.browse import Browser
from shared.browsing.response import MAX_BODY_BYTES
from shared.errors import ToolError
from tests.servers.sites import Reply, Sites
from tests.shared.browsing.conftest import make_browser
from tests.shared.browsing.refused import code_of


@pytest.mark.parametrize(
    ("encoding", "encode", "times"),
    [("gzip", gzip.compress, 64), ("deflate", zlib.compress, 64), ("identity", bytes, 1)],
    ids=["gzip", "deflate", "identity"],
)
async def test_a_bomb_is_stopped_early(
    sites: Sites, browser: Browser, encoding: str, encode: Callable[[bytes], bytes], times: int
) -> None:
    data = encode(b"<p>" + b"a" * (times * MAX_BODY_BYTES))
    await sites.add("docs.test", index=Reply(data, headers={"Content-Encoding": encoding}))
    assert await code_of(browser.read("https://docs.test/")) == "too_large"


async def test_a_body_without_end_is_stopped_early(sites: Sites, browser: Browser) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b"a" * 65536

    await sites.add("docs.test", index=Reply(chunks=chunks))
    assert await code_of(browser.read("https://docs.test/")) == "too_large"
    assert sent < 4 * MAX_BODY_BYTES


async def test_a_claimed_length_over_the_limit_is_refused_unread(sites: Sites, browser: Browser) -> None:
    await sites.add("docs.test", index=Reply(b"x", headers={"Content-Length": str(MAX_BODY_BYTES + 1)}))
    assert await code_of(browser.read("https://docs.test/")) == "too_large"


async def test_gzip_pages_are_read_and_several_members_joined(sites: Sites, browser: Browser) -> None:
    body = gzip.compress(b"<p>one ") + gzip.compress(b"two</p>")
    await sites.add(
        "docs.test",
        index=Reply(body, headers={"Content-Encoding": "gzip"}),
        broken=Reply(b"\x1f\x8bnonsense", headers={"Content-Encoding": "gzip"}),
        cut=Reply(gzip.compress(b"<p>" + bytes(range(256)) * 8)[:-20], headers={"Content-Encoding": "gzip"}),
        br=Reply(b"x", headers={"Content-Encoding": "br"}),
    )
    assert (await browser.read("https://docs.test/")).content == "one two"
    assert await code_of(browser.read("https://docs.test/broken")) == "fetch_failed"
    assert await code_of(browser.read("https://docs.test/cut")) == "fetch_failed"
    assert await code_of(browser.read("https://docs.test/br")) == "unsupported_content"


async def test_a_slow_server_is_bounded_by_the_whole_timeout(sites: Sites) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"a"
            await asyncio.sleep(0.02)

    await sites.add("docs.test", index=Reply(chunks=drip))
    started = time.monotonic()
    assert await code_of(make_browser(sites, timeout=0.4).read("https://docs.test/")) == "timeout"
    # The whole answer would take 20 seconds.
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    "content_type",
    [
        "application/pdf",
        "image/png",
        "image/svg+xml",
        "application/octet-stream",
        "application/zip; charset=utf-8",
        "",
        "text/html, application/pdf",
    ],
)
async def test_other_content_is_refused(sites: Sites, browser: Browser, content_type: str) -> None:
    await sites.add("docs.test", index=Reply("x", headers={"Content-Type": content_type}))
    assert await code_of(browser.read("https://docs.test/")) == "unsupported_content"


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", '{"a": 1}', '{"a": 1}'),
        ("application/ld+json", "[]", "[]"),
        ("application/xml", "<a>b</a>", "<a>b</a>"),
        ("text/csv", "a,b\n1,2", "a,b\n1,2"),
        ("TEXT/Plain; Charset=UTF-8", "é", "é"),
        ("text/markdown", "# A\n<!-- hidden -->\nb", "# A\n\nb"),
    ],
)
async def test_text_json_and_xml_come_as_they_are(
    sites: Sites, browser: Browser, content_type: str, body: str, text: str
) -> None:
    await sites.add("docs.test", index=Reply(body, headers={"Content-Type": content_type}))
    assert (await browser.read("https://docs.test/")).content == text


async def test_binary_that_claims_to_be_text_is_refused(sites: Sites, browser: Browser) -> None:
    await sites.add("docs.test", index=Reply(b"\x00\x01\x02", headers={"Content-Type": "text/plain"}))
    assert await code_of(browser.read("https://docs.test/")) == "unsupported_content"


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ("<p>größe ф</p>".encode(), "text/html"),
        ("<p>größe ф</p>".encode("utf-16"), "text/html"),
        (
            "<meta charset=windows-1251><p>gro\u0308ße ф</p>".replace("o\u0308ß", "??").encode("cp1251"),
            "text/html",
        ),
        ("<p>größe ф</p>".encode("utf-16-be"), "text/html; charset=utf-16be"),
    ],
    ids=["utf-8", "mark", "meta", "header"],
)
async def test_the_character_set_is_told_by_mark_header_or_meta(
    sites: Sites, browser: Browser, body: bytes, header: str
) -> None:
    await sites.add("docs.test", index=Reply(body, headers={"Content-Type": header}))
    assert (await browser.read("https://docs.test/")).content in ("größe ф", "gr??e ф")


@pytest.mark.parametrize("charset", ["utf-7", "base64", "unicode_escape", "punycode", "no-such", "'\"<"])
async def test_odd_character_sets_are_read_as_utf8(sites: Sites, browser: Browser, charset: str) -> None:
    headers = {"Content-Type": f"text/html; charset={charset}"}
    await sites.add("docs.test", index=Reply("<p>+ADw-script+AD4- é</p>", headers=headers))
    assert (await browser.read("https://docs.test/")).content == "+ADw-script+AD4- é"


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(404, False), (403, False), (500, True), (429, True), (204, False), (206, False)],
)
async def test_a_status_that_is_no_page_is_a_failure(
    sites: Sites, browser: Browser, status: int, retryable: bool
) -> None:
    await sites.add("docs.test", index=Reply(b"", status=status))
    with pytest.raises(ToolError) as caught:
        await browser.read("https://docs.test/")
    assert (caught.value.tool_code, caught.value.tool_retryable) == ("fetch_failed", retryable)
    assert str(status) in caught.value.message


async def test_nonsense_instead_of_http_is_a_failure(sites: Sites, browser: Browser) -> None:
    await sites.add("docs.test", index=Reply(b"x", headers={"Bad\x00Header": "y"}))
    assert await code_of(browser.read("https://docs.test/")) == "fetch_failed"
