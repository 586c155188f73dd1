"""The platform's documentation service as an adapter: kept answers, ETags, and everything that breaks."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from shared.errors import NotFoundError, UnavailableError
from shared.tools.documentation.service import FRESH_SECONDS, REST_SECONDS, DocumentationService
from tests.servers.documentation_service import DocumentationSite
from tests.servers.web_service import Said, WebService, json_answer, web_service

PAGES = {
    "guide/state": "# State\n\nIt lasts.\n\n## Saving values\n\nCall `state.set`.\n",
    "overview": "## Saving values\n\nThe start.\n",
}


@dataclass
class Time:
    """A clock that tests move."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def site() -> DocumentationSite:
    """What the service says."""
    return DocumentationSite(dict(PAGES))


@pytest.fixture
async def server(site: DocumentationSite) -> AsyncIterator[WebService]:
    """The service."""
    async with web_service(site) as service:
        yield service


@pytest.fixture
def time() -> Time:
    """The adapter's clock."""
    return Time()


@pytest.fixture
def service(server: WebService, time: Time) -> DocumentationService:
    """The adapter."""
    return DocumentationService(server.url + "/", timeout=0.5, now=time)


async def test_the_list_is_the_services(service: DocumentationService) -> None:
    kept = await service.index()
    assert [(entry.path, entry.title, entry.description) for entry in kept.value] == [
        ("guide/state", "Guide/State", "A page"),
        ("overview", "Overview", "A page"),
    ]


@pytest.mark.parametrize(
    "path", ["guide/state", "/guide/state.md", "guide/state/", "/api/docs/raw/guide/state", "guide/state#x"]
)
async def test_a_page_is_found_by_its_addresses(service: DocumentationService, path: str) -> None:
    page = (await service.page(path)).value
    assert (page.path, page.title, page.description) == ("guide/state", "State", "A page")
    assert page.find("Saving values") is not None


async def test_a_page_without_a_title_has_that_of_the_list(service: DocumentationService) -> None:
    assert (await service.page("overview")).value.title == "Overview"


@pytest.mark.parametrize(
    "path", ["../secret", "guide/stat", "", "guide/../overview", "a?b", "//other.test/x"]
)
async def test_only_pages_of_the_list_are_asked_for(
    service: DocumentationService, server: WebService, path: str
) -> None:
    with pytest.raises(NotFoundError, match="the nearest are"):
        await service.page(path)
    assert server.paths() == ["/api/docs/raw"]


async def test_what_is_fresh_is_not_asked_for_again(
    service: DocumentationService, server: WebService, time: Time
) -> None:
    await service.page("overview")
    time.now += FRESH_SECONDS - 1
    await service.page("overview")
    assert server.paths() == ["/api/docs/raw", "/api/docs/raw/overview"]


async def test_what_is_old_is_asked_for_by_its_etag(
    service: DocumentationService, site: DocumentationSite, time: Time
) -> None:
    first = (await service.page("overview")).value
    time.now += FRESH_SECONDS
    assert (await service.page("overview")).value == first
    assert site.answered == [200, 200, 304, 304]
    site.pages["overview"] = "# New\n\nWords.\n"
    site.pages["more"] = "# More\n"
    time.now += FRESH_SECONDS
    assert (await service.page("overview")).value.title == "New"
    assert site.answered[4:] == [200, 200]
    assert len((await service.index()).value) == 3


async def test_search_results_have_whole_addresses(service: DocumentationService, server: WebService) -> None:
    found = await service.search("state values", 1)
    assert (len(found.results), found.total_found) == (1, 2)
    best = found.results[0]
    assert (best.path, best.heading, best.score) == ("guide/state", "Saving values", 1.5)
    assert best.url == f"{server.url}/docs/guide/state#saving-values"
    assert server.asked[0].query == {"q": "state values", "limit": "1"}
    assert (await service.search("nowhere", 5)).results == []


async def test_a_move_to_a_trailing_slash_is_followed(
    service: DocumentationService, site: DocumentationSite
) -> None:
    site.slashes = True
    assert (await service.page("guide/state")).value.title == "State"
    assert (await service.search("lasts", 5)).total_found == 1


async def test_a_move_to_another_host_is_not_followed(
    service: DocumentationService, site: DocumentationSite
) -> None:
    async with web_service(DocumentationSite(dict(PAGES))) as other:
        site.broken = Said(status=308, headers={"location": f"{other.url}/api/docs/raw"})
        with pytest.raises(UnavailableError, match="308"):
            await service.index()
        assert other.asked == []


@pytest.mark.parametrize(
    "said",
    [
        Said(status=500),
        Said(status=503, body=b"<html>"),
        Said(status=401),
        Said(status=404),
        Said(status=304),
        Said(hang=True),
        Said(body=b"<html>Sign in</html>", headers={"content-type": "text/html"}),
        Said(body=b"{"),
        Said(body=b"\xff\xfe"),
        json_answer({"docs": "none"}),
        json_answer({"docs": [], "results": "none"}),
        json_answer({"docs": [{"path": 7}, {"path": "../up"}, {}], "results": [{"path": "a\x00b"}]}),
        json_answer("text"),
        Said(body=b" " * (2 * 1024 * 1024 + 1)),
    ],
    ids=lambda said: f"{said.status}-{said.body[:20]!r}",
)
async def test_what_is_no_documentation_service_is_unavailable(
    service: DocumentationService, site: DocumentationSite, time: Time, said: Said
) -> None:
    site.broken = said
    with pytest.raises(UnavailableError):
        await service.index()
    time.now += REST_SECONDS
    with pytest.raises(UnavailableError):
        await service.search("state", 5)


@pytest.mark.parametrize(
    "said", [Said(body=b"<html>", headers={"content-type": "text/html"}), Said(status=304)]
)
async def test_a_page_that_is_no_markdown_is_unavailable(
    service: DocumentationService, site: DocumentationSite, said: Said
) -> None:
    await service.index()
    site.broken = said
    with pytest.raises(UnavailableError):
        await service.page("overview")


async def test_nobody_there_is_unavailable_and_left_alone_for_a_while(
    service: DocumentationService, site: DocumentationSite, server: WebService, time: Time
) -> None:
    site.broken = Said(status=503)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await service.search("state", 5)
    assert len(server.asked) == 1
    site.broken = None
    time.now += REST_SECONDS
    assert (await service.search("state", 5)).total_found


async def test_an_address_without_a_server_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}", "ftp://docs.test", "docs.test", "http://[::"):
        with pytest.raises(UnavailableError):
            await DocumentationService(address).index()


async def test_what_was_read_goes_on_serving_as_stale(
    service: DocumentationService, site: DocumentationSite, time: Time
) -> None:
    await service.page("overview")
    site.broken = Said(status=500)
    time.now += FRESH_SECONDS
    page, index = await service.page("overview"), await service.index()
    assert (page.stale, index.stale, len(index.value)) == (True, True, 2)
    time.now += REST_SECONDS
    with pytest.raises(UnavailableError):
        await service.page("guide/state")
