"""The command `browse`."""

from __future__ import annotations

import asyncio

import pytest

from shared.browsing.command import main
from tests.servers.sites import Sites, page


async def _run(sites: Sites, *arguments: str) -> int:
    return await asyncio.to_thread(main, arguments, resolver=sites, dialer=sites)


async def test_it_prints_the_verdict_and_the_text(
    sites: Sites, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEB_BROWSE_DOMAINS_ALLOWLIST", "docs.test")
    await sites.add("docs.test", index=page(f"<p>{'Words. ' * 60}<a href='/n'>next</a></p><p hidden>x</p>"))
    assert await _run(sites, "--test-url", "https://docs.test/", "--max-chars", "200") == 0
    out = capsys.readouterr().out
    for line in (
        "allowed: ",
        "url: https://docs.test/",
        "title: Page",
        "notice: ",
        "link: next",
        "more: --start 200",
    ):
        assert line in out
    assert "Words." in out


async def test_it_prints_why_not(
    sites: Sites, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEB_BROWSE_DOMAINS_ALLOWLIST", "docs.test")
    await sites.add("docs.test")
    assert await _run(sites, "--test-url", "http://127.0.0.1/") == 1
    assert "refused: an IP address" in capsys.readouterr().out
    assert await _run(sites, "--test-url", "https://docs.test/gone") == 1
    assert "fetch_failed: there is no page" in capsys.readouterr().out


def test_wrong_settings_and_arguments_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEB_BROWSE_TIMEOUT", "never")
    assert main(["--test-url", "https://docs.test/"]) == 2
    assert "WEB_BROWSE_TIMEOUT" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([])
