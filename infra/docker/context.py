"""What goes to the engine: the files of the repository that .dockerignore lets through."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

# No pattern lets them through, and a walk through them takes long.
_NEVER = frozenset({".git", ".venv", "node_modules"})


def context_files(root: Path) -> list[Path]:
    """The files of the build context, relative to the root, sorted.

    The last pattern that fits decides, as Docker has it; of its syntax `*`, `**`, `!` and `#` are known.
    """
    rules = _rules((root / ".dockerignore").read_text(encoding="utf-8"))
    return sorted(path for path in _walk(root, root) if not _ignored(path.as_posix(), rules))


def copy_context(root: Path, target: Path) -> None:
    """Copies the context to a folder of its own."""
    for name in context_files(root):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target / name)


def _walk(folder: Path, root: Path) -> list[Path]:
    found: list[Path] = []
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            found += _walk(path, root) if path.name not in _NEVER else []
        elif path.is_file():
            found.append(path.relative_to(root))
    return found


def _rules(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    """Whether each pattern ignores or takes back, and what it fits."""
    lines = [line.strip() for line in text.splitlines()]
    return [
        (not line.startswith("!"), _pattern(line.removeprefix("!").strip("/")))
        for line in lines
        if line and not line.startswith("#")
    ]


def _pattern(glob: str) -> re.Pattern[str]:
    words = {"**/": "(?:.*/)?", "*": "[^/]*"}
    expression = "".join(words.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*)", glob))
    # A folder that fits takes all that is in it along.
    return re.compile(f"{expression}(?:/.*)?")


def _ignored(name: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    verdict = False
    for ignores, pattern in rules:
        if pattern.fullmatch(name):
            verdict = ignores
    return verdict
