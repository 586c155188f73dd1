"""`ai.bot.deployed`: our own event, by which a bot that the platform has taken is known from the start."""

from __future__ import annotations

from pydantic import Field

from functions.events.data import NamedData
from functions.events.told import Told
from shared.events.envelope import CloudEvent


class BotDeployed(NamedData):
    """The bot, as `shared/deployment` tells of it."""

    name: str = Field(default="", max_length=200)
    version: str = Field(default="", max_length=100)


def tell_deployed(event: CloudEvent, data: BotDeployed) -> Told:
    """The platform has accepted it: no sign that it runs."""
    value = {name: text for name, text in (("name", data.name), ("version", data.version)) if text}
    return Told(of=data, data=value, facts={"accepted": value}, needs_bot=False)
