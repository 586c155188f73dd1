"""The analyser of Python."""

from __future__ import annotations

from shared.analysis.port import Analysis
from shared.analysis.source import SourceFile


class PythonAnalyser:
    """Python: syntax, bandit, ruff, complexity, keys in code, and our rules for trading code."""

    language = "python"
    endings = (".py",)
    default_filename = "snippet.py"

    def analyse(self, files: tuple[SourceFile, ...], *, deadline: float) -> Analysis:
        """As the protocol says; the checks, with 60 ms of patterns to compile, are loaded on first use."""
        from shared.analysis.python.checks import check_python

        return check_python(files, deadline=deadline)
