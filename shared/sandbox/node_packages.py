"""The packages that a Node.js bot may import where it is run here, and the platform's way to run it.

The platform's SDK is on GitHub's package registry, which asks for an account: what stands here for it is
our own (`nodejs/the0-node/README.md`). The other packages are those of package-lock.json.
"""

from __future__ import annotations

from pathlib import Path

_OURS = Path(__file__).parent / "nodejs"
_INSTALLED = Path(__file__).resolve().parents[2] / "node_modules"

SDK = "@alexanderwanyoike/the0-node"
# Calls a bot's main as the platform's runtime does.
RUNNER = _OURS / "run_bot.cjs"


def node_packages() -> dict[str, Path]:
    """Each package's folder by its name; those of a whole `node_modules` for a sandbox without network."""
    return {SDK: _OURS / "the0-node", "decimal.js": _INSTALLED / "decimal.js"}


def missing_packages() -> str:
    """The packages that are not installed, in words; empty when all are."""
    lacking = [name for name, folder in node_packages().items() if not (folder / "package.json").is_file()]
    return f"the node packages {' and '.join(lacking)} are not installed (npm ci)" if lacking else ""


def link_packages(folder: Path, *more: str) -> None:
    """Makes `folder`/node_modules with links to the packages, and to `more` that are installed."""
    packages = {**node_packages(), **{name: _INSTALLED / name for name in more}}
    for name, target in packages.items():
        link = folder / "node_modules" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(target)


__all__ = ["RUNNER", "SDK", "link_packages", "missing_packages", "node_packages"]
