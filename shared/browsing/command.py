"""The command `browse`: prints the verdict on a URL and the text of its page."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from shared.browsing.browse import BrowsedPage, Browser
from shared.browsing.resolver import SystemResolver
from shared.errors import AppError, ToolError
from shared.settings import read_settings
from shared.tools.port import Dialer, Resolver


def main(
    argv: Sequence[str] | None = None, *, resolver: Resolver | None = None, dialer: Dialer | None = None
) -> int:
    """Runs the command; 0 when the page was read, 1 when it was not, 2 for wrong arguments or settings."""
    options = _parser().parse_args(argv)
    try:
        settings = read_settings()
    except AppError as error:
        print(error.message, file=sys.stderr)
        return 2
    browser = Browser(settings=settings, resolver=resolver or SystemResolver(), dialer=dialer)
    return asyncio.run(_browse(browser, options.test_url, options.max_chars, options.start))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="browse", description="Prints the verdict on a URL and its text.")
    parser.add_argument("--test-url", required=True, metavar="URL", help="the page to judge and to read")
    parser.add_argument("--max-chars", type=int, default=8000, help="how much text to print (8000)")
    parser.add_argument("--start", type=int, default=0, help="character to begin at (0)")
    return parser


async def _browse(browser: Browser, url: str, max_chars: int, start: int) -> int:
    try:
        verdict = await browser.judge(url)
        print(f"{'allowed' if verdict.allowed else 'refused'}: {verdict.reason}")
        if not verdict.allowed:
            return 1
        _show(await browser.read(url, start=start, max_chars=max_chars))
    except ToolError as error:
        print(f"{error.tool_code}: {error.message}")
        return 1
    return 0


def _show(page: BrowsedPage) -> None:
    print(f"url: {page.url}\ntype: {page.content_type}\ntitle: {page.title}")
    for notice in page.notices:
        print(f"notice: {notice}")
    print(f"\n{page.content}\n")
    for link in page.links:
        print(f"link: {link.text} <{link.url}>")
    if page.next_start is not None:
        print(f"more: --start {page.next_start} of {page.total_chars}")
