"""What the data of events about bots has in common: whom it names, in each of the forms that senders use.

The platform sends `{"id", "config", "custom"}`, others `{"bot_id", ...}`, some inside a second `data`.
An identifier of the outer object counts alone where there is one: the inner may hold what a bot wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

_BOT = AliasChoices("bot_id", "botId", "entity_id", "entityId")
_SESSION = AliasChoices("session_id", "sessionId")
_USER = AliasChoices("user_id", "userId")
_IDS = frozenset(
    name for choices in (_BOT, _SESSION, _USER) for name in choices.choices if isinstance(name, str)
)
# Members of an envelope, of no worth to whoever asks about a bot.
_ENVELOPE = frozenset({"data", "type", "timestamp", "specversion", "topicName"})

BotId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@/-]{1,128}$")]
SessionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
_MOST_USER_BYTES = 500


def _can_be_stored(user_id: str) -> str:
    # A backslash is stored as five bytes.
    if len(user_id.encode("utf-8", "surrogatepass")) + 4 * user_id.count("\\") > _MOST_USER_BYTES:
        raise ValueError("is too long")
    return user_id


UserId = Annotated[str, Field(min_length=1), AfterValidator(_can_be_stored)]


class NamedData(BaseModel):
    """Who is meant; other members are kept as they are for `rest`."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    bot_id: BotId | None = Field(default=None, validation_alias=_BOT)
    session_id: SessionId | None = Field(default=None, validation_alias=_SESSION)
    user_id: UserId | None = Field(default=None, validation_alias=_USER)

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: Any) -> Any:
        return unwrapped(value) if isinstance(value, dict) else value

    def rest(self, *without: str) -> dict[str, Any]:
        """The members beside those that the model names, and beside these."""
        extra = self.__pydantic_extra__ or {}
        left_out = _IDS | _ENVELOPE | set(without)
        return {name: value for name, value in extra.items() if name not in left_out and value is not None}


def unwrapped(value: Mapping[str, Any]) -> dict[str, Any]:
    """The members of both objects where there is a `data` inside; the outer ones count before the inner."""
    inner = value.get("data")
    if not isinstance(inner, dict):
        return dict(value)
    is_named = not _IDS.isdisjoint(value)
    return {
        **{name: each for name, each in inner.items() if not (is_named and name in _IDS)},
        **{name: each for name, each in value.items() if name != "data"},
    }
