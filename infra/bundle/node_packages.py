"""The npm packages that a deployed function uses, as package-lock.json has them for the cloud's machines.

decimal.js is what Node.js bots import in the sandbox; oxlint and oxc-parser read JavaScript for analyze_code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.errors import ConfigurationError

_FOLDER = "node_modules"
# The machines of Cloud Run, whatever the machine that makes the bundle.
_MACHINE = {"os": "linux", "cpu": "x64", "libc": "glibc"}
# Types, manuals, and the parser for browsers: nothing loads them here, and the upload is bounded.
_UNUSED = (".d.ts", ".d.mts", ".wasm", ".workerd.mjs", ".map", ".md", "configuration_schema.json")
_LICENCES = ("licence.md", "license.md")


def runtime_packages(root: Path) -> tuple[str, ...]:
    """The folders below the root of the packages that are not for development alone."""
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    return tuple(place for place, package in lock["packages"].items() if place and _is_needed(package))


def node_files(root: Path) -> dict[str, Path]:
    """Each file of those packages by its name in the bundle.

    Raises:
        ConfigurationError: a package is not installed.
    """
    files: dict[str, Path] = {}
    for place in runtime_packages(root):
        if not (root / place / "package.json").is_file():
            raise ConfigurationError(f"{place}: is not installed; `make setup` installs it on Linux x64")
        files |= {f"{place}/{name}": path for name, path in _used(root / place)}
    return files


def _used(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        kept = path.name.lower() in _LICENCES or not path.name.endswith(_UNUSED)
        # A nested package is an entry of the lock file by itself.
        if path.is_file() and kept and _FOLDER not in path.relative_to(folder).parts:
            yield name, path


def _is_needed(package: dict[str, Any]) -> bool:
    fits = all(value in package.get(field, [value]) for field, value in _MACHINE.items())
    return fits and not package.get("dev") and not package.get("devOptional")
