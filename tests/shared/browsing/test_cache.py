"""The cache of pages and rules: lifetimes, bounds, one per resolver."""

from __future__ import annotations

import gc

import pytest

from shared.browsing.cache import FetchedPage, PageCache, cache_of
from shared.browsing.resolver import SystemResolver
from shared.browsing.robots import ALLOW_ALL


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _page(url: str, size: int = 10) -> FetchedPage:
    return FetchedPage(url=url, status=200, media_type="text/html", charset=None, body=b"x" * size)


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("", 60),
        ("max-age=5", 5),
        ("public, max-age=99999", 600),
        ("no-cache, max-age=50", 0),
        ("max-age=x", 60),
    ],
)
def test_a_page_is_fresh_for_as_long_as_it_says_within_bounds(control: str, seconds: float) -> None:
    clock = _Clock()
    cache = PageCache(now=clock)
    cache.store(_page("a"), {"cache-control": control})
    stored = cache.find("a")
    assert stored is not None
    clock.now += max(0.0, seconds - 0.5)
    assert cache.is_fresh(stored) is (seconds > 0)
    clock.now += 1
    assert not cache.is_fresh(stored)
    cache.renew(stored, {"cache-control": "max-age=30"})
    renewed = cache.find("a")
    assert renewed is not None
    assert cache.is_fresh(renewed)


@pytest.mark.parametrize("control", ["no-store", "private, max-age=60"])
def test_what_must_not_be_stored_is_not_and_replaces_what_was(control: str) -> None:
    cache = PageCache()
    cache.store(_page("a"), {})
    cache.store(_page("a"), {"cache-control": control})
    assert cache.find("a") is None


def test_the_least_recently_used_pages_go_first() -> None:
    cache = PageCache(max_bytes=100)
    for name in "abc":
        cache.store(_page(name, 30), {})
    assert cache.find("a") is not None
    cache.store(_page("d", 30), {})
    assert [name for name in "abcd" if cache.find(name)] == ["a", "c", "d"]
    cache.store(_page("big", 101), {})
    assert cache.find("big") is None
    cache.store(_page("a", 90), {})
    assert [name for name in "abcd" if cache.find(name)] == ["a"]


def test_rules_are_kept_an_hour_and_for_few_sites() -> None:
    clock = _Clock()
    cache = PageCache(now=clock)
    for number in range(300):
        cache.store_robots(f"https://s{number}.test", ALLOW_ALL)
    assert cache.robots("https://s0.test") is None
    assert cache.robots("https://s299.test") is ALLOW_ALL
    clock.now += 3601
    assert cache.robots("https://s299.test") is None


def test_each_resolver_has_its_own_cache_for_as_long_as_it_lives() -> None:
    first, second = SystemResolver(), SystemResolver()
    cache_of(first).store(_page("a"), {})
    assert cache_of(first).find("a") is not None
    assert cache_of(second).find("a") is None
    del first
    gc.collect()
    assert cache_of(SystemResolver()).find("a") is None


class _Slotted:
    __slots__ = ()

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        return ()

    def is_allowed(self, address: str) -> bool:
        return False


def test_a_resolver_without_weak_references_gets_an_empty_cache() -> None:
    resolver = _Slotted()
    cache_of(resolver).store(_page("a"), {})
    assert cache_of(resolver).find("a") is None
