"""Which installed packages bots may import, and the files of them: those packages and what they require."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path

# What the platform's documentation lets a Python bot expect, and pytest for its own tests.
BOT_DISTRIBUTIONS = ("the0-sdk", "numpy", "pandas", "ccxt", "TA-Lib", "pytest")


@cache
def package_files() -> tuple[Path, ...]:
    """The folders and modules in site-packages that bots find; what is not installed is left out."""
    found: dict[str, Path] = {}
    seen: set[str] = set()
    for name in BOT_DISTRIBUTIONS:
        _collect(name, seen, found)
    return tuple(found[name] for name in sorted(found))


def versions() -> dict[str, str]:
    """The versions of the packages that bots find, by distribution."""
    return {name: one.version for name in BOT_DISTRIBUTIONS if (one := _distribution(name)) is not None}


def _collect(name: str, seen: set[str], found: dict[str, Path]) -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    if canonicalize_name(name) in seen:
        return
    seen.add(canonicalize_name(name))
    distribution = _distribution(name)
    if distribution is None:
        return
    for file in distribution.files or ():
        top = file.parts[0]
        # Outside site-packages, shared with other packages, or run at every start of an interpreter.
        if top not in ("..", "/", "__pycache__") and not top.endswith(".pth"):
            found.setdefault(top, Path(str(distribution.locate_file(top))))
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            _collect(requirement.name, seen, found)


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
