"""robots.txt, the cache with its validators, long pages in stretches, a dry run."""

from __future__ import annotations

import pytest

from shared.browsing.browse import Browser
from tests.servers.sites import Reply, Request, Sites, page, redirect
from tests.shared.browsing.refused import code_of


async def test_robots_txt_is_respected_and_read_once(sites: Sites, browser: Browser) -> None:
    rules = Reply("User-agent: *\nDisallow: /private\n", headers={"Content-Type": "text/plain"})
    site = await sites.add("docs.test", private=page("<p>no</p>"), open=page("<p>yes</p>"))
    site.replies["/robots.txt"] = rules
    assert await code_of(browser.read("https://docs.test/private")) == "url_not_allowed"
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
        assert await code_of(browser.read("https://docs.test/")) == "url_not_allowed"
        assert site.paths() == (["/rules"] if robots.status == 302 else [])
    assert evil.connections == 0


async def test_a_redirect_target_is_held_against_its_own_robots_txt(sites: Sites, browser: Browser) -> None:
    await sites.add("docs.test", go=redirect("https://other.test/end"))
    other = await sites.add("other.test", end=page("<p>no</p>"))
    other.replies["/robots.txt"] = Reply("User-agent: *\nDisallow: /end")
    assert await code_of(browser.read("https://docs.test/go")) == "url_not_allowed"
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
