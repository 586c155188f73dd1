"""Size and complexity by radon: cyclomatic complexity of functions, maintainability index of a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shared.analysis.python.parsing import PythonFile
from shared.analysis.report import Finding, Metrics

_COMPLEX = 10
_VERY_COMPLEX = 20
_LEAST_MAINTAINABLE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A file's metrics and what is to be said about them."""

    metrics: Metrics
    findings: tuple[Finding, ...]


def measure(file: PythonFile) -> Measured:
    """The file's metrics; functions over complexity 10 and files hard to maintain are findings."""
    # radon ships no types.
    from radon.complexity import add_inner_blocks  # type: ignore[import-untyped]
    from radon.visitors import ComplexityVisitor  # type: ignore[import-untyped]

    visitor = ComplexityVisitor.from_ast(file.tree)
    # A class's methods are listed beside it; closures only within their function.
    blocks = add_inner_blocks(visitor.blocks)
    functions = [(b.name, b.lineno, b.col_offset, b.complexity) for b in blocks if b.letter in ("F", "M")]
    maintainability = _maintainability(file, visitor.total_complexity)
    metrics = Metrics(
        lines=len(file.text.splitlines()),
        functions=len(functions),
        max_complexity=max((complexity for *_, complexity in functions), default=0),
        maintainability=round(maintainability, 1),
    )
    findings = [
        _complex_function(file.name, name, line, column, complexity)
        for name, line, column, complexity in functions
        if complexity > _COMPLEX
    ]
    return Measured(metrics=metrics, findings=(*findings, *_unmaintainable(file.name, maintainability)))


def _maintainability(file: PythonFile, complexity: int) -> float:
    """Radon's index, from a tree read once and comment lines counted in one pass.

    Radon's own counting of lines reads a statement of n lines n times, which a long list makes very slow.
    """
    # radon ships no types.
    from radon.metrics import h_visit_ast, mi_compute  # type: ignore[import-untyped]

    lines = [line.strip() for line in file.text.splitlines()]
    comments = sum(1 for line in lines if line.startswith("#")) + _docstring_lines(file)
    code = max(1, sum(1 for line in lines if line) - comments)
    statements = sum(1 for node in file.nodes if isinstance(node, ast.stmt))
    volume = h_visit_ast(file.tree).total.volume
    return float(mi_compute(volume, complexity, statements, min(100.0, 100 * comments / code)))


def _docstring_lines(file: PythonFile) -> int:
    return sum(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in file.nodes
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _complex_function(file: str, name: str, line: int, column: int, complexity: int) -> Finding:
    return Finding(
        category="complexity",
        severity="medium" if complexity > _VERY_COMPLEX else "low",
        file=file,
        line=line,
        column=column + 1,
        rule="complex-function",
        message=f"{name} has cyclomatic complexity {complexity} (aim at {_COMPLEX} or less).",
        advice="Move each decision into a small function with a name of its own.",
    )


def _unmaintainable(file: str, index: float) -> Iterator[Finding]:
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
