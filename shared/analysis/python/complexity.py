"""Size and complexity by radon: cyclomatic complexity of functions, maintainability index of a file."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from shared.analysis.complexity import COMPLEX, complex_function, unmaintainable
from shared.analysis.python.parsing import PythonFile
from shared.analysis.report import Finding, Metrics


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
        complex_function(file.name, name, line, column + 1, complexity)
        for name, line, column, complexity in functions
        if complexity > COMPLEX
    ]
    return Measured(metrics=metrics, findings=(*findings, *unmaintainable(file.name, maintainability)))


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
