"""The documentation that the settings name: the platform's service with the pages of this process behind
it, or those pages alone.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.errors import NotFoundError, UnavailableError
from shared.settings import Settings
from shared.tools.documentation import search as local
from shared.tools.documentation.markdown import Page
from shared.tools.documentation.search import SearchResults
from shared.tools.documentation.service import Kept, documentation_service

T = TypeVar("T")

_OLDER = "The documentation service does not answer just now: this is what it said last."


@dataclass(frozen=True, slots=True)
class Consulted(Generic[T]):
    """What the documentation says, and what the reader should know about where it comes from."""

    value: T
    notice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A page of the list; `headings` are its main sections, empty where the source does not tell them."""

    path: str
    title: str
    description: str
    headings: tuple[str, ...] = ()


async def search(settings: Settings, query: str, limit: int) -> Consulted[SearchResults]:
    """The sections that answer a question, the best first.

    Raises:
        InvalidRequestError: the question is empty or over 512 characters, or the limit is not 1..50.
        UnavailableError: there are no pages at all.
    """
    question = local.checked_question(query, limit)
    service = documentation_service(settings)
    if service is None:
        return Consulted(await local.search(settings, question, limit))
    try:
        return Consulted(await service.search(question, limit))
    except UnavailableError as error:
        return await _instead(local.search(settings, question, limit), error)


async def outlines(settings: Settings) -> Consulted[tuple[Outline, ...]]:
    """All pages by path.

    Raises:
        UnavailableError: there are no pages at all.
    """
    service = documentation_service(settings)
    if service is None:
        return Consulted(await _local_outlines(settings))
    try:
        kept = await service.index()
    except UnavailableError as error:
        return await _instead(_local_outlines(settings), error)
    listed = tuple(
        Outline(path=entry.path, title=entry.title, description=entry.description) for entry in kept.value
    )
    return _told(Kept(listed, stale=kept.stale))


async def find_page(settings: Settings, path: str) -> Consulted[Page]:
    """The page of this path; a leading slash, a missing `.md` and a page's address are understood.

    Raises:
        NotFoundError: there is no such page; the message names the nearest ones.
        UnavailableError: there are no pages at all.
    """
    service = documentation_service(settings)
    if service is None:
        return Consulted(await local.find_page(settings, path))
    try:
        return _told(await service.page(path))
    except UnavailableError as error:
        try:
            return await _instead(local.find_page(settings, path), error)
        except NotFoundError as missing:
            raise NotFoundError(f"{missing.message} ({_notice(error)})") from error


def _told(kept: Kept[T]) -> Consulted[T]:
    return Consulted(kept.value, _OLDER if kept.stale else None)


async def _instead(found: Awaitable[T], error: UnavailableError) -> Consulted[T]:
    return Consulted(await found, _notice(error))


def _notice(error: UnavailableError) -> str:
    return f"From the pages shipped with the agent, which may be older: {error.message}."


async def _local_outlines(settings: Settings) -> tuple[Outline, ...]:
    return tuple(
        Outline(
            path=page.path,
            title=page.title,
            description=page.description,
            headings=tuple(section.own_heading for section in page.sections if section.level == 2),
        )
        for page in await local.pages(settings)
    )
