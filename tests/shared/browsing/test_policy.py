"""The policy on URLs: hostile and ordinary ones from data files, and what holds for any text."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.browsing.policy import MAX_URL_CHARS, decide

ALLOWED = ("docs.example.com", "*.example.org")


def _load(name: str) -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return loaded


HOSTILE = [(kind, url) for kind, urls in _load("hostile_urls.yaml").items() for url in urls]
ORDINARY = yaml.safe_load(Path(__file__).with_name("ordinary_urls.yaml").read_text(encoding="utf-8"))


def test_there_are_a_hundred_hostile_urls_and_more() -> None:
    assert len({url for _, url in HOSTILE}) == len(HOSTILE) >= 150


@pytest.mark.parametrize(
    ("kind", "url"), HOSTILE, ids=[url.encode("unicode_escape").decode() for _, url in HOSTILE]
)
def test_a_hostile_url_is_refused_with_a_reason(kind: str, url: str) -> None:
    verdict = decide(url, ALLOWED)
    assert not verdict.allowed, kind
    assert verdict.target is None
    assert verdict.reason
    assert verdict.reason.isprintable()


@pytest.mark.parametrize(("url", "normal"), ORDINARY.items())
def test_an_ordinary_url_is_allowed_in_one_spelling(url: str, normal: str) -> None:
    verdict = decide(url, ALLOWED)
    assert verdict.target is not None, verdict.reason
    assert verdict.target.url == normal
    assert decide(normal, ALLOWED).target == verdict.target


def test_a_long_url_is_refused() -> None:
    start = "https://docs.example.com/"
    assert decide(start + "a" * (MAX_URL_CHARS - len(start)), ALLOWED).allowed
    assert not decide(start + "a" * (MAX_URL_CHARS - len(start) + 1), ALLOWED).allowed


def test_the_reason_names_the_hosts_that_are_allowed() -> None:
    assert "docs.example.com" in decide("https://evil.com/", ALLOWED).reason


def test_entries_of_the_allowlist_are_read_as_hosts() -> None:
    allowed = ("Docs.Example.COM.", ".dotted.org", "bücher.example", "127.0.0.1", "", "*", "\uff57ide.org")
    assert decide("https://docs.example.com/", allowed).allowed
    assert decide("https://a.dotted.org/", allowed).allowed
    assert decide("https://xn--bcher-kva.example/", allowed).allowed
    assert not decide("https://127.0.0.1/", allowed).allowed
    assert not decide("https://anything.net/", allowed).allowed
    assert not decide("https://wide.org/", allowed).allowed


def test_an_empty_allowlist_allows_nothing() -> None:
    assert not decide("https://docs.example.com/", ()).allowed


_PIECES = st.sampled_from(
    [
        "https://", "http://", "docs.example.com", "evil.com", "@", ":", "443", "80", "/", "//", "\\", "?",
        "#", ".", "%2e", "%40", "%", "[", "]", "127.0.0.1", "0x7f", "\t", "\n", "\u3002", "\uff44", "a",
        "é", ";", "&", "=", "x",
    ]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=60))
def test_whatever_is_allowed_goes_to_an_allowed_host_in_every_reading(url: str) -> None:
    target = decide(url, ("docs.example.com",)).target
    if target is None:
        return
    assert target.host == "docs.example.com" or target.host.endswith(".docs.example.com")
    assert target.url.isascii()
    for parsed in (urlsplit(target.url), httpx.URL(target.url)):
        assert (parsed.scheme, parsed.port) == (target.scheme, None)
        host = parsed.hostname if not isinstance(parsed, httpx.URL) else parsed.host
        assert host == target.host
    assert urlsplit(target.url).username is None


@given(st.lists(_PIECES, max_size=8).map("".join))
def test_an_allowed_url_is_read_alike_by_other_parsers_before_it_is_cleaned(rest: str) -> None:
    url = f"https://docs.example.com{rest}"
    if decide(url, ("docs.example.com",)).allowed:
        host = urlsplit(url).hostname or ""
        assert host.rstrip(".").endswith("docs.example.com")
