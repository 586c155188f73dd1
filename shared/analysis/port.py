"""What the analysis asks of one programming language; a new language is one file that satisfies it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.analysis.report import Finding, Metrics
from shared.analysis.source import SourceFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one language's analyser found in its files."""

    findings: tuple[Finding, ...]
    metrics: Metrics


class Analyser(Protocol):
    """Analyses the files of one language together. Importing its module must be quick."""

    @property
    def language(self) -> str:
        """The language's name as callers write it, in lower case."""
        ...

    @property
    def endings(self) -> tuple[str, ...]:
        """The endings of its file names, with the dot."""
        ...

    @property
    def default_filename(self) -> str:
        """What a piece of code without a name is called in findings."""
        ...

    def analyse(self, files: tuple[SourceFile, ...], *, deadline: float) -> Analysis:
        """Everything found in the files, which are parsed and never executed; blocks, so call it in a thread.

        Any text gives an answer: what cannot be parsed or is too big to check is a finding. Work not
        begun when `time.monotonic()` passes `deadline` is left out, and a finding says so.
        """
        ...
