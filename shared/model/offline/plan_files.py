"""The session's files: list, show, save."""

from __future__ import annotations

import re

from shared.model.offline.conversation import Done
from shared.model.offline.plan_documentation import page_text
from shared.model.offline.reply import Reply, bullets, paragraphs
from shared.model.offline.task import Task

_MOST_SHOWN = 3
_MEANT = (
    ("bot-config.yaml", r"config(?:uration)?(?! schema)|bot[ -]config"),
    ("bot-schema.json", r"schema"),
    ("README.md", r"readme"),
    ("requirements.txt", r"requirements|dependencies"),
    ("tests/test_strategy.py", r"tests?"),
    ("main.py", r"main|entry ?point"),
    ("strategy.py", r"code|source|strategy|bot"),
)
_AFTER_COLON = re.compile(r"[^:\n]{0,40}:[ \t]*\n?(.+)\Z", re.DOTALL)
_LANGUAGES = {"py": "python", "js": "javascript", "ts": "typescript", "md": "markdown", "yml": "yaml"}


def list_files(task: Task) -> Reply:
    """The files there are."""
    done = task.conversation.last("list_artifacts")
    if done is None:
        calls = task.tools.call("list_artifacts")
        return (
            Reply("I list the files.", calls)
            if calls
            else Reply(f"I cannot list files. {task.tools.missing('list_artifacts')}")
        )
    if not done.ok:
        return Reply(f"The files could not be listed: {done.problem}")
    files = [file for file in done.value.get("files", []) if isinstance(file, dict)]
    if not files:
        return Reply("This session has no files yet. Ask me to build a bot and it will.")
    lines = [
        f"`{file.get('filename')}` version {file.get('version')}, {file.get('type')}, {file.get('size')} "
        f"bytes"
        for file in files
    ]
    return Reply(paragraphs(f"The session has {len(lines)} files:", bullets(lines)))


def show_file(task: Task) -> Reply:
    """The content of the files that are named or meant."""
    reads = task.conversation.of("read_artifact")
    if reads:
        return _show(task, reads)
    names = task.utterance.filenames[:_MOST_SHOWN] or _meant(task.request)
    calls = tuple(call for name in names for call in task.tools.call("read_artifact", filename=name))
    if not calls:
        return Reply(f"I cannot read files. {task.tools.missing('read_artifact')}")
    return Reply(f"I read {', '.join(f'`{name}`' for name in names)}.", calls)


def _show(task: Task, reads: tuple[Done, ...]) -> Reply:
    """The files; a Markdown page that the session lacks may be one of the documentation."""
    pages = task.conversation.of("get_documentation")
    pagelike = [done for done in reads if str(done.call.arguments.get("filename")).endswith(".md")]
    lost = [done for done in pagelike if not done.ok]
    if len(lost) == len(reads) and not pages:
        calls = task.tools.call("get_documentation", path=lost[0].call.arguments["filename"])
        if calls:
            return Reply("The session has no such file; I look in the documentation.", calls)
    found = [page_text(done.value) for done in pages if done.ok]
    return Reply(paragraphs(*(found or map(_shown, reads))))


def save_file(task: Task) -> Reply:
    """Saves the text that the user gave under the name they gave."""
    done = task.conversation.last("save_artifact")
    if done is not None:
        if not done.ok:
            return Reply(f"The file was not saved: {done.problem}")
        value = done.value
        return Reply(
            f"`{value.get('filename')}` is saved as version {value.get('version')} ({value.get('outcome')})."
        )
    name, content = task.utterance.filenames[0], _content(task)
    if content is None:
        return Reply(f"I did not find the text for `{name}`. Put it between lines of three backticks.")
    calls = task.tools.call("save_artifact", filename=name, content=content)
    return Reply(f"I save `{name}`.", calls) if calls else Reply(
        f"I cannot save files. {task.tools.missing('save_artifact')}"
    )  # fmt: skip


def _content(task: Task) -> str | None:
    if task.utterance.snippets:
        return task.utterance.snippets[0].code + "\n"
    named = task.utterance.raw.partition(task.utterance.filenames[0])[2]
    match = _AFTER_COLON.match(named)
    return match[1].strip() + "\n" if match and match[1].strip() else None


def _meant(text: str) -> tuple[str, ...]:
    for name, words in _MEANT:
        if re.search(rf"\b(?:{words})\b", text):
            return (name,)
    return ("README.md",)


def _shown(done: Done) -> str:
    name = done.call.arguments.get("filename", "the file")
    if not done.ok:
        return f"`{name}` could not be read: {done.problem}"
    content = str(done.value.get("content", ""))
    ending = str(name).rsplit(".", 1)[-1]
    longest = max((len(run) for run in re.findall(r"`+", content)), default=0)
    marks = "`" * max(3, longest + 1)
    total = done.value.get("total_chars")
    cut = f"(the first {len(content)} of {total} characters)" if done.value.get("next_start") else None
    heading = f"`{name}` version {done.value.get('version')}:"
    return paragraphs(heading, f"{marks}{_LANGUAGES.get(ending, ending)}\n{content.rstrip()}\n{marks}", cut)
