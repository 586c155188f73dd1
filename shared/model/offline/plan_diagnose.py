"""Why a bot crashed: from its log to the line of the session's files, and to a patch where a rule is sure.

A crash's own message comes with its log (shared/bots/crash_message.py); a user who asks has it looked up.
Nothing is deployed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.bots.crash_message import Crash, is_crash_message, read_crash_message
from shared.model.offline.conversation import Done
from shared.model.offline.crash_causes import UNKNOWN, cause_of
from shared.model.offline.crash_patch import Patch, propose
from shared.model.offline.crash_trace import Frame, Place, Trace, find_place, read_trace
from shared.model.offline.plan_report import FAILED, HISTORY, meant_bots
from shared.model.offline.recover import SCHEMA_FILE
from shared.model.offline.reply import Reply, paragraphs, quoted
from shared.model.offline.task import Task
from shared.model.offline.verdicts import describe_verification
from shared.model.offline.wording import describe_analysis

_MOST_CHARS = 20_000
_MOST_LOG = 1_600
_MOST_HISTORY = 30
_NONE = "I was told of no crash"


def diagnose(task: Task) -> Reply:
    """Looks for the crash, then its place, then patches and checks, one step a reply."""
    crash = _crash(task)
    if crash is None:
        return _look_up(task)
    listed = task.conversation.last("list_artifacts")
    if listed is None and (calls := task.tools.call("list_artifacts")):
        return Reply(f"The run of `{crash.bot_id}` failed at {crash.time}. I look at the files.", calls)
    trace = read_trace(crash.lines, crash.error)
    place = find_place(trace, _filenames(listed))
    wanted = _to_read(task, trace, place, listed)
    if wanted:
        calls = tuple(
            call
            for name in wanted
            for call in task.tools.call("read_artifact", filename=name, max_chars=_MOST_CHARS)
        )
        if calls:
            return Reply("", calls)
    return _judge(task, crash, trace, place)


def _crash(task: Task) -> Crash | None:
    """From the message of the crash itself, else the history that was asked for, else the context."""
    if is_crash_message(task.conversation.text):
        return read_crash_message(task.conversation.text)
    for done in task.conversation.of(HISTORY):
        found = _crash_told(done)
        if found is not None:
            return found
    return _crash_known(task)


def _crash_told(done: Done) -> Crash | None:
    entries = [entry for entry in done.value.get("entries", ()) if isinstance(entry, dict)]
    for index, entry in enumerate(entries):
        if entry.get("type") != FAILED:
            continue
        beside = [entry, *entries[max(0, index - 1) : index], *entries[index + 1 : index + 2]]
        lines: list[Any] = next((each["lines"] for each in beside if each.get("lines")), [])
        return Crash(
            bot_id=str(done.call.arguments.get("bot_id")),
            time=str(entry.get("time")),
            error=str(entry.get("error") or ""),
            lines=tuple(map(str, lines)),
        )
    return None


def _crash_known(task: Task) -> Crash | None:
    run = task.context.get("recent_execution")
    if not isinstance(run, dict) or run.get("status") != "failed" or not run.get("logs"):
        return None
    meant = meant_bots(task)
    if meant and run.get("bot_id") not in meant:
        return None
    return Crash(
        bot_id=str(run.get("bot_id")),
        time=str(run.get("time")),
        error=str(run.get("error") or ""),
        lines=tuple(map(str, run["logs"])),
    )


def _look_up(task: Task) -> Reply:
    """Asks for the history; says so where nothing is known."""
    asked = task.conversation.of(HISTORY)
    if not asked:
        calls = tuple(
            call
            for bot_id in meant_bots(task)[:1]
            for call in task.tools.call(HISTORY, bot_id=bot_id, limit=_MOST_HISTORY)
        )
        if calls:
            return Reply("I look for the crash in what the platform's events tell.", calls)
        return Reply(f"{_NONE}: no event here tells of a failed run. Paste the log's lines, and I read them.")
    if not asked[0].ok:
        return Reply(f"{_NONE}: {asked[0].problem}.")
    return Reply(
        f"{_NONE} of `{asked[0].call.arguments.get('bot_id')}`: its newest events hold no failed run."
    )


def _filenames(listed: Done | None) -> list[str]:
    files = listed.value.get("files", ()) if listed else ()
    return [str(file["filename"]) for file in files if isinstance(file, dict) and file.get("filename")]


def _to_read(task: Task, trace: Trace, place: Place | None, listed: Done | None) -> list[str]:
    """The files that are still to be read."""
    if place is None:
        return []
    wanted = [place.filename]
    if trace.error == "KeyError" and SCHEMA_FILE in _filenames(listed):
        wanted.append(SCHEMA_FILE)
    asked = {done.call.arguments.get("filename") for done in task.conversation.of("read_artifact")}
    return [name for name in wanted if name not in asked]


def _judge(task: Task, crash: Crash, trace: Trace, place: Place | None) -> Reply:
    """Says where and why; patches where a rule is sure, and checks what it patched."""
    found = _located(task, place)
    cause = cause_of(trace)
    patch = None
    if found is not None and place is not None and not cause.is_outside and place.filename.endswith(".py"):
        patch = propose(found.text, found.line, trace, _text_of(task, SCHEMA_FILE))
    edited = task.conversation.last("edit_artifact")
    if edited is not None:
        return _after_patch(task, edited)
    story = paragraphs(
        _headline(crash, trace),
        _log(crash),
        _where(place, found),
        f"**Likely cause.** {cause.says}" if cause is not UNKNOWN else cause.says,
    )
    calls = _edit(task, place, found, patch)
    if calls and patch is not None:
        return Reply(paragraphs(story, f"**Patch.** {patch.why}"), calls)
    return Reply(paragraphs(story, f"**What to look at.** {cause.look_at}", _NO_PATCH))


_NO_PATCH = "I changed nothing: no rule of mine makes a patch for this that is sure to be right."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Located:
    """The line at fault in the file as it was read; `moved`: it stands elsewhere than the log says."""

    text: str
    line: int
    quoted: str
    version: int | None
    moved: bool


def _located(task: Task, place: Place | None) -> _Located | None:
    """The line; None where the file could not be read, or is not what ran."""
    done = _read(task, place.filename) if place is not None else None
    if done is None or place is None or done.value.get("next_start") is not None:
        return None
    text = str(done.value.get("content", ""))
    number = _line_of(text.splitlines(), place.frame)
    if number is None:
        return None
    version = done.value.get("version")
    return _Located(
        text=text,
        line=number,
        quoted=text.splitlines()[number - 1].strip(),
        version=version if isinstance(version, int) else None,
        moved=number != place.frame.line,
    )


def _line_of(lines: list[str], frame: Frame) -> int | None:
    """The frame's line; by its text where the trace quotes it, as the file may have changed since."""
    if not frame.code:
        return frame.line if 1 <= frame.line <= len(lines) else None
    if 1 <= frame.line <= len(lines) and lines[frame.line - 1].strip() == frame.code:
        return frame.line
    same = [number for number, line in enumerate(lines, 1) if line.strip() == frame.code]
    return same[0] if len(same) == 1 else None


def _edit(task: Task, place: Place | None, found: _Located | None, patch: Patch | None) -> Any:
    if place is None or found is None or patch is None:
        return ()
    edit = {"search": patch.search, "replace": patch.replace}
    if found.text.count(patch.search) > 1:
        edit["near_line"] = patch.line  # type: ignore[assignment]
    return task.tools.call("edit_artifact", filename=place.filename, edits=[edit], version=found.version)


def _after_patch(task: Task, edited: Done) -> Reply:
    """Checks the new version, then says what the check found."""
    if not edited.ok:
        return Reply(f"The patch was not saved: {edited.problem}")
    problems: list[str] = []
    for name, arguments in (("verify_bot", {}), ("analyze_code", {"filename": edited.value.get("filename")})):
        done = task.conversation.last(name)
        if done is None:
            if calls := task.tools.call(name, **arguments):
                return Reply("I check the new version.", calls)
        elif done.ok:
            return Reply(paragraphs(_saved(edited), *problems, _checked(done), _DEPLOY))
        else:
            problems.append(f"`{name}` could not check it: {done.problem}")
    return Reply(
        paragraphs(_saved(edited), *problems or ["There is no tool here to check it with."], _DEPLOY)
    )


_DEPLOY = "Nothing was deployed. Look at the change; say **deploy it** when the new version is to run."


def _saved(edited: Done) -> str:
    diff = str(edited.value.get("diff", "")).replace("```", "'''").strip()
    name = f"`{edited.value.get('filename')}` has version {edited.value.get('version')}:"
    return paragraphs(name, f"```diff\n{diff}\n```" if diff else None)


def _checked(done: Done) -> str:
    if done.call.name == "analyze_code":
        return describe_analysis(done.value)
    return describe_verification(done)


def _headline(crash: Crash, trace: Trace) -> str:
    error = " ".join(trace.headline.replace("`", "'").split())[:300]
    what = f"with `{error}`" if error else "and named no error"
    return f"The run of `{crash.bot_id}` at {crash.time} ended {what}."


def _log(crash: Crash) -> str | None:
    text = "\n".join(line for line in crash.lines if line.strip())
    if not text:
        return "No line of its log came with it."
    # The end of a log tells more than its beginning.
    return paragraphs("Its log, the bot's own words:", quoted(text[-_MOST_LOG:], _MOST_LOG))


def _where(place: Place | None, found: _Located | None) -> str:
    if place is None:
        return "The log names no line in a file of this session, so I cannot say which one is at fault."
    if found is None:
        return (
            f"The log names line {place.frame.line} of `{place.filename}`; the file here is not what ran "
            "there, or could not be read whole, so I cannot say which line it is now."
        )
    inside = f", in `{place.frame.function}`" if place.frame.function else ""
    moved = f" (line {place.frame.line} when it ran)" if found.moved else ""
    return paragraphs(
        f"**At fault:** `{place.filename}:{found.line}`{moved}{inside}, version {found.version}:",
        f"```\n{found.quoted.replace('```', chr(39) * 3)}\n```",
    )


def _read(task: Task, filename: str) -> Done | None:
    asked = (done for done in task.conversation.of("read_artifact") if done.ok)
    return next((done for done in asked if done.value.get("filename") == filename), None)


def _text_of(task: Task, filename: str) -> str | None:
    done = _read(task, filename)
    content: Mapping[str, Any] = done.value if done else {}
    return content.get("content") if isinstance(content.get("content"), str) else None
