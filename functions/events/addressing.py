"""Whose event it is: which sessions an event may reach. The rule is told in docs/events.md.

What an event says of itself is never enough to reach a user who did not deploy the bot: who runs a bot of his
own may write into its events what he likes.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from functions.events.told import Told
from shared.keys import SessionKey
from shared.sessions.port import Store

Reason = Literal[
    "malformed",
    "undeliverable",
    "unknown_type",
    "unknown_bot",
    "unknown_session",
    "no_session_named",
    "no_user_named",
    "ambiguous_user",
    "other_user",
]

# A bot that a further session deploys is known there after this, one that nobody had deployed after that.
KNOWN_SECONDS = 60.0
UNKNOWN_SECONDS = 2.0
_MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an event reaches nobody."""

    reason: Reason
    detail: str


class BotSessions:
    """Which sessions deployed a bot, as the store says; what it said is believed for some seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, tuple[float, tuple[SessionKey, ...]]] = OrderedDict()

    async def of(self, bot_ids: frozenset[str], *, anew: bool = False) -> dict[str, tuple[SessionKey, ...]]:
        """The sessions of each bot, none for a bot that nobody deployed; `anew`: as the store says now."""
        now = time.monotonic()
        found = {
            bot_id: self._known[bot_id][1]
            for bot_id in bot_ids
            if not anew and bot_id in self._known and self._known[bot_id][0] > now
        }
        missing = bot_ids - found.keys()
        if missing:
            looked = await self._store.sessions_of_bots(bot_ids=missing)
            for bot_id, keys in looked.items():
                self._remember(bot_id, keys)
            found |= looked
        return found

    def _remember(self, bot_id: str, keys: tuple[SessionKey, ...]) -> None:
        self._known[bot_id] = time.monotonic() + (KNOWN_SECONDS if keys else UNKNOWN_SECONDS), keys
        self._known.move_to_end(bot_id)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


class Addressing:
    """Finds the sessions of events. `is_local`: one person's machine, where no user is told from another."""

    def __init__(self, store: Store, *, is_local: bool, default_user: str) -> None:
        self.bots = BotSessions(store)
        self._store = store
        self._is_local = is_local
        self._default_user = default_user

    async def sessions_of(
        self, told: Told, deployed: tuple[SessionKey, ...]
    ) -> tuple[SessionKey, ...] | Refusal:
        """The sessions that the event may reach, of one user; `deployed` are those that deployed its bot."""
        if deployed:
            return _of_deployed(told, deployed)
        named = told.of
        is_for_bot = named.session_id is None or (told.needs_bot and not self._is_local)
        if is_for_bot and named.bot_id is not None:
            return Refusal(reason="unknown_bot", detail="no session here deployed the bot")
        if is_for_bot or named.session_id is None:
            return Refusal(reason="no_session_named", detail="data names no bot, and no session that may be")
        if named.user_id is not None:
            return (SessionKey(user_id=named.user_id, session_id=named.session_id),)
        if not self._is_local:
            return Refusal(reason="no_user_named", detail="data.session_id needs data.user_id")
        return await self._of_id(named.session_id)

    async def _of_id(self, session_id: str) -> tuple[SessionKey, ...] | Refusal:
        keys = await self._store.sessions_of_id(session_id=session_id)
        if len(keys) > 1:
            return (SessionKey(user_id=self._default_user, session_id=session_id),)
        return keys or Refusal(reason="unknown_session", detail="there is no session of that id")


def _of_deployed(told: Told, deployed: tuple[SessionKey, ...]) -> tuple[SessionKey, ...] | Refusal:
    named = told.of
    users = {key.user_id for key in deployed}
    if named.user_id is not None:
        if named.user_id not in users:
            return Refusal(reason="other_user", detail="the bot is not that user's")
        users = {named.user_id}
    if len(users) > 1:
        return Refusal(
            reason="ambiguous_user", detail="several users deployed the bot: data.user_id is needed"
        )
    [user_id] = users
    if named.session_id is not None:
        return (SessionKey(user_id=user_id, session_id=named.session_id),)
    return tuple(key for key in deployed if key.user_id == user_id)
