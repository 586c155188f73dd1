"""The languages whose code is analysed, one line each."""

from __future__ import annotations

from shared.analysis.javascript.analyser import JAVASCRIPT, TYPESCRIPT
from shared.analysis.port import Analyser
from shared.analysis.python.analyser import PythonAnalyser

ANALYSERS: tuple[Analyser, ...] = (PythonAnalyser(), JAVASCRIPT, TYPESCRIPT)


def languages() -> tuple[str, ...]:
    """The names of the supported languages."""
    return tuple(analyser.language for analyser in ANALYSERS)


def analyser_for(filename: str) -> Analyser | None:
    """The analyser of the file's language by its ending, None for a file that holds no supported code."""
    return next((a for a in ANALYSERS if filename.lower().endswith(a.endings)), None)


def analyser_of(language: str) -> Analyser | None:
    """The analyser of that language, None when it is not supported."""
    return next((a for a in ANALYSERS if a.language == language.lower()), None)
