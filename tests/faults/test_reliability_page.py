"""docs/reliability.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

_TEST = re.compile(r"\btest_\w+")


def test_every_test_it_names_is_there(repository: Path) -> None:
    named = set(_TEST.findall((repository / "docs" / "reliability.md").read_text()))
    files = (repository / "tests").rglob("test_*.py")
    defined = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    assert len(named) > 15
    assert named <= defined, named - defined
