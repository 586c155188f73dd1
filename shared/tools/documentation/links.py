"""Links that lead nowhere: between the shipped pages, and in the Markdown files of the repository."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

from shared.tools.documentation.markdown import Page

_CODE = re.compile(r"^(?P<mark> *(?:`{3,}|~{3,}))[^\n]*\n.*?^(?P=mark)|`+[^`\n]*`+", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)", re.MULTILINE)
_OUTSIDE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
_NAMED = re.compile(r"<[a-z]+\s[^>]*?(?:id|name)=[\"']([^\"']+)[\"']", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_WORDS_OF_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def links(markdown: str) -> tuple[str, ...]:
    """The targets of the text's links and images, outside code."""
    prose = _CODE.sub("", markdown)
    return (*_INLINE.findall(prose), *_REFERENCE.findall(prose))


def broken_page_links(pages: Iterable[Page]) -> list[str]:
    """Each link of a page that leads to no page, or to no heading of it; addresses outside are not asked."""
    known = {page.path: page for page in pages}
    problems = []
    for page in known.values():
        for link in links(page.body):
            if _OUTSIDE.match(link):
                continue
            path, _, anchor = link.partition("#")
            target = known.get(_joined(page.path, path)) if path else page
            if target is None:
                problems.append(f"{page.path}: {link} leads to no page")
            elif anchor and all(section.anchor != anchor for section in target.sections):
                problems.append(f"{page.path}: {link} leads to no heading")
    return problems


def broken_file_links(root: Path, files: Iterable[Path]) -> list[str]:
    """Each relative link of these Markdown files that leads to no file of the repository at `root`, or to no
    heading of it.
    """
    anchors: dict[Path, frozenset[str]] = {}
    problems = []
    for file in files:
        for link in links(file.read_text(encoding="utf-8")):
            if not _OUTSIDE.match(link):
                problem = _broken(root, file, link, anchors)
                if problem:
                    problems.append(f"{file.relative_to(root)}: {link} {problem}")
    return problems


def anchors_of(markdown: str) -> frozenset[str]:
    """The fragments under which GitHub shows the headings: punctuation dropped, each space a hyphen, repeats
    numbered; and the ids of HTML elements.
    """
    prose = re.sub(_CODE.pattern.partition("|`+")[0], "", markdown, flags=_CODE.flags)
    seen: dict[str, int] = {}
    found = set(_NAMED.findall(prose))
    for heading in _HEADING.findall(prose):
        plain = re.sub(r"[`*]", "", _WORDS_OF_LINK.sub(r"\1", heading))
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = seen.get(anchor, 0)
        seen[anchor] = count + 1
        found.add(f"{anchor}-{count}" if count else anchor)
    return frozenset(found)


def _broken(root: Path, file: Path, link: str, anchors: dict[Path, frozenset[str]]) -> str | None:
    """What is wrong with a relative link, or None."""
    path, _, anchor = unquote(link).partition("#")
    target = (root / path.lstrip("/") if path.startswith("/") else file.parent / path) if path else file
    resolved = target.resolve()
    if not resolved.is_relative_to(root.resolve()):
        return "leads out of the repository"
    if not resolved.exists():
        return "leads to no file"
    if not anchor or resolved.suffix != ".md":
        return None
    if resolved not in anchors:
        anchors[resolved] = anchors_of(resolved.read_text(encoding="utf-8"))
    return None if anchor in anchors[resolved] else "leads to no heading"


def _joined(page: str, path: str) -> str:
    """The path that a link on a page means: relative to the page's folder."""
    steps: list[str] = page.split("/")[:-1]
    for step in path.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step != ".":
            steps.append(step)
    return "/".join(steps)


def markdown_files(root: Path) -> Mapping[str, Path]:
    """README.md and the files of docs/, by their path in the repository."""
    found = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
    return {file.relative_to(root).as_posix(): file for file in found if file.is_file()}
