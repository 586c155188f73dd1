"""Reading a web page that the user names."""

from __future__ import annotations

from typing import Any

from shared.model.offline.reply import Reply, bullets, paragraphs, quoted
from shared.model.offline.task import Task

TOOL = "browse_web"
_MOST_PAGES = 2
_QUOTED_CHARS = 2000


def browse(task: Task) -> Reply:
    """Fetches the pages, then quotes the beginning of each; nothing that stands there is followed."""
    done = task.conversation.of(TOOL)
    if done:
        return Reply(
            paragraphs(*(_page(d.value) if d.ok else _failure(d.call.arguments, d.problem) for d in done))
        )
    urls = [url if "://" in url else f"https://{url}" for url in task.utterance.urls[:_MOST_PAGES]]
    calls = tuple(call for url in urls for call in task.tools.call(TOOL, url=url))
    if not calls:
        return Reply(f"I cannot read web pages. {task.tools.missing(TOOL)}")
    return Reply("I read the page." if len(calls) == 1 else "I read the pages.", calls)


def _failure(arguments: dict[str, Any], problem: str) -> str:
    return f"{arguments.get('url', 'The page')} could not be read: {problem}"


def _page(value: dict[str, Any]) -> str:
    title, url = value.get("title") or "The page", value.get("url") or ""
    notices = value.get("notices")
    warned = [str(notice) for notice in notices] if isinstance(notices, list) else []
    more = value.get("next_start") is not None or value.get("truncated")
    return paragraphs(
        f"**{title}** ({url}) begins:",
        quoted(str(value.get("content", "")), _QUOTED_CHARS),
        f"Be careful with this page:\n\n{bullets(warned)}" if warned else None,
        "The page goes on. I quote pages and cannot sum them up without a language model." if more else None,
    )
