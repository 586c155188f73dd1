"""Checks what is written: python -m shared.tools.documentation.check.

Links and anchors of the shipped pages, of README.md and of docs/; and that the facts on the pages are those
of the platform's schema and of the templates.
"""

from __future__ import annotations

import sys
from pathlib import Path

from shared.tools.documentation.facts import wrong_facts
from shared.tools.documentation.library import SHIPPED_PAGES, FolderSource
from shared.tools.documentation.links import broken_file_links, broken_page_links, markdown_files
from shared.tools.documentation.markdown import parse_page

ROOT = Path(__file__).resolve().parents[3]


def main(root: Path = ROOT, folder: Path = SHIPPED_PAGES) -> int:
    """Prints what is wrong, one line each; 0 when nothing is."""
    sources = FolderSource(folder).sources()
    pages = [parse_page(path, source.decode("utf-8")) for path, source in sources.items()]
    files = markdown_files(root)
    problems = [*broken_page_links(pages), *wrong_facts(pages), *broken_file_links(root, files.values())]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(pages)} pages and {len(files)} files: every link leads somewhere, every fact stands")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
