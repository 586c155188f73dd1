"""Links between pages and in the repository's files, and the command that checks all that is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shared.tools.documentation import check
from shared.tools.documentation.library import SHIPPED_PAGES, FolderSource
from shared.tools.documentation.links import anchors_of, broken_file_links, broken_page_links, links
from shared.tools.documentation.markdown import parse_page


def test_links_are_found_outside_code() -> None:
    text = (
        "[a](one.md) ![b](two.png 'Title') [c]: three.md\n\n[d]: <four.md> \"T\"\n\n`[e](no.md)`\n\n"
        "```md\n[f](no.md)\n```\n[g](https://a.test/x) [h](#here)\n"
    )
    assert links(text) == ("one.md", "two.png", "https://a.test/x", "#here", "four.md")


def test_links_of_the_shipped_pages_lead_somewhere() -> None:
    sources = FolderSource(SHIPPED_PAGES).sources()
    assert broken_page_links([parse_page(path, text.decode()) for path, text in sources.items()]) == []


def test_broken_links_of_pages_are_named() -> None:
    pages = {
        "a/one.md": "# One\n\n[up](../two.md) [there](../two.md#second) [own](#one) [out](https://a.test)\n"
        "[1](../three.md) [2](../two.md#third) [3](#two) [4](two.md)\n",
        "two.md": "# Two\n\nText.\n\n## Second\n\n[beside](./a/one.md)\n",
    }
    assert broken_page_links([parse_page(path, text) for path, text in pages.items()]) == [
        "a/one.md: ../three.md leads to no page",
        "a/one.md: ../two.md#third leads to no heading",
        "a/one.md: #two leads to no heading",
        "a/one.md: two.md leads to no page",
    ]


def test_anchors_are_those_of_github() -> None:
    text = "# `make` & run\n\n## Twice\n\n## Twice\n\n```\n# no\n```\n\n## [A link](x.md): *C++*\n"
    text += "\n<a id='own'></a>\n"
    assert anchors_of(text) == {"make--run", "twice", "twice-1", "a-link-c", "own"}


def test_broken_links_of_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "code.py").write_text("x = 1\n")
    guide = tmp_path / "docs" / "guide.md"
    guide.write_text(
        "# The guide\n\n[code](../code.py#L1) [folder](../docs) [root](/code.py) [t](#the-guide)\n"
    )
    readme = tmp_path / "README.md"
    readme.write_text(
        "[ok](docs/guide.md#the-guide) [space](docs/guide.md#no) [b](gone.md) [c](../outside.md)\n"
    )
    assert broken_file_links(tmp_path, [readme, guide]) == [
        "README.md: docs/guide.md#no leads to no heading",
        "README.md: gone.md leads to no file",
        "README.md: ../outside.md leads out of the repository",
    ]


def test_the_command_passes_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("[a](README.md)\n")
    assert check.main(tmp_path) == 0
    assert "every fact stands" in capsys.readouterr().out
    folder = tmp_path / "pages"
    shutil.copytree(SHIPPED_PAGES, folder)
    page = folder / "bot-types.md"
    page.write_text(page.read_text() + "\n[gone](gone.md)\n")
    (tmp_path / "README.md").write_text("[b](b.md)\n")
    assert check.main(tmp_path, folder) == 1
    assert capsys.readouterr().err.splitlines() == [
        "bot-types.md: gone.md leads to no page",
        "README.md: b.md leads to no file",
    ]
