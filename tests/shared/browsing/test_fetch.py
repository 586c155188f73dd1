"""Fetching against real servers: policy at every hop, one look-up, certificates, limits, caching."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Awaitable

import pytest

from shared.browsing.browse import Browser
from shared.browsing.response import MAX_BODY_BYTES, USER_AGENT
from shared.errors import ToolError
from tests.servers.sites import Reply, Request, Sites, page, redirect
from tests.shared.browsing.conftest import make_browser


async def _code(reading: Awaitable[object]) -> str:
    with pytest.raises(ToolError) as caught:
        await reading
    return caught.value.tool_code


async def test_a_page_comes_over_verified_https_with_title_text_and_links(
    sites: Sites, browser: Browser
) -> None:
    site = await sites.add("docs.test", guide=page("<h1>Guide</h1><p>Read <a href='/next'>on</a>.</p>"))
    found = await browser.read("https://docs.test/guide#part")
    assert (found.url, found.status, found.content_type) == ("https://docs.test/guide", 200, "text/html")
    assert found.title == "Page"
    assert found.content == "# Guide\n\nRead [on](https://docs.test/next)."
    assert [(link.text, link.url) for link in found.links] == [("on", "https://docs.test/next")]
    assert (found.truncated, found.next_start, found.notices) == (False, None, ())
    asked = site.requests[-1].headers
    assert asked["host"] == "docs.test"
    assert asked["user-agent"] == USER_AGENT
    assert "cookie" not in asked
    assert "authorization" not in asked


async def test_plain_http_and_subdomains_are_read(sites: Sites, browser: Browser) -> None:
    await sites.add("a.b.docs.test", index=page("<p>deep</p>"))
    assert (await browser.read("http://a.b.docs.test/")).content == "deep"


@pytest.mark.parametrize("certificate", ["self_signed", "other.test"])
async def test_a_wrong_certificate_is_refused_before_the_request(
    sites: Sites, browser: Browser, certificate: str
) -> None:
    site = await sites.add("docs.test", certificate=certificate, index=page("<p>secret</p>"))
    with pytest.raises(ToolError) as caught:
        await browser.read("https://docs.test/")
    assert caught.value.tool_code == "fetch_failed"
    assert "certificate" in caught.value.message
    assert not caught.value.tool_retryable
    assert site.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.5", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",
        "168.63.129.16", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::1",
    ],
)  # fmt: skip
async def test_a_name_that_leads_to_a_private_address_gets_no_byte(
    sites: Sites, browser: Browser, address: str
) -> None:
    site = await sites.add("docs.test", address=address, index=page("<p>internal</p>"))
    assert await _code(browser.read("https://docs.test/")) == "url_not_allowed"
    assert (site.connections, site.received) == (0, 0)
    assert not (await browser.judge("https://docs.test/")).allowed


async def test_one_private_address_among_public_ones_refuses_the_name(sites: Sites, browser: Browser) -> None:
    site = await sites.add("docs.test", index=page("<p>x</p>"))
    sites.answers["docs.test"] = [(*site.addresses, "127.0.0.1")]
    assert await _code(browser.read("https://docs.test/")) == "url_not_allowed"
    assert site.connections == 0


async def test_a_rebinding_name_is_looked_up_once_and_stays_at_the_checked_address(
    sites: Sites, browser: Browser
) -> None:
    public = await sites.add("docs.test", index=page("<p>public</p>"))
    inner = await sites.add("inner.test", address="127.0.0.1", index=page("<p>internal</p>"))
    sites.answers["docs.test"] = [public.addresses, inner.addresses, inner.addresses]
    assert (await browser.read("https://docs.test/")).content == "public"
    assert sites.lookups == ["docs.test"]
    assert (public.connections, inner.connections) == (2, 0)


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/", "//evil.test/", "http://127.0.0.1/", "http://[::1]/", "http://2130706433/",
        "https://docs.test@evil.test/", "https://docs.test:8443/", "https://docs.test.evil.test/", "file:///etc/passwd",
        "ftp://docs.test/", "https://docs.test\\@evil.test/", "/\\evil.test/", "https:/\t/evil.test/", "gopher://docs.test/",
        "https://inner.docs.test/", "/login", "javascript:alert(1)", "data:text/html,x", "https://evil%2etest/",
        "http://169.254.169.254/latest/meta-data/", "http://0x7f.1/", "https://xn--dcs-jma.test/",
    ],
)  # fmt: skip
async def test_a_redirect_to_a_refused_address_sends_it_no_byte(
    sites: Sites, browser: Browser, location: str
) -> None:
    await sites.add("docs.test", go=redirect(location))
    evil = await sites.add("evil.test", index=page("<p>evil</p>"))
    inner = await sites.add("inner.docs.test", address="10.1.2.3", index=page("<p>inner</p>"))
    assert await _code(browser.read("https://docs.test/go")) == "url_not_allowed"
    assert (evil.connections, evil.received, inner.connections, inner.received) == (0, 0, 0, 0)
    assert "evil.test" not in sites.lookups


async def test_redirects_are_followed_to_allowed_hosts_and_counted(sites: Sites, browser: Browser) -> None:
    site = await sites.add("docs.test")
    site.replies.update({f"/h{n}": redirect(f"/h{n + 1}") for n in range(8)})
    await sites.add("other.test", end=page("<p>end</p>"))
    site.replies["/h5"] = redirect("https://other.test/end", 308)
    found = await browser.read("https://docs.test/h1")
    assert (found.url, found.content) == ("https://other.test/end", "end")
    site.replies["/h5"] = redirect("/h6")
    with pytest.raises(ToolError, match="more than 5 times"):
        await browser.read("https://docs.test/h0")
    assert "/h6" not in site.paths()


async def test_a_circle_of_redirects_ends(sites: Sites, browser: Browser) -> None:
    site = await sites.add("docs.test", a=redirect("/b"), b=redirect("/a"))
    with pytest.raises(ToolError, match="in a circle") as caught:
        await browser.read("https://docs.test/a")
    assert caught.value.tool_code == "fetch_failed"
    assert site.paths() == ["/a", "/b"]


async def test_https_never_leads_down_to_http(sites: Sites, browser: Browser) -> None:
    site = await sites.add("docs.test", a=redirect("http://docs.test/b"), b=page("<p>plain</p>"))
    assert await _code(browser.read("https://docs.test/a")) == "url_not_allowed"
    assert site.paths() == ["/a"]


async def test_an_unknown_host_and_a_closed_port_are_failures(sites: Sites, browser: Browser) -> None:
    assert await _code(browser.read("https://docs.test/")) == "fetch_failed"
    sites.answers["docs.test"] = [("93.184.216.200",)]
    with pytest.raises(ToolError, match="no connection") as caught:
        await browser.read("https://docs.test/")
    assert caught.value.tool_retryable
    assert sites.strays == [("93.184.216.200", 443)]
    sites.strays.clear()


async def test_the_next_address_is_tried_when_the_first_takes_no_connection(
    sites: Sites, browser: Browser
) -> None:
    site = await sites.add("docs.test", index=page("<p>second</p>"))
    sites.answers["docs.test"] = [("93.184.216.200", *site.addresses)]
    assert (await browser.read("https://docs.test/")).content == "second"
    assert {address for address, _ in sites.strays} == {"93.184.216.200"}
    sites.strays.clear()


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(b"<p>" + b"a" * (64 * MAX_BODY_BYTES))),
        ("deflate", zlib.compress(b"<p>" + b"a" * (64 * MAX_BODY_BYTES))),
        ("identity", b"<p>" + b"a" * MAX_BODY_BYTES),
    ],
    ids=["gzip", "deflate", "identity"],
)
async def test_a_bomb_is_stopped_early(sites: Sites, browser: Browser, encoding: str, data: bytes) -> None:
    await sites.add("docs.test", index=Reply(data, headers={"Content-Encoding": encoding}))
    assert await _code(browser.read("https://docs.test/")) == "too_large"


async def test_a_body_without_end_is_stopped_early(sites: Sites, browser: Browser) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b"a" * 65536

    await sites.add("docs.test", index=Reply(chunks=chunks))
    assert await _code(browser.read("https://docs.test/")) == "too_large"
    assert sent < 4 * MAX_BODY_BYTES


async def test_a_claimed_length_over_the_limit_is_refused_unread(sites: Sites, browser: Browser) -> None:
    await sites.add("docs.test", index=Reply(b"x", headers={"Content-Length": str(MAX_BODY_BYTES + 1)}))
    assert await _code(browser.read("https://docs.test/")) == "too_large"


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
    assert await _code(browser.read("https://docs.test/broken")) == "fetch_failed"
    assert await _code(browser.read("https://docs.test/cut")) == "fetch_failed"
    assert await _code(browser.read("https://docs.test/br")) == "unsupported_content"


async def test_a_slow_server_is_bounded_by_the_whole_timeout(sites: Sites) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"a"
            await asyncio.sleep(0.02)

    await sites.add("docs.test", index=Reply(chunks=drip))
    started = time.monotonic()
    assert await _code(make_browser(sites, timeout=0.4).read("https://docs.test/")) == "timeout"
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
    assert await _code(browser.read("https://docs.test/")) == "unsupported_content"


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
    assert await _code(browser.read("https://docs.test/")) == "unsupported_content"


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
    assert await _code(browser.read("https://docs.test/")) == "fetch_failed"


async def test_cookies_are_never_kept(sites: Sites, browser: Browser) -> None:
    first = redirect("/b")
    first.headers["Set-Cookie"] = "id=1; Path=/"
    site = await sites.add("docs.test", a=first, b=page("<p>x</p>"))
    await browser.read("https://docs.test/a")
    assert all("cookie" not in request.headers for request in site.requests)


async def test_proxies_of_the_environment_are_not_used(
    sites: Sites, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await sites.add("docs.test", index=page("<p>direct</p>"))
    assert (await browser.read("https://docs.test/")).content == "direct"


async def test_robots_txt_is_respected_and_read_once(sites: Sites, browser: Browser) -> None:
    rules = Reply("User-agent: *\nDisallow: /private\n", headers={"Content-Type": "text/plain"})
    site = await sites.add("docs.test", private=page("<p>no</p>"), open=page("<p>yes</p>"))
    site.replies["/robots.txt"] = rules
    assert await _code(browser.read("https://docs.test/private")) == "url_not_allowed"
    assert (await browser.read("https://docs.test/open")).content == "yes"
    assert [request.path for request in site.requests] == ["/robots.txt", "/open"]


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        (Reply("", status=404), True),
        (Reply("", status=503), False),
        (Reply("<html>not found</html>"), True),
        (redirect("https://evil.test/robots.txt"), True),
        (redirect("/rules"), False),
        (Reply("User-agent: the0-agent\nDisallow: /\n\nUser-agent: *\nAllow: /"), False),
        (Reply(b"#" * 600_000), False),
    ],
    ids=["absent", "broken", "html", "refused redirect", "redirect", "by name", "huge"],
)
async def test_the_kinds_of_robots_txt(sites: Sites, browser: Browser, robots: Reply, allowed: bool) -> None:
    site = await sites.add("docs.test", index=page("<p>yes</p>"), rules=Reply("User-agent: *\nDisallow: /"))
    evil = await sites.add("evil.test")
    site.replies["/robots.txt"] = robots
    if allowed:
        assert (await browser.read("https://docs.test/")).content == "yes"
    else:
        assert await _code(browser.read("https://docs.test/")) == "url_not_allowed"
        assert site.paths() == (["/rules"] if robots.status == 302 else [])
    assert evil.connections == 0


async def test_a_redirect_target_is_held_against_its_own_robots_txt(sites: Sites, browser: Browser) -> None:
    await sites.add("docs.test", go=redirect("https://other.test/end"))
    other = await sites.add("other.test", end=page("<p>no</p>"))
    other.replies["/robots.txt"] = Reply("User-agent: *\nDisallow: /end")
    assert await _code(browser.read("https://docs.test/go")) == "url_not_allowed"
    assert other.paths() == []


async def test_a_fresh_page_is_taken_from_the_cache(sites: Sites, browser: Browser) -> None:
    site = await sites.add(
        "docs.test", index=page("<p>x</p>"), kept=page("<p>y</p>", **{"Cache-Control": "no-store"})
    )
    for _ in range(2):
        await browser.read("https://docs.test/")
        await browser.read("https://docs.test/kept")
    assert site.paths() == ["/", "/kept", "/kept"]


async def test_a_stale_page_is_asked_for_with_its_validators(sites: Sites, browser: Browser) -> None:
    def answer(request: Request) -> Reply:
        headers = {
            "ETag": '"v1"',
            "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
            "Cache-Control": "no-cache",
        }
        if request.headers.get("if-none-match") == '"v1"':
            assert request.headers["if-modified-since"] == headers["Last-Modified"]
            return Reply(status=304, headers=headers)
        return page("<p>first</p>", **headers)

    site = await sites.add("docs.test", index=answer)
    assert (await browser.read("https://docs.test/")).content == "first"
    assert (await browser.read("https://docs.test/")).content == "first"
    assert site.paths() == ["/", "/"]


async def test_a_long_page_is_read_in_stretches_that_join(sites: Sites, browser: Browser) -> None:
    text = "".join(f"<p>Paragraph {n} of the page.</p>" for n in range(400))
    site = await sites.add("docs.test", index=page(text))
    joined, start = "", 0
    while True:
        found = await browser.read("https://docs.test/", start=start, max_chars=1000)
        assert len(found.content) <= 1000
        joined += found.content
        if found.next_start is None:
            break
        assert found.truncated
        start = found.next_start
    assert joined.count("Paragraph") == 400
    assert len(joined) == found.total_chars
    assert site.paths() == ["/"]
    beyond = await browser.read("https://docs.test/", start=10**9)
    assert (beyond.content, beyond.next_start) == ("", None)


async def test_a_dry_run_looks_up_the_name_and_sends_nothing(sites: Sites, browser: Browser) -> None:
    site = await sites.add("docs.test", index=page("<p>x</p>"))
    assert (await browser.judge("https://docs.test/")).allowed
    refused = await browser.judge("https://evil.test/")
    assert not refused.allowed
    assert "docs.test" in refused.reason
    unknown = await browser.judge("https://gone.docs.test/")
    assert unknown.allowed
    assert "cannot be found" in unknown.reason
    assert site.connections == 0
