"""What is said of complex functions and of files hard to maintain, whatever the language."""

from __future__ import annotations

from collections.abc import Iterator

from shared.analysis.report import Finding

COMPLEX = 10
_VERY_COMPLEX = 20
_LEAST_MAINTAINABLE = 20.0


def complex_function(file: str, name: str, line: int, column: int, complexity: int) -> Finding:
    """The finding for a function over `COMPLEX`, at its place."""
    return Finding(
        category="complexity",
        severity="medium" if complexity > _VERY_COMPLEX else "low",
        file=file,
        line=line,
        column=column,
        rule="complex-function",
        message=f"{name} has cyclomatic complexity {complexity} (aim at {COMPLEX} or less).",
        advice="Move each decision into a small function with a name of its own.",
    )


def unmaintainable(file: str, index: float) -> Iterator[Finding]:
    """A finding when the maintainability index of the file is too low."""
    if index < _LEAST_MAINTAINABLE:
        yield Finding(
            category="complexity",
            severity="low",
            file=file,
            line=1,
            rule="hard-to-maintain",
            message=f"The maintainability index is {index:.0f} of 100.",
            advice="Split the file: data access, decisions and orders apart.",
        )
