"""The way to a page: policy at every hop, one look-up, certificates, redirects, nothing of the user's."""

from __future__ import annotations

import pytest

from shared.browsing.browse import Browser
from shared.browsing.response import USER_AGENT
from shared.errors import ToolError
from tests.servers.sites import Sites, page, redirect
from tests.shared.browsing.refused import code_of


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
    assert await code_of(browser.read("https://docs.test/")) == "url_not_allowed"
    assert (site.connections, site.received) == (0, 0)
    assert not (await browser.judge("https://docs.test/")).allowed


async def test_one_private_address_among_public_ones_refuses_the_name(sites: Sites, browser: Browser) -> None:
    site = await sites.add("docs.test", index=page("<p>x</p>"))
    sites.answers["docs.test"] = [(*site.addresses, "127.0.0.1")]
    assert await code_of(browser.read("https://docs.test/")) == "url_not_allowed"
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
    assert await code_of(browser.read("https://docs.test/go")) == "url_not_allowed"
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
    assert await code_of(browser.read("https://docs.test/a")) == "url_not_allowed"
    assert site.paths() == ["/a"]


async def test_an_unknown_host_and_a_closed_port_are_failures(sites: Sites, browser: Browser) -> None:
    assert await code_of(browser.read("https://docs.test/")) == "fetch_failed"
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
