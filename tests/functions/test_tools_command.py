"""python -m functions.tools browse: the verdict, the text and the exit status."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from functions.tools.__main__ import main
from tests.servers.sites import Sites, page


def _command(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "functions.tools", *arguments],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


async def test_an_allowed_page_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEB_BROWSE_DOMAINS_ALLOWLIST", "docs.test")
    async with Sites() as sites:
        await sites.add("docs.test", index=page("<p>Candles close on the hour.</p>"))
        arguments = ["browse", "--test-url", "https://docs.test/"]
        status = await asyncio.to_thread(main, arguments, resolver=sites, dialer=sites)
    out = capsys.readouterr().out
    assert status == 0, out
    assert "allowed: " in out
    assert "Candles close on the hour." in out


def test_a_refused_url_ends_with_1(repository: Path) -> None:
    done = _command(repository, "browse", "--test-url", "http://127.0.0.1/admin")
    assert (done.returncode, done.stdout.startswith("refused: ")) == (1, True), done


@pytest.mark.parametrize("arguments", [(), ("browse",), ("fetch", "--test-url", "https://the0.dev/")])
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err
