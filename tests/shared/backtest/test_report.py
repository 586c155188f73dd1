"""The page, the chart and the JSON of a backtest."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from shared.backtest.artifacts import CHART, REPORT, RESULT, backtest_files
from shared.backtest.request import BacktestRequest
from shared.backtest.result import Backtest
from shared.backtest.run import run_backtest
from shared.sandbox.port import Sandbox
from tests.shared.backtest.bots import FOLLOW, bot
from tests.shared.backtest.rows import market

EVIL = "<script>alert(1)</script>"
CLOSES = [100.0 + (place % 7) * 3 - (place % 5) for place in range(80)]


class _Tags(HTMLParser):
    """The tags of a page, and every address it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
async def backtest(sandbox: Sandbox) -> Backtest:
    """A backtest whose bot says what would be dangerous in a page."""
    files = bot(FOLLOW.replace('"fell"', repr(EVIL)).replace('"rose"', repr(EVIL)))
    return await run_backtest(
        sandbox,
        BacktestRequest(files=files, candles=market(CLOSES), config={"x": EVIL, "api_secret": "hush-hush"}),
    )


async def test_the_page_is_self_contained_and_escaped(backtest: Backtest) -> None:
    files = backtest_files(backtest, title=EVIL)
    page = files[REPORT].decode()
    assert EVIL not in page
    assert b"hush-hush" not in b"".join(files.values())
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 3
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert {"script", "link", "iframe", "form", "object"}.isdisjoint(tags.tags)
    (image,) = tags.addresses
    assert image.startswith("data:image/png;base64,")
    assert re.findall(r"https?://|//[a-z]", re.sub(r"base64,[^\"]*", "", page)) == []
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


async def test_every_check_and_limit_is_in_the_page(backtest: Backtest) -> None:
    page = backtest_files(backtest, title="mine")[REPORT].decode()
    form = json.loads(backtest_files(backtest, title="mine")[RESULT])
    assert {check["check"] for check in form["checks"]} >= {
        "account", "look_ahead", "repeatable", "warm_up", "calendar", "over_fitting", "costs", "few_trades",
        "one_trade", "survivorship",
    }  # fmt: skip
    for check in form["checks"]:
        assert check["title"] in page
    for words in ("buy and hold", "Largest drawdown", form["files_sha256"], "What a backtest cannot tell"):
        assert words in page
    # What makes the figures worth less stands above them all.
    assert page.index("say nothing of a year") < page.index("Honesty checks")


async def test_the_same_backtest_gives_the_same_bytes(backtest: Backtest) -> None:
    first, second = (backtest_files(backtest, title="mine") for _ in range(2))
    assert first == second
    assert first[CHART].startswith(b"\x89PNG")


async def test_a_bot_that_failed_has_a_page_without_a_chart(sandbox: Sandbox) -> None:
    request = BacktestRequest(files=bot("1 / 0\n" + FOLLOW), candles=market(CLOSES))
    files = backtest_files(await run_backtest(sandbox, request), title="mine")
    assert CHART not in files
    assert "ZeroDivisionError" in files[REPORT].decode()
    assert json.loads(files[RESULT])["measures"] is None
