"""Checking code: pasted, one file, or all files of the session."""

from __future__ import annotations

from shared.model.offline.reply import Reply, paragraphs
from shared.model.offline.task import Task
from shared.model.offline.wording import describe_analysis

TOOL = "analyze_code"
_ENDINGS = {
    "": "py", "python": "py", "py": "py", "python3": "py", "javascript": "js", "js": "js", "typescript": "ts",
    "ts": "ts", "yaml": "yaml", "json": "json",
}  # fmt: skip
_GUESSES = (("py", ("def ", "import ", "print(")), ("ts", ("interface ", ": string", ": number")),
            ("js", ("function ", "const ", "=>")))  # fmt: skip


def analyze_code(task: Task) -> Reply:
    """Calls the check, then says what it found."""
    done = task.conversation.last(TOOL)
    if done is None:
        return _begin(task)
    if done.ok:
        return Reply(describe_analysis(done.value))
    return Reply(
        paragraphs(
            f"The code could not be checked: {done.problem}",
            "Paste the code between lines of three backticks, or build a bot first.",
        )
    )


def _begin(task: Task) -> Reply:
    snippets, filenames = task.utterance.snippets, task.utterance.filenames
    if snippets:
        code = max((snippet.code for snippet in snippets), key=len)
        label = next(snippet.language for snippet in snippets if snippet.code == code)
        filename = filenames[0] if filenames else f"snippet.{_ending(label, code)}"
        calls, said = task.tools.call(TOOL, code=code, filename=filename), "I check the code that you sent."
    elif filenames and task.tools.accepts(TOOL, "filename"):
        calls, said = task.tools.call(TOOL, filename=filenames[0]), f"I check `{filenames[0]}`."
    else:
        calls, said = task.tools.call(TOOL), "I check the code of this session."
    return Reply(said, calls) if calls else Reply(f"I cannot check code. {task.tools.missing(TOOL)}")


def _ending(label: str, code: str) -> str:
    if label:
        return _ENDINGS.get(label, "py" if label not in ("rust", "go", "java", "cpp", "c") else label)
    return next((ending for ending, signs in _GUESSES if any(sign in code for sign in signs)), "py")
