"""Questions about the platform: search the pages, quote them, cite them; and the list of pages."""

from __future__ import annotations

import re
from typing import Any

from shared.model.offline.conversation import Conversation
from shared.model.offline.reply import PlannedCall, Reply, bullets, paragraphs, quoted
from shared.model.offline.task import Task
from shared.model.offline.toolbox import Toolbox

SEARCH = "search_documentation"
_LONGEST_QUERY = 300
_QUOTED = 3
_PREFIX = re.compile(
    r"^(?:please |can you |could you )?(?:search|look up|look through|find|check|consult|read|query)\b"
    r"(?: (?:in|through|up))?(?: (?:the|your))?(?: (?:the0|platform))? ?(?:docs?|documentation|manual"
    r"|handbook)"
    r"(?: (?:for|about|on|to find|to see|and tell me))?:? ",
    re.IGNORECASE,
)
_PAGE = re.compile(
    r"(?<![\w/.-])((?:[\w-]{1,60}/){0,4}[\w-]{1,80}\.md)(?:#(?:([\w -]{1,120})(?=`)|([\w-]{1,120})))?"
)


def search_documentation(task: Task) -> Reply:
    """Searches for the question, then answers with what the pages say."""
    done = task.conversation.last(SEARCH) or task.conversation.last("get_documentation")
    if done is None:
        return _begin(task)
    if not done.ok:
        return Reply(f"The documentation could not be read: {done.problem}")
    if done.call.name == "get_documentation":
        return Reply(page_text(done.value))
    return Reply(answer_from(done.value))


def _begin(task: Task) -> Reply:
    page = _PAGE.search(task.utterance.prose)
    calls: tuple[PlannedCall, ...] = ()
    if page and "readme" not in page[1].lower():
        calls = task.tools.call("get_documentation", path=page[1], heading=page[2] or page[3])
    calls = calls or look_up(task.tools, question(task))
    if not calls:
        return Reply(
            f"I say nothing about the platform that I have not read in its pages. "
            f"{task.tools.missing(SEARCH)}"
        )
    return Reply("I look that up in the documentation.", calls)


def look_up(tools: Toolbox, query: str) -> tuple[PlannedCall, ...]:
    """The search for a question."""
    return tools.call(SEARCH, query=query, limit=5)


def question(task: Task) -> str:
    """The user's question as the search takes it."""
    words = " ".join(_PREFIX.sub("", task.utterance.prose.strip()).split())
    return words[:_LONGEST_QUERY].strip() or task.request[:_LONGEST_QUERY] or "the0"


def answer_from(value: dict[str, Any]) -> str:
    """The best passages as quotations with their places; an honest word when there are none.

    Where the search says that its pages may be older ones, the answer says so too.
    """
    results = _results(value)
    notice = str(value["notice"]) if value.get("notice") else None
    if not results:
        return paragraphs(
            "The documentation does not say anything on this that I could find. "
            "Other words, or a file or option name, may help.",
            notice,
        )
    pieces = ["This is what the documentation says:"]
    for result in results[:_QUOTED]:
        pieces.append(
            f"**{_title(result)}** (`{place(result)}`)\n\n{quoted(str(result.get('content', '')), 900)}"
        )
    rest = [f"`{place(result)}`" for result in results[_QUOTED:]]
    return paragraphs(*pieces, f"See also {', '.join(rest)}." if rest else None, notice)


def citations(conversation: Conversation) -> str | None:
    """Where the documentation says more, from the searches of this turn."""
    results = [result for done in conversation.of(SEARCH) for result in _results(done.value)]
    places = list(dict.fromkeys(place(result) for result in results))[:3]
    return f"Documentation: {', '.join(f'`{one}`' for one in places)}" if places else None


def place(result: dict[str, Any]) -> str:
    """`path#heading` of a result."""
    heading = str(result.get("heading") or "").strip()
    return f"{result.get('path', '')}#{heading}" if heading else str(result.get("path", ""))


def list_documentation(task: Task) -> Reply:
    """The pages there are."""
    done = task.conversation.last("list_documentation")
    if done is None:
        calls = task.tools.call("list_documentation")
        if calls:
            return Reply("I list the pages.", calls)
        return Reply(f"I cannot list the pages. {task.tools.missing('list_documentation')}")
    if not done.ok:
        return Reply(f"The pages could not be listed: {done.problem}")
    pages = [page for page in done.value.get("pages", []) if isinstance(page, dict)]
    lines = [f"`{page.get('path')}` {page.get('title', '')}: {page.get('description', '')}" for page in pages]
    return Reply(paragraphs(f"The documentation has {len(lines)} pages:", bullets(lines)))


def page_text(value: dict[str, Any]) -> str:
    """A page or section that was read, quoted."""
    more = value.get("next_start") is not None
    return paragraphs(
        f"`{place(value)}` says:",
        quoted(str(value.get("content", "")), 6000),
        "The page goes on; name a heading to read it." if more else None,
    )


def _results(value: dict[str, Any]) -> list[dict[str, Any]]:
    results = value.get("results")
    return [item for item in results if isinstance(item, dict)] if isinstance(results, list) else []


def _title(result: dict[str, Any]) -> str:
    title, heading = str(result.get("title") or ""), str(result.get("heading") or "")
    return f"{title}: {heading}" if title and heading and title != heading else title or heading or "Page"
