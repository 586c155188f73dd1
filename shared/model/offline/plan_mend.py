"""What the planner does about a rejected bot: formal repairs, sure patches, an honest word on the rest.

Files keep all their versions, so nothing of the user's is lost; whatever was changed is said. Code that a
user wrote is put back to an earlier version at his word only (plan_restore.py).
"""

from __future__ import annotations

import json
import re
from typing import Any

from shared.model.offline import verdicts
from shared.model.offline.conversation import Done
from shared.model.offline.crash_patch import propose
from shared.model.offline.crash_trace import find_place, read_trace
from shared.model.offline.mend_files import files_of, mend, read_problems
from shared.model.offline.recover import SCHEMA_FILE
from shared.model.offline.reply import PlannedCall, Reply, bullets, paragraphs
from shared.model.offline.task import Task

# As many as the verifier allows a turn.
_MOST_REPAIRS = 3
_MOST_CHARS = 20_000
_RECORD = "verification.json"
_FORMAL = "invalid-configuration"
_ERRORS = re.compile(r'"errors":\s*("(?:[^"\\]|\\.){1,4000}")')


def mend_bot(task: Task) -> Reply | None:
    """The next step of repairing a rejected bot; None where there is nothing (more) that rules can do."""
    tried = task.conversation.of(verdicts.TOOL)
    if not tried or not _failures(tried[-1]) or len(tried) > _MOST_REPAIRS:
        return None
    if any(not done.ok for done in _since(task) if done.call.name in ("save_artifact", "edit_artifact")):
        return None
    if _has_changed(task):
        return _step(task, "I verify it once more.", task.tools.call(verdicts.TOOL))
    listed = task.conversation.last("list_artifacts")
    if listed is None:
        return _step(task, "It was rejected. I look at what I can repair.", task.tools.call("list_artifacts"))
    return _mend_forms(task, tried[-1], set(versions(listed))) or _patch_crash(task, tried[-1], listed)


def mended(task: Task) -> str | None:
    """What was changed in this turn's repairs, and what the user can do about the rest; None for nothing."""
    saved = [done for done in _changes(task) if done.ok]
    lines = [
        f"`{done.value.get('filename')}` has version {done.value.get('version')}; the one before is kept"
        for done in saved
    ]
    said = f"**Repaired**\n\n{bullets(lines)}" if lines else None
    last = task.conversation.last(verdicts.TOOL)
    offer = _offer(task) if last is not None and _failures(last) else None
    return paragraphs(said, offer) or None


def versions(listed: Done) -> dict[str, int]:
    """The newest version of each file of a listing."""
    files = listed.value.get("files", ()) if listed.ok else ()
    return {str(one["filename"]): int(one["version"]) for one in files if isinstance(one, dict)}


def written_versions(task: Task) -> dict[str, int]:
    """The version of each file that the template wrote last, by what its calls told."""
    found: dict[str, int] = {}
    for done in task.conversation.builds:
        for file in done.value.get("files", ()):
            if isinstance(file, dict) and isinstance(file.get("version"), int):
                found[str(file.get("filename"))] = file["version"]
    return found


def _failures(done: Done) -> list[dict[str, Any]]:
    found = done.value.get("findings") if done.ok and isinstance(done.value, dict) else None
    rejected = found if isinstance(found, list) and done.value.get("verdict") == "rejected" else []
    return [one for one in rejected if isinstance(one, dict) and one.get("severity") == "failure"]


def _since(task: Task) -> tuple[Done, ...]:
    """What was done after the last verification."""
    places = [place for place, done in enumerate(task.conversation.done) if done.call.name == verdicts.TOOL]
    return task.conversation.done[places[-1] + 1 :] if places else ()


def _changes(task: Task) -> list[Done]:
    return [done for done in task.conversation.done if done.call.name in ("save_artifact", "edit_artifact")]


def _has_changed(task: Task) -> bool:
    return any(done.call.name in ("save_artifact", "edit_artifact") for done in _since(task))


def _step(task: Task, said: str, calls: tuple[PlannedCall, ...]) -> Reply | None:
    return Reply(said, calls) if calls else None


def _texts(task: Task) -> dict[str, str]:
    """The files that were read whole since the last verification."""
    reads = (done for done in _since(task) if done.call.name == "read_artifact" and done.ok)
    whole = (done for done in reads if done.value.get("next_start") is None)
    return {str(done.value.get("filename")): str(done.value.get("content", "")) for done in whole}


def _read(task: Task, names: list[str]) -> Reply | None:
    """Reads what of these was not asked for yet."""
    asked = {done.call.arguments.get("filename") for done in _since(task)}
    calls = tuple(
        call
        for name in names
        if name not in asked
        for call in task.tools.call("read_artifact", filename=name, max_chars=_MOST_CHARS)
    )
    return _step(task, "", calls)


def _mend_forms(task: Task, tried: Done, present: set[str]) -> Reply | None:
    messages = [str(one.get("message")) for one in _failures(tried) if one.get("rule") == _FORMAL]
    problems = read_problems(messages)
    if not problems:
        return None
    wanted = files_of(problems, present)
    if (reading := _read(task, wanted)) is not None:
        return reading
    texts = _texts(task)
    if any(name not in texts for name in wanted):
        return None
    done = mend(problems, texts, present)
    calls = tuple(
        call
        for name, text in done.texts.items()
        for call in task.tools.call("save_artifact", filename=name, content=text)
    )
    return _step(
        task, paragraphs("I put right what the platform would refuse:", bullets(done.changes)), calls
    )


def _patch_crash(task: Task, tried: Done, listed: Done) -> Reply | None:
    """The patch of a crash where a rule is sure of it, from the trace that the record holds."""
    if not any(one.get("rule") == "crashes" for one in _failures(tried)):
        return None
    if (reading := _read(task, [_RECORD])) is not None:
        return reading
    record = next((done for done in _since(task) if done.call.arguments.get("filename") == _RECORD), None)
    found = _ERRORS.search(str(record.value.get("content", ""))) if record is not None and record.ok else None
    if found is None:
        return None
    lines = tuple(str(json.loads(found[1])).splitlines())
    trace = read_trace(lines, "")
    place = find_place(trace, list(versions(listed)))
    if place is None or not place.filename.endswith(".py"):
        return None
    schema = [SCHEMA_FILE] if SCHEMA_FILE in versions(listed) else []
    if (reading := _read(task, [place.filename, *schema])) is not None:
        return reading
    texts = _texts(task)
    patch = propose(texts.get(place.filename, ""), place.frame.line, trace, texts.get(SCHEMA_FILE))
    if patch is None:
        return None
    edit: dict[str, Any] = {"search": patch.search, "replace": patch.replace, "near_line": patch.line}
    calls = task.tools.call(
        "edit_artifact",
        filename=place.filename,
        edits=[edit],
        version=versions(listed).get(place.filename),
    )
    return _step(task, f"It crashes at `{place.filename}:{place.frame.line}`. {patch.why}", calls)


def _offer(task: Task) -> str:
    """The files that are not as they were written, which can be put back at the user's word."""
    listed, written = task.conversation.last("list_artifacts"), written_versions(task)
    newest = versions(listed) if listed is not None else {}
    edited = [name for name, version in written.items() if newest.get(name, version) > version]
    if not edited:
        return "I know no sure repair for what remains, so I changed nothing of it."
    lines = [
        f"`{name}`: I wrote version {written[name]}, it is at version {newest[name]} now. Say "
        f'"restore {name}" and I put version {written[name]} back as a new one; yours is kept'
        for name in edited
    ]
    return paragraphs("These files were changed after I wrote them; I leave your work alone:", bullets(lines))
