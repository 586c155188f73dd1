"""The analysers of JavaScript and of TypeScript."""

from __future__ import annotations

from dataclasses import dataclass

from shared.analysis.port import Analysis
from shared.analysis.source import SourceFile


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAnalyser:
    """A language of node: syntax, oxlint, complexity, keys in code, and our rules for trading code."""

    language: str
    endings: tuple[str, ...]
    default_filename: str

    def analyse(self, files: tuple[SourceFile, ...], *, deadline: float) -> Analysis:
        """As the protocol says; without node or its packages every file is a finding of that."""
        from shared.analysis.javascript.checks import check_javascript

        return check_javascript(files, deadline=deadline)


JAVASCRIPT = NodeAnalyser(
    language="javascript", endings=(".js", ".mjs", ".cjs"), default_filename="snippet.js"
)
TYPESCRIPT = NodeAnalyser(
    language="typescript", endings=(".ts", ".mts", ".cts"), default_filename="snippet.ts"
)
