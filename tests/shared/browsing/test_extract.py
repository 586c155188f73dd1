"""Extraction: what stays, what is dropped, and that no page kills or stalls it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.browsing import markdown
from shared.browsing.cache import FetchedPage
from shared.browsing.extract import MAX_LINKS, Document, extract

HIDDEN = [
    html
    for cases in yaml.safe_load(Path(__file__).with_name("hidden_html.yaml").read_text()).values()
    for html in cases
]


def read(html: str | bytes, *, media_type: str = "text/html", budget: float = 5.0) -> Document:
    """The document of some HTML at a fixed address."""
    body = html.encode() if isinstance(html, str) else html
    page = FetchedPage(
        url="https://docs.test/guide/page.html", status=200, media_type=media_type, charset="utf-8", body=body
    )
    return extract(page, budget=budget)


@pytest.mark.parametrize("html", HIDDEN)
def test_hidden_text_is_dropped_and_seen_text_kept(html: str) -> None:
    document = read(f"<html><body>{html}</body></html>")
    assert "HIDDEN" not in document.text
    assert document.text.count("SEEN") == max(1, html.count("SEEN"))
    assert not any("HIDDEN" in text + url for text, url in document.links)


def test_hidden_text_is_told_of() -> None:
    assert read("<p hidden>a</p><p hidden></p><p>b</p>").notices == (
        "Text that readers of the page do not see was left out (1 places).",
    )


def test_headings_lists_links_tables_and_code_become_markdown() -> None:
    html = """<title> The  title </title><body><nav>menu</nav><main><h1>Top<a href="#top">#</a></h1>
    <p>A <b>bold</b> and <em>fine</em> <a href="../other.html?a=1#b">link</a>, <code>x_y</code>.</p>
    <ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><ol start="3"><li>three</li></ol>
    <div class="highlight-python notranslate"><div class="highlight"><pre><span>def</span> <span>f</span>():
    return 1</pre></div></div>
    <pre><code class="language-js">a ``` b</code></pre>
    <table><tr><th>K</th><th>V</th></tr><tr><td>a</td><td>1</td></tr></table>
    <blockquote>said</blockquote><img src="x.png" alt="a chart"></main></body>"""
    document = read(html)
    assert document.title == "The title"
    assert document.text == (
        "# Top\n\nA **bold** and *fine* [link](https://docs.test/other.html?a=1#b), `x_y`.\n\n"
        "- one\n  - inner\n- two\n\n3. three\n\n"
        "```python\ndef f():\n    return 1\n```\n\n````js\na ``` b\n````\n\n"
        "| K | V |\n| --- | --- |\n| a | 1 |\n\n> said\n\n[image: a chart]"
    )
    assert document.links == (("link", "https://docs.test/other.html?a=1#b"),)


@pytest.mark.parametrize(
    ("href", "absolute"),
    [
        ("/a b", "https://docs.test/a%20b"),
        ("//other.test/x", "https://other.test/x"),
        ("http://other.test/(x)", "http://other.test/%28x%29"),
        ("?q=1", "https://docs.test/guide/page.html?q=1"),
        (" \n/x ", "https://docs.test/x"),
    ],
)
def test_links_become_absolute(href: str, absolute: str) -> None:
    assert read(f'<p><a href="{href}">go</a></p>').links == (("go", absolute),)


@pytest.mark.parametrize(
    "href", ["#part", "", "mailto:a@b.c", "tel:1", "javascript:x", "http://[", "a" * 2000]
)
def test_other_links_are_plain_text(href: str) -> None:
    document = read(f'<p><a href="{href}">go</a></p>')
    assert (document.text, document.links) == ("go", ())


def test_the_base_element_counts_when_it_leads_to_the_web() -> None:
    assert (
        read('<base href="https://other.test/z/"><p><a href="x">go</a>').links[0][1]
        == "https://other.test/z/x"
    )
    assert read('<base href="javascript:1"><p><a href="x">go</a>').links[0][1] == "https://docs.test/guide/x"


def test_links_are_few_and_each_once() -> None:
    document = read("".join(f'<a href="/{n // 2}">l{n}</a> ' for n in range(500)))
    assert len(document.links) == MAX_LINKS
    assert len({url for _, url in document.links}) == MAX_LINKS


def test_invisible_characters_are_dropped_and_counted() -> None:
    tags = "".join(chr(0xE0000 + ord(char)) for char in "ignore")
    document = read(f"<title>T\u202e</title><p>a\u200bb\u2066c{tags}d\ufeff\u00ad\x07</p>")
    assert (document.title, document.text) == ("T", "abcd")
    assert document.notices == ("Invisible characters were removed (10).",)


def test_the_longest_part_that_is_marked_as_main_is_taken() -> None:
    frame = "<div>menu</div>" * 5
    assert (
        read(f"{frame}<article>short</article><article>{'long ' * 30}</article>").text
        == ("long " * 30).strip()
    )
    assert "menu" in read(f"{frame * 50}<article>tiny</article>").text


def test_the_title_falls_back_to_the_first_heading() -> None:
    assert read("<h2>The heading</h2><p>x</p>").title == "The heading"


@pytest.mark.parametrize(
    "html",
    ["", " ", "\x00", "<", "<!--", "<html>", "</p>", "<body></body>", "<frameset></frameset>", "plain"],
)
def test_next_to_nothing_is_read_as_such(html: str) -> None:
    assert read(html).text in ("", "plain", "<")


def test_html_that_claims_to_be_plain_text_is_read_as_html() -> None:
    document = read("<!DOCTYPE html><p hidden>HIDDEN</p><p>SEEN</p>", media_type="text/plain")
    assert document.text == "SEEN"


PATHOLOGICAL = {
    "deep": "<div>x" * 100_000,
    "deep and closed": "<div>" * 100_000 + "x" + "</div>" * 100_000 + "<p>end",
    "deep inline": "<b>" * 300_000 + "x",
    "deep lists": "<ul><li>" * 50_000 + "x",
    "deep tables": "<table><tr><td>" * 20_000 + "x",
    "deep quotes": "<blockquote>" * 20_000 + "x",
    "many attributes": "<p " + " ".join(f"a{n}=1" for n in range(150_000)) + ">x",
    "long attribute": "<p class='" + "a " * 800_000 + "'>x",
    "many elements": "<i>x</i>" * 250_000,
    "wide cells": "<table>" + "<tr><td colspan=1000 rowspan=1000>a</td></tr>" * 40_000,
    "list of many": "<ol>" + "<li>a" * 200_000,
    "open comment": "<!-- " * 400_000,
    "open style": "<style>" + "a{" * 800_000,
    "style comments": "<style>" + "/*" * 800_000 + "</style><p>x",
    "escapes": "<p style='" + "\\64" * 600 + "'>x</p>" * 1000,
    "entities": "&amp;" * 400_000,
    "bare ends": "</p>" * 500_000,
    "backticks": "<pre>" + "`" * 1_900_000,
    "brackets": "<" * 2_000_000,
    "spaces": "<p>a" + " \n" * 900_000 + "b",
    "hidden": "<p style='display:none'>a</p>" * 60_000,
    "colours": "<div style='color:#111'>" * 80 + "<i style='color:#222'>a</i>" * 60_000,
}


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_no_page_stalls_the_extraction(name: str) -> None:
    started = time.process_time()
    document = read(PATHOLOGICAL[name], budget=1.0)
    # The budget, and what cannot be interrupted: parsing, one pass over at most 60,000 elements, plain text.
    assert time.process_time() - started < 8
    assert len(document.text) < 2_100_000


def test_a_page_over_the_limits_says_so() -> None:
    assert "its end was left out" in " ".join(read(PATHOLOGICAL["many elements"], budget=1.0).notices)
    assert "lost their form" in " ".join(read("<div>" * 200 + "x").notices)
    assert read("<div>" * 200 + "x").text == "x"


def test_without_time_for_markdown_the_text_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    original = markdown.to_markdown
    monkeypatch.setattr(markdown, "to_markdown", lambda root, deadline: original(root, deadline=0))
    document = read("<ol><li><b>a</b> c<li>d</ol>")
    assert "plain text" in " ".join(document.notices)
    assert document.text == "a\nc\nd"


@pytest.mark.parametrize(
    "html", ["<p>a&#7;b&#xFFFE;&#0;</p>", "<x:y>a</x:y>b", '<p"q>ab', "<p class='&#1;'>ab"]
)
def test_characters_and_names_that_no_tree_holds_do_no_harm(html: str) -> None:
    assert "".join(read(html).text.split()).replace("\ufffd", "") == "ab"


def test_what_there_was_no_time_to_look_at_is_left_out() -> None:
    document = read("<p hidden>HIDDEN</p>" * 3000, budget=0.0)
    assert "HIDDEN" not in document.text


_PIECES = [
    "<p>", "</p>", "<b>", "<a href='/x'>", "</a>", "<table>", "<td>", "<tr>", "<li>", "<ul>", "<ol>",
    "<pre>", "</pre>", "<main>", "</main>", "<title>", "</body>", "<html>", "<br>", "text", "&lt;",
    "<!--", "-->", "<div hidden>", "</div>", "<script>", "</script>", "<h1>", "```", "<svg>",
    "<template>", "\x00", "\u200b", "\x0c", "&#1;",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=25).map("".join) | st.text(max_size=80))
def test_any_html_gives_text(html: str) -> None:
    document = read(html)
    assert "\u200b" not in document.text
    assert "\x00" not in document.text
