"""The stages of a verification but for the probe: each looks at one side of a bot and tells what it found."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping

from shared.analysis import analyse_files
from shared.analysis.report import Finding as CodeFinding
from shared.deployment.validate import read_bot
from shared.errors import BotInvalidError
from shared.sandbox.port import Sandbox, SandboxJob, SandboxLimits
from shared.verification.bot import TriedBot
from shared.verification.bot_run import BotRun
from shared.verification.port import Backtester, Finding, Severity
from shared.verification.record import Stage

_TEST_LIMITS = SandboxLimits(wall_seconds=120, cpu_seconds=60)
_CODE_TYPES = (".py", ".js", ".mjs", ".cjs", ".ts", ".json", ".yaml", ".yml", ".toml", ".txt", ".md", ".cfg")
_MOST_CODE_BYTES = 256 * 1024
_JUDGED = ("syntax", "security", "secret", "trading")
_SEVERITY: dict[str, Severity] = {"critical": "failure", "high": "failure", "medium": "warning"}
_NO_TESTS = 5


def check_configuration(files: Mapping[str, bytes]) -> Stage:
    """bot-config.yaml, the parameter schema and the readme, by the platform's rules."""
    try:
        bot = read_bot(files)
    except BotInvalidError as error:
        findings = tuple(
            Finding(
                rule="invalid-configuration",
                severity="failure",
                message=f"{one['file']}: {one['field'] + ': ' if one['field'] else ''}{one['message']}",
                advice="The platform does not take the bot before this is right.",
            )
            for one in error.details["problems"][:10]
        )
        return Stage(name="configuration", summary="The platform would not take this bot.", findings=findings)
    return Stage(
        name="configuration",
        summary=f"The platform takes it as {bot.name} {bot.version}.",
        facts={"name": bot.name, "version": bot.version},
    )


async def check_code(files: Mapping[str, bytes]) -> Stage:
    """Static analysis of all its code."""
    texts = dict(_texts(files))
    report = await asyncio.to_thread(analyse_files, texts)
    findings = tuple(_of_code(one) for one in report.findings if one.category in _JUDGED)
    return Stage(
        name="analysis",
        summary=f"Quality {report.quality_score} of 100, {len(report.findings)} findings and remarks.",
        findings=findings[:20],
        facts={"quality_score": report.quality_score, "files": len(report.files)},
    )


def _texts(files: Mapping[str, bytes]) -> Iterable[tuple[str, str]]:
    for name, content in files.items():
        if name.lower().endswith(_CODE_TYPES) and len(content) <= _MOST_CODE_BYTES:
            yield name, content.decode("utf-8", errors="replace")


def _of_code(found: CodeFinding) -> Finding:
    return Finding(
        rule=found.rule,
        severity=_SEVERITY.get(found.severity, "note"),
        message=f"{found.file}:{found.line}: {found.message}",
        advice=found.advice,
        evidence={"file": found.file, "line": found.line, "category": found.category},
    )


def check_run(bot: TriedBot, run: BotRun) -> Stage:
    """How the bot ran under the platform's variables, and whether it reached for what is not its own."""
    findings = [*_of_end(bot, run), *_of_attempts(run)]
    return Stage(
        name="run",
        summary="It ran as on the platform and reported success."
        if not findings
        else "Run as on the platform, it did not do as it should.",
        findings=tuple(findings),
        facts={
            "entry": bot.entry,
            "runtime": bot.runtime,
            "exit_code": run.run.exit_code,
            "limit": run.run.limit,
            "status": str((run.result or {}).get("status", "")),
            "message": str((run.result or {}).get("message", ""))[:200],
            "metrics": len(run.events),
            "seconds": round(run.run.wall_seconds, 2),
        },
    )


def _of_end(bot: TriedBot, run: BotRun) -> Iterable[Finding]:
    evidence = {"errors": run.errors[-800:]} if run.errors else {}
    result = run.result or {}
    if run.run.limit in ("time", "cpu"):
        yield Finding(
            rule="does-not-end",
            severity="failure",
            message="The run on its own candles did not end within its time.",
            advice="A scheduled bot runs once and ends; a realtime bot ends when its candles are used up.",
            evidence=evidence,
        )
    elif run.run.limit is not None:
        yield Finding(
            rule=f"too-much-{run.run.limit}",
            severity="failure",
            message=f"The run was ended at its limit of {run.run.limit}.",
            advice="Keep what it loads and prints small.",
            evidence=evidence,
        )
    elif run.run.exit_code != 0 or result.get("status") == "error":
        told = str(result.get("message") or _last_line(run.errors) or f"exit code {run.run.exit_code}")
        yield Finding(
            rule="crashes",
            severity="failure",
            message=f"The run failed: {told[:300]}",
            advice="Run it with BOT_ID and BOT_CONFIG set and follow the trace."
            if bot.data is not None
            else "Give the bot a CSV file to replay (data_source), so that it runs without an exchange.",
            evidence=evidence,
        )
    elif result.get("status") != "success":
        yield Finding(
            rule="no-result",
            severity="failure",
            message="The run ended without a result of status success.",
            advice="Call the SDK's success() at the end of a run.",
            evidence=evidence,
        )


def _of_attempts(run: BotRun) -> Iterable[Finding]:
    if run.attempts:
        yield Finding(
            rule="reaches-out",
            severity="failure",
            message=f"While it replayed its candles the bot tried to reach {run.attempts[0]}.",
            advice="A replay reads the bot's CSV file alone: no network, no other file, no process.",
            evidence={"attempts": list(run.attempts[:10])},
        )
    if run.leaked:
        yield Finding(
            rule="leaks-secrets",
            severity="failure",
            message="The bot told the value of a secret from its environment or configuration.",
            advice="Never print, log, report or store keys, passwords or the whole environment.",
        )


async def run_tests(sandbox: Sandbox, bot: TriedBot) -> Stage:
    """The bot's own tests, in the sandbox."""
    tests = [name for name in bot.files if _is_test(name, bot.runtime)]
    if not tests:
        finding = Finding(
            rule="no-tests",
            severity="warning",
            message="The bot has no tests of its own.",
            advice="Add tests of the strategy below tests/.",
        )
        return Stage(name="tests", summary="There are none.", findings=(finding,), not_applicable=True)
    arguments, files = _test_command(bot, tests)
    run = await sandbox.run(
        job=SandboxJob(
            runtime=bot.runtime,
            files=files,
            arguments=arguments,
            environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            limits=_TEST_LIMITS,
        )
    )
    told = (run.stdout + run.stderr).decode(errors="replace")
    summary = _tests_told(run.stdout.decode(errors="replace"))
    if run.exit_code == 0 and run.limit is None:
        return Stage(name="tests", summary=summary[:200], facts={"files": len(tests)})
    finding = Finding(
        rule="no-tests" if run.exit_code == _NO_TESTS else "tests-fail",
        severity="failure",
        message=f"The bot's own tests do not pass: {summary[:200]}",
        advice="Read the first failure and repair the code, or the test where it is wrong.",
        evidence={"output": told[-1500:]},
    )
    return Stage(name="tests", summary="They do not pass.", findings=(finding,), facts={"files": len(tests)})


def _tests_told(output: str) -> str:
    """What the runner says in the end: pytest in its last line, Node.js in counts of its own."""
    counts = dict(re.findall(r"^# (pass|fail) (\d+)$", output, re.MULTILINE))
    if "pass" in counts:
        return f"{counts['pass']} passed, {counts.get('fail', '0')} failed"
    return _last_line(output) or "They ran."


def _is_test(name: str, runtime: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    if runtime == "python":
        return re.fullmatch(r"test_\w+\.py|\w+_test\.py", base) is not None
    return re.fullmatch(r".+[.\-_]test\.[cm]?js|test\.[cm]?js|test-.+\.[cm]?js", base) is not None


def _test_command(bot: TriedBot, tests: list[str]) -> tuple[tuple[str, ...], Mapping[str, bytes]]:
    if bot.runtime == "python":
        return ("-m", "pytest", "-q", "-p", "no:cacheprovider"), bot.files
    # `node --test` starts a process for each file; imported, they all run in this one.
    lines = "".join(f"await import({f'./{name}'!r});\n" for name in sorted(tests))
    return ("_all_tests.mjs",), {**bot.files, "_all_tests.mjs": lines.encode()}


async def run_backtest(
    backtester: Backtester | None, bot: TriedBot
) -> tuple[Stage, Mapping[str, bytes], bool]:
    """The backtest with costs and its honesty checks; its files, and whether it covered decisions."""
    if backtester is None:
        return Stage(name="backtest", summary="There is no backtester here.", not_applicable=True), {}, False
    done = await backtester.backtest(files=bot.files, config=bot.config)
    if done is None:
        summary = "The bot has no strategy of the form that a backtest runs; the probe tried it as a whole."
        return Stage(name="backtest", summary=summary, not_applicable=True), {}, False
    stage = Stage(
        name="backtest",
        summary="Backtested with costs." if not done.findings else "Backtested with costs; see the findings.",
        findings=done.findings,
        facts=done.figures,
    )
    return stage, done.files, done.covers_decisions


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
