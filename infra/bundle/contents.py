"""What is uploaded: the functions and what they share, requirements, the search index, Node.js packages.

Only what git tracks is taken, so that a note or a key that lies about in a working tree never leaves it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

from infra.bundle.node_packages import node_files
from infra.bundle.requirements import for_resolver
from shared.errors import ConfigurationError

REQUIREMENTS = "requirements.txt"
LOCK = "requirements.lock"
_TREES = ("functions", "shared")
_ALONE = ("LICENSE",)
PAGES = "shared/tools/documentation/pages"
# Made by the build, ignored by git; a function that lacks it reads all pages at its first question.
INDEX = f"{PAGES}/.search-index.json"
_SECRET_NAMES = (".env", ".netrc", ".npmrc", ".pypirc")
_SECRET_SUFFIXES = (".pem", ".key", ".p12", ".pfx", ".jks", ".env", ".creds", ".tfvars", ".tfstate")


def bundle_files(root: Path) -> dict[str, bytes]:
    """The content of each file of the bundle by its name, sorted.

    Raises:
        ConfigurationError: something is not there that has to be, or would go out that must not.
    """
    files = {name: root / name for name in (*_tracked(root), INDEX)}
    files |= node_files(root)
    files[REQUIREMENTS] = root / LOCK
    for name, path in files.items():
        if _is_secret(name):
            raise ConfigurationError(f"{name}: looks like a secret by its name and is not uploaded")
        if not path.is_file() or path.is_symlink():
            raise ConfigurationError(
                f"{path.relative_to(root)}: is no file (`make setup` makes what git lacks)"
            )
    contents = {name: path.read_bytes() for name, path in sorted(files.items())}
    contents[REQUIREMENTS] = for_resolver(contents[REQUIREMENTS].decode()).encode()
    return contents


def commit_of(root: Path) -> str:
    """The commit that is checked out, with `+` when tracked files differ from it."""
    changed = _git(root, "status", "--porcelain", "--untracked-files=no").strip()
    return _git(root, "rev-parse", "HEAD").strip() + ("+" if changed else "")


def _tracked(root: Path) -> tuple[str, ...]:
    listed = _git(root, "ls-files", "-z", "--", *_TREES, *_ALONE).split("\0")
    # What only git reads has no use there.
    return tuple(name for name in listed if name and PurePosixPath(name).name != ".gitignore")


def _is_secret(name: str) -> bool:
    last = PurePosixPath(name).name.lower()
    return last.endswith(_SECRET_SUFFIXES) or last in _SECRET_NAMES or last.startswith(".env.")


def _git(root: Path, *arguments: str) -> str:
    try:
        # Fixed words; git is the one of PATH.
        found = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigurationError(
            "a bundle is made of a git checkout, and git does not know this one"
        ) from error
    return found.stdout
