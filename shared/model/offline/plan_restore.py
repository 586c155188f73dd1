"""Puts an earlier version of a file back at the user's word: read it, save it as a new version, verify."""

from __future__ import annotations

import re

from shared.model.offline import verdicts
from shared.model.offline.plan_mend import written_versions
from shared.model.offline.reply import Reply, paragraphs
from shared.model.offline.task import Task
from shared.model.offline.utterance import Utterance
from shared.model.offline.verdicts import describe_verification

_RESTORE = re.compile(r"\b(?:restore|revert|roll ?back|put back|bring back)\b", re.I)
_VERSION = re.compile(r"\bversion (\d{1,9})\b", re.I)
_MOST_CHARS = 20_000


def asks_to_restore(utterance: Utterance) -> bool:
    """Whether the message asks for an earlier version of a file that it names."""
    return bool(utterance.filenames) and _RESTORE.search(utterance.raw) is not None


def restore_file(task: Task) -> Reply:
    """The next step of putting a file back."""
    name = task.utterance.filenames[0]
    asked = _VERSION.search(task.utterance.raw)
    version = int(asked[1]) if asked else written_versions(task).get(name)
    if version is None:
        return Reply(
            f'I do not know which version of `{name}` is meant: say "restore version 1 of {name}". '
            "All versions are kept."
        )
    read = task.conversation.last("read_artifact")
    if read is None:
        calls = task.tools.call("read_artifact", filename=name, version=version, max_chars=_MOST_CHARS)
        if calls:
            return Reply(f"I read version {version} of `{name}`.", calls)
        return Reply(f"I cannot read files. {task.tools.missing('read_artifact')}")
    if not read.ok:
        return Reply(f"Version {version} of `{name}` could not be read: {read.problem}")
    if read.value.get("next_start") is not None:
        return Reply(f"`{name}` is too long for me to put back whole; I changed nothing.")
    saved = task.conversation.last("save_artifact")
    if saved is None:
        calls = task.tools.call("save_artifact", filename=name, content=str(read.value.get("content", "")))
        if calls:
            return Reply("", calls)
        return Reply(f"I cannot save files. {task.tools.missing('save_artifact')}")
    if not saved.ok:
        return Reply(f"`{name}` was not put back: {saved.problem}")
    tried = task.conversation.last(verdicts.TOOL)
    if tried is None and (calls := task.tools.call(verdicts.TOOL)):
        return Reply("It is back. I verify the bot.", calls)
    told = (
        f"`{name}` already was as in version {version}."
        if saved.value.get("outcome") == "unchanged"
        else f"`{name}` is as in version {version} again, as version {saved.value.get('version')}; what it "
        "replaced is kept as the version before."
    )
    return Reply(paragraphs(told, describe_verification(tried)))
