"""The tool `analyze_code`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, NotRequired, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from shared.analysis import analyse_files
from shared.analysis.registry import analyser_for, analyser_of, languages
from shared.analysis.report import Category, Finding, Report, Severity
from shared.artifact import Artifact
from shared.errors import ArtifactNotFoundError, SessionNotFoundError, ToolInputError
from shared.keys import ArtifactKey, SessionKey
from shared.tools.port import ToolContext, tool

MAX_BYTES = 256 * 1024
MAX_TOTAL_BYTES = 1024 * 1024
MAX_FINDINGS = 50
# Characters of JSON: with the rest of the result they stay under 2,000 tokens.
_FINDINGS_BUDGET = 3600
_TIPS_BUDGET = 650
_NAMES_BUDGET = 500
_CHECKED_TYPES = ("bot_code", "bot_config", "bot_schema")
_Row = TypeVar("_Row", bound="str | Mapping[str, object]")


class CodeFinding(TypedDict):
    """One finding; line and column count from 1. `fix`, where there is one, is a safe unified diff."""

    category: Category
    severity: Severity
    file: str
    line: int
    column: int
    rule: str
    message: str
    advice: str
    fix: NotRequired[str]


class Tip(TypedDict):
    """Where a rule was broken and what to do."""

    file: str
    line: int
    rule: str
    advice: str


class CodeMetrics(TypedDict):
    """Size and complexity, tests left out; maintainability is 0..100, of the worst file."""

    lines: int
    functions: int
    max_complexity: int
    maintainability: float


class CodeReport(TypedDict):
    """The analysis, worst findings first; `omitted` and `omitted_fixes` count what was left out for length.

    `skipped` files hold no code of a supported language and were searched for secrets only.
    """

    quality_score: int
    language: str
    file_count: int
    files: list[str]
    skipped: list[str]
    findings: list[CodeFinding]
    omitted: int
    omitted_fixes: int
    security_issues: list[Tip]
    optimizations: list[Tip]
    performance_tips: list[Tip]
    metrics: CodeMetrics


@tool(timeout=45.0)
async def analyze_code(
    context: ToolContext,
    code: Annotated[str | None, Field(description="source; else the session's saved files")] = None,
    filename: Annotated[
        str | None, Field(description="the code's name, or one saved file", max_length=255)
    ] = None,
    language: Annotated[
        str | None,
        Field(description="python, javascript or typescript; else by the filename", max_length=40),
    ] = None,
) -> CodeReport:
    """Checks bot code without running it: syntax, security, leaked keys, look-ahead, risk limits, complexity.

    Give `code`, or a `filename` of the session, or neither for the whole bot. Answers with a quality score of
    0 to 100 and findings with line, rule, advice and, where one is safe, a fix as a diff.
    """
    _check_language(language)
    if code is not None:
        files = {_name(filename, language): _checked(code)}
    else:
        files = await _saved(context, filename)
    return _result(await asyncio.to_thread(analyse_files, files))


def _check_language(language: str | None) -> None:
    if language is not None and analyser_of(language) is None:
        raise ToolInputError(f"cannot analyse {language}; supported: {', '.join(languages())}")


def _name(filename: str | None, language: str | None) -> str:
    """The name the code goes by; one of another language's ending is refused."""
    by_name = analyser_for(filename) if filename else analyser_of(languages()[0])
    analyser = analyser_of(language) if language else by_name
    if analyser is None:
        raise _unsupported(filename or str(language))
    if not filename:
        return analyser.default_filename
    return filename if analyser_for(filename) is analyser else filename + analyser.endings[0]


def _checked(code: str) -> str:
    if not code.strip():
        raise ToolInputError("code: is empty; leave it out to analyse the session's files")
    try:
        size = len(code.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise ToolInputError("code: must be valid Unicode text") from error
    if size > MAX_BYTES:
        raise ToolInputError(f"code: has {size:,} bytes, at most {MAX_BYTES:,} are taken; give it in parts")
    return code


def _unsupported(filename: str) -> ToolInputError:
    return ToolInputError(
        f"{filename} holds no code that can be analysed; supported: {', '.join(languages())}"
    )


async def _saved(context: ToolContext, filename: str | None) -> dict[str, str]:
    """The text of the one file, or of the code and settings files of the session."""
    session = context.require_session()
    if filename is not None:
        if analyser_for(filename) is None:
            raise _unsupported(filename)
        return {filename: await _text(context, session, filename)}
    artifacts = await context.services.artifacts.list(session=session)
    chosen = [a for a in artifacts if a.type in _CHECKED_TYPES]
    if not any(analyser_for(a.filename) for a in chosen):
        raise ToolInputError(
            f"the session has no saved code to analyse; give code, or save files of: {', '.join(languages())}"
        )
    _check_total(chosen)
    texts = await asyncio.gather(*(_text(context, session, a.filename) for a in chosen))
    return {a.filename: text for a, text in zip(chosen, texts, strict=True)}


def _check_total(chosen: Iterable[Artifact]) -> None:
    sizes = {artifact.filename: artifact.size for artifact in chosen}
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise ToolInputError(
            f"the session's code has over {MAX_TOTAL_BYTES:,} bytes (the largest file is {largest}); "
            "analyse one file at a time with `filename`"
        )


async def _text(context: ToolContext, session: SessionKey, filename: str) -> str:
    try:
        found = await context.services.artifacts.read(key=ArtifactKey(session=session, filename=filename))
        return found.data.decode("utf-8")
    except (ArtifactNotFoundError, SessionNotFoundError) as error:
        raise ToolInputError(f"{error.message}; list_artifacts tells what there is") from error
    except UnicodeDecodeError as error:
        raise ToolInputError(f"{filename} is not UTF-8 text; save it again as text") from error


def _result(report: Report) -> CodeReport:
    findings = _within(map(_finding, report.findings[:MAX_FINDINGS]), _FINDINGS_BUDGET)
    _add_fixes(findings, report.findings, _FINDINGS_BUDGET - len(json.dumps(findings)))
    return CodeReport(
        quality_score=report.quality_score,
        language=report.language,
        file_count=len(report.files),
        files=_within(report.files, _NAMES_BUDGET),
        skipped=_within(report.skipped, _NAMES_BUDGET),
        findings=findings,
        omitted=len(report.findings) - len(findings),
        omitted_fixes=sum(1 for f in report.findings if f.fix) - sum(1 for f in findings if "fix" in f),
        security_issues=_within(map(_tip, report.security_issues), _TIPS_BUDGET),
        optimizations=_within(map(_tip, report.optimizations), _TIPS_BUDGET),
        performance_tips=_within(map(_tip, report.performance_tips), _TIPS_BUDGET),
        metrics=CodeMetrics(
            lines=report.metrics.lines,
            functions=report.metrics.functions,
            max_complexity=report.metrics.max_complexity,
            maintainability=report.metrics.maintainability,
        ),
    )


def _within(rows: Iterable[_Row], budget: int) -> list[_Row]:
    """The first rows whose JSON together has at most `budget` characters."""
    kept: list[_Row] = []
    for row in rows:
        budget -= len(json.dumps(row)) + 2
        if budget < 0:
            break
        kept.append(row)
    return kept


def _add_fixes(findings: list[CodeFinding], found: Iterable[Finding], budget: int) -> None:
    """Gives the findings their fixes, from the first on, while their JSON fits the budget."""
    for row, finding in zip(findings, found, strict=False):
        if not finding.fix:
            continue
        budget -= len(json.dumps({"fix": finding.fix}))
        if budget < 0:
            return
        row["fix"] = finding.fix


def _finding(found: Finding) -> CodeFinding:
    return CodeFinding(
        category=found.category,
        severity=found.severity,
        file=found.file,
        line=found.line,
        column=found.column,
        rule=found.rule,
        message=found.message,
        advice=found.advice,
    )


def _tip(found: Finding) -> Tip:
    return Tip(file=found.file, line=found.line, rule=found.rule, advice=found.advice)
