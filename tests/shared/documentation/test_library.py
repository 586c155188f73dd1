"""Pages from a folder: what counts as a page, changes, and folders that are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.errors import UnavailableError
from shared.settings import Settings
from shared.tools.documentation import __main__ as build_command
from shared.tools.documentation import library, snapshot
from shared.tools.documentation.library import Documentation, FolderSource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pages, and files that are none."""
    pages = tmp_path / "pages"
    (pages / "sub").mkdir(parents=True)
    (pages / ".hidden").mkdir()
    (pages / "one.md").write_text("# One\n\nApples.\n")
    (pages / "sub" / "two.md").write_text("# Two\n\nPears.\n")
    (pages / "README.md").write_text("# Not a page\n")
    (pages / ".hidden" / "three.md").write_text("# Hidden\n")
    (tmp_path / "outside.md").write_text("# Outside\n")
    (pages / "link.md").symlink_to(tmp_path / "outside.md")
    return pages


def test_only_pages_inside_the_folder_are_read(folder: Path) -> None:
    assert sorted(FolderSource(folder).sources()) == ["one.md", "sub/two.md"]


def test_addresses_of_sections(folder: Path) -> None:
    page = FolderSource(folder).load().pages[1]
    assert FolderSource(folder).url(page, page.sections[0]) == "/sub/two#two"
    shipped = library.source(Settings())
    assert shipped.url(page, page.sections[0]) == "/api/docs/raw/sub/two.md#two"


def test_a_changed_page_is_seen_after_the_next_check(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documentation = Documentation(FolderSource(folder))
    assert documentation.index().search("cherries") == []
    (folder / "one.md").write_text("# One\n\nCherries and apples.\n")
    assert documentation.index().search("cherries") == []
    monkeypatch.setattr(library, "CHECK_SECONDS", 0.0)
    assert documentation.index().search("cherries")


def test_unchanged_pages_keep_their_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "CHECK_SECONDS", 0.0)
    documentation = Documentation(FolderSource(folder))
    assert documentation.index() is documentation.index()


def test_a_folder_that_vanishes_goes_on_being_served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "CHECK_SECONDS", 0.0)
    documentation = Documentation(FolderSource(folder))
    index = documentation.index()
    for file in ("one.md", "sub/two.md"):
        (folder / file).unlink()
    assert documentation.index() is index


@pytest.mark.parametrize("name", ["nowhere", "sub-empty"])
def test_no_pages_is_unavailable(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub-empty").mkdir()
    with pytest.raises(UnavailableError):
        Documentation(FolderSource(tmp_path / name)).index()


def test_the_build_command_writes_what_loading_reads(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build_command.main([str(folder)]) == 0
    assert "2 pages" in capsys.readouterr().out
    made_of = snapshot.signature(FolderSource(folder).sources())
    assert snapshot.read(folder, made_of) is not None
    os.utime(folder / "one.md")
    assert [page.path for page in FolderSource(folder).load().pages] == ["one.md", "sub/two.md"]


def test_the_build_command_says_why_it_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_command.main([str(tmp_path)]) == 1
    assert "no documentation pages" in capsys.readouterr().err
