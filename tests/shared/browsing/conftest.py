"""Sites to browse, and a browser that reaches them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from shared.browsing.browse import Browser
from shared.settings import Settings
from tests.servers.sites import Sites


@pytest.fixture
async def sites() -> AsyncIterator[Sites]:
    """The sites of one test; whatever it dialled had to be one of them."""
    async with Sites() as opened:
        yield opened
        assert opened.strays == []


@pytest.fixture
def browser(sites: Sites) -> Browser:
    """Allows `docs.test` and `other.test` with their subdomains; 5 s for all."""
    return make_browser(sites)


def make_browser(sites: Sites, *, timeout: float = 5.0) -> Browser:
    """A browser over the sites."""
    settings = Settings(web_browse_timeout=timeout, web_browse_domains_allowlist=("docs.test", "other.test"))
    return Browser(settings=settings, resolver=sites, dialer=sites)


Make = Callable[[], Browser]
