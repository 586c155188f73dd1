"""Builds the search index beside the pages: python -m shared.tools.documentation [FOLDER]."""

from __future__ import annotations

import sys
from pathlib import Path

from shared.errors import AppError
from shared.settings import read_settings
from shared.tools.documentation import snapshot
from shared.tools.documentation.library import FolderSource, build_index, source


def main(arguments: list[str]) -> int:
    """Writes the index of the folder given, else of the pages that the settings name; 0 when it is there."""
    try:
        folder = FolderSource(Path(arguments[0])) if arguments else source(read_settings())
        sources = folder.sources()
        index = build_index(sources)
        file = snapshot.write(folder.folder, index, snapshot.signature(sources))
    except (AppError, OSError) as error:
        print(f"the index was not built: {error}", file=sys.stderr)
        return 1
    print(f"{len(index.pages)} pages indexed in {file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
