"""A file as an analyser sees it: its name and its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a bot; `name` is a relative POSIX path."""

    name: str
    text: str = field(repr=False)

    @property
    def is_test(self) -> bool:
        """Whether the file belongs to the bot's tests, whose asserts and fakes are no faults."""
        path = PurePosixPath(self.name)
        return (
            any(folder in ("tests", "test", "__tests__") for folder in path.parts[:-1])
            or path.name == "conftest.py"
            or path.name.startswith("test_")
            or path.stem.endswith(("_test", ".test", ".spec"))
        )
