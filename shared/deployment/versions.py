"""Semantic versions as the platform takes them: three numbers, each deployment a greater one."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What Node's semver reads as well: no leading zeros, no more than it can count to.
_VERSION = re.compile(r"(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})", re.ASCII)


def is_version(text: str) -> bool:
    """Whether it is `major.minor.patch`."""
    return _VERSION.fullmatch(text) is not None


def raised(version: str, existing: Iterable[str]) -> str:
    """The version, or the patch after the greatest that exists when it is not greater than all of them."""
    latest = max((_numbers(each) for each in existing if is_version(each)), default=None)
    if latest is None or _numbers(version) > latest:
        return version
    major, minor, patch = latest
    return f"{major}.{minor}.{patch + 1}"


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)
