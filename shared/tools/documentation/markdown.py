"""A Markdown page cut at its headings: what is searched, shown and cited."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_HEADING_LINE = re.compile(r"\A#{1,6}\s[^\n]*")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The text under one heading, up to the next heading of any level.

    `heading` is the way down from the page's title, joined by " > ", without the title itself; the section
    of the title (the page's opening) has the title as its heading. `anchor` is the heading's fragment.
    """

    heading: str
    anchor: str
    level: int
    start: int
    text: str

    @property
    def own_heading(self) -> str:
        """The last step of the way down."""
        return self.heading.rpartition(" > ")[2]

    @property
    def body(self) -> str:
        """The section's text without its heading line; empty when other headings follow at once."""
        return _HEADING_LINE.sub("", self.text, count=1).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page; `path` is relative to its folder, `body` is the Markdown without the front matter."""

    path: str
    title: str
    description: str
    body: str
    sections: tuple[Section, ...]

    def find(self, heading: str) -> Section | None:
        """The section named by its anchor, its full heading or its last step; None when there is none."""
        wanted = heading.strip().lstrip("#").strip()
        folded = wanted.casefold()
        ways: tuple[tuple[str, Callable[[Section], str]], ...] = (
            (folded, lambda section: section.anchor),
            (folded, lambda section: section.heading.casefold()),
            (folded, lambda section: section.own_heading.casefold()),
            (slug(wanted), lambda section: section.anchor),
        )
        for name, name_of in ways:
            for section in self.sections:
                if name_of(section) == name:
                    return section
        return None

    def under(self, section: Section) -> str:
        """The Markdown of a section with the sections below it, its heading line included."""
        later = self.sections[self.sections.index(section) + 1 :]
        end = next((item.start for item in later if item.level <= section.level), len(self.body))
        return self.body[section.start : end].strip()


def parse_page(path: str, source: str) -> Page:
    """A page out of its Markdown; title and description come from the front matter where it has them."""
    matter, body = _front_matter(source)
    sections = _sections(body, title=str(matter.get("title") or ""), path=path)
    first = next((heading for _, level, heading in _headings(body) if level == 1), path)
    return Page(
        path=path,
        title=str(matter.get("title") or first),
        description=str(matter.get("description") or ""),
        body=body,
        sections=sections,
    )


def slug(heading: str) -> str:
    """A heading's fragment, as sites make it: lower case, hyphens for spaces, no punctuation."""
    kept = re.sub(r"[^\w\s-]", "", heading.replace("`", "").lower())
    return re.sub(r"\s+", "-", kept.strip())


def plain(markdown: str) -> str:
    """The text a reader sees: links by their words, no emphasis marks or fences."""
    lines = (line for line in markdown.splitlines() if not _FENCE.match(line) and not line.startswith(":::"))
    return _LINK.sub(r"\1", "\n".join(lines)).replace("**", "").replace("`", "")


def split_code(markdown: str) -> tuple[str, str]:
    """The prose and, apart from it, what stands in code fences."""
    prose: list[str] = []
    code: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        mark = _FENCE.match(line)
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif _HEADING.match(line) and not fence:
            continue
        else:
            (code if fence else prose).append(line)
    return plain("\n".join(prose)), "\n".join(code)


def _front_matter(source: str) -> tuple[dict[str, object], str]:
    source = source.replace("\r\n", "\n").removeprefix("\ufeff")
    if source.startswith("---\n") and (end := source.find("\n---\n", 3)) > 0:
        try:
            matter = yaml.safe_load(source[4:end])
        except yaml.YAMLError:
            matter = None
        return (matter if isinstance(matter, dict) else {}), source[end + 5 :].lstrip("\n")
    return {}, source


def _sections(body: str, *, title: str, path: str) -> tuple[Section, ...]:
    marks = _headings(body)
    if not marks or (marks[0][0] > 0 and body[: marks[0][0]].strip()):
        marks.insert(0, (0, 1, title or path))
    trail: list[tuple[int, str]] = []
    anchors: dict[str, int] = {}
    found: list[Section] = []
    for number, (start, level, heading) in enumerate(marks):
        trail = [*((depth, name) for depth, name in trail if depth < level), (level, heading)]
        steps = [name for depth, name in trail if depth > 1] or [heading]
        anchor = slug(heading)
        seen = anchors.get(anchor, 0)
        anchors[anchor] = seen + 1
        end = marks[number + 1][0] if number + 1 < len(marks) else len(body)
        found.append(
            Section(
                heading=" > ".join(steps),
                anchor=f"{anchor}-{seen}" if seen else anchor,
                level=level,
                start=start,
                text=body[start:end].strip(),
            )
        )
    return tuple(found)


def _headings(body: str) -> list[tuple[int, int, str]]:
    """Offset, level and text of each heading that is not inside a code fence."""
    found: list[tuple[int, int, str]] = []
    fence = ""
    offset = 0
    for line in body.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif not fence and (heading := _HEADING.match(line.rstrip("\n"))):
            text = _LINK.sub(r"\1", heading.group(2)).replace("`", "").replace("**", "")
            found.append((offset, len(heading.group(1)), text))
        offset += len(line)
    return found
