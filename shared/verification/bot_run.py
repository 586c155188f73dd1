"""One run of a bot as the platform makes it, in the sandbox, and what it told: metrics, result, attempts."""

from __future__ import annotations

import json
import marshal
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path, PurePosixPath
from typing import Any

from shared.sandbox.node_packages import RUNNER
from shared.sandbox.port import Sandbox, SandboxJob, SandboxLimits, SandboxRun
from shared.sandbox.runtimes import JOB, OUT, PACKAGES
from shared.verification.bot import TriedBot
from shared.verification.coverage import COVERAGE_FOLDER, never_ran

RUN_LIMITS = SandboxLimits(
    wall_seconds=60, cpu_seconds=20, memory_bytes=1024 * 1024 * 1024, output_bytes=16 * 1024 * 1024
)
_INSIDE = Path(__file__).parent / "inside"
_WATCH_FOLDER = "_watch"
_WATCHERS = {"python": "sitecustomize.py", "node": "watch.cjs"}
_MARKING = ("covered_run.py", "block_marks.py")
_RESULT, _TRIED = "result.json", "attempts.jsonl"
_MOST_LINES = 400_000
# A value that no bot has a reason to say: it stands where keys and passwords stand.
CANARY = "canary-7f3a91c2e5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One metric that a bot emitted; `fields` without the time of sending."""

    kind: str
    time: str | None
    fields: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotRun:
    """What a run told. `result` is the platform's result file; `attempts` are ways out that it tried.

    `never_ran` are the places of the bot's own code that did not run, where that was asked for and is known.
    """

    run: SandboxRun
    events: tuple[Event, ...]
    result: Mapping[str, Any] | None
    attempts: tuple[str, ...]
    never_ran: tuple[str, ...] = ()

    @property
    def errors(self) -> str:
        """The end of what it said to standard error."""
        return self.run.stderr.decode(errors="replace")[-2000:].strip()

    @property
    def leaked(self) -> bool:
        """Whether it said a value that is a secret."""
        told = (self.run.stdout, self.run.stderr, *self.run.files.values())
        return any(CANARY.encode() in one for one in told)


async def run_bot(
    sandbox: Sandbox, bot: TriedBot, *, limits: SandboxLimits = RUN_LIMITS, covered: bool = False
) -> BotRun:
    """Runs the bot with BOT_ID, BOT_CONFIG and the rest that the platform sets.

    `covered` asks which code did not run. Python then runs code with marks in it: judge what it does by a
    run without them.
    """
    run = await sandbox.run(job=_job(bot, limits, covered=covered))
    return BotRun(
        run=run,
        events=tuple(_events(run.stdout)),
        result=_json_object(run.files.get(_RESULT)),
        attempts=tuple(dict.fromkeys(_attempts(run.files.get(_TRIED, b"")))),
        never_ran=never_ran(run.files, bot.files, runtime=bot.runtime) if covered else (),
    )


def _job(bot: TriedBot, limits: SandboxLimits, *, covered: bool) -> SandboxJob:
    programs = [_WATCHERS[bot.runtime]]
    environment = {
        "BOT_ID": "verification",
        "BOT_CONFIG": json.dumps(dict(bot.config)),
        "BOT_TYPE": bot.bot_type,
        # The SDK writes the result below it; the folder of the code is read-only here.
        "CODE_MOUNT_DIR": OUT.lstrip("/"),
        "STATE_DIR": f"{OUT}/state",
        "THE0_API_KEY": CANARY,
        "AWS_SECRET_ACCESS_KEY": CANARY,
    }
    if bot.runtime == "python":
        environment["PYTHONPATH"] = f"{JOB}/{_WATCH_FOLDER}:{PACKAGES}"
    else:
        environment["NODE_OPTIONS"] = f"--require {JOB}/{_WATCH_FOLDER}/{programs[0]}"
        environment |= {"BOT_CODE": JOB, "SCRIPT_PATH": bot.entry}
    if covered and bot.runtime == "python":
        environment["BLOCKS_FILE"] = f"{OUT}/{COVERAGE_FOLDER}/blocks.json"
        programs += _MARKING
    elif covered:
        environment["NODE_V8_COVERAGE"] = f"{OUT}/{COVERAGE_FOLDER}"
    # No file of the bot stands in for what watches it.
    files = {
        name: data for name, data in bot.files.items() if _WATCH_FOLDER not in PurePosixPath(name).parts[:1]
    }
    files |= {f"{_WATCH_FOLDER}/{name}": data for name, data in map(_inside, programs)}
    arguments: tuple[str, ...] = (bot.entry,)
    if bot.runtime == "node":
        # Python's files are started, those of Node.js are loaded and their main is called.
        arguments = (f"{_WATCH_FOLDER}/{RUNNER.name}",)
        files[arguments[0]] = RUNNER.read_bytes()
    return SandboxJob(
        runtime=bot.runtime, files=files, arguments=arguments, environment=environment, limits=limits
    )


@cache
def _inside(program: str) -> tuple[str, bytes]:
    """A program of ours that runs beside a bot: the name of its file there, and what it holds.

    Python's are compiled here, for the interpreter inside is this one, and no run keeps what it compiled.
    """
    data = (_INSIDE / program).read_bytes()
    if not program.endswith(".py"):
        return program, data
    code = compile(data, f"{JOB}/{_WATCH_FOLDER}/{program}", "exec", dont_inherit=True)
    return f"{program}c", MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def _events(stdout: bytes) -> list[Event]:
    found = []
    for line in stdout.splitlines()[:_MOST_LINES]:
        if b"_metric" in line and (metric := _json_object(line)) is not None and "_metric" in metric:
            kind = str(metric.pop("_metric"))
            # The SDK's: when it was sent.
            metric.pop("timestamp", None)
            found.append(Event(kind=kind, time=_time_of(metric), fields=metric))
    return found


def _time_of(metric: Mapping[str, Any]) -> str | None:
    """When in the market a metric is, as text that sorts; None where it does not say."""
    for name in ("market_time", "candle_time", "time", "datetime", "date", "marketTime", "candleTime"):
        value = metric.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return f"{int(value):020d}"
    return None


def _attempts(content: bytes) -> list[str]:
    return [line.decode(errors="replace")[:200] for line in content.splitlines()[:200]]


def _json_object(content: bytes | None) -> dict[str, Any] | None:
    try:
        found = json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
