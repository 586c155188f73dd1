"""The platform's API for instances of bots: `/bot`, made once, changed and deleted as often as it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from shared.deployment.answers import Made, made_of, read_json
from shared.deployment.calls import MAKE_SECONDS, OutcomeUnknownError, PlatformCalls, made, refusal
from shared.errors import PlatformUnavailableError
from shared.outbound import Answer

_DONE = (200, 201, 204)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An instance that the platform has; `config` may hold credentials and is not kept anywhere."""

    made: Made
    name: str | None
    config: dict[str, Any] | None = field(repr=False, hash=False)


class InstanceApi:
    """Instances at the platform, in the name of whoever the calls are made for."""

    def __init__(self, calls: PlatformCalls) -> None:
        self._calls = calls

    async def create(self, *, name: str, config: Mapping[str, Any], mark: str) -> Made:
        """Makes an instance.

        Raises:
            OutcomeUnknownError: it may have been made.
            DeploymentRefusedError, PlatformUnavailableError: it was not.
        """
        return made(await self._calls.make("POST", "/bot", {"name": name, "config": dict(config)}, mark))

    async def list(self) -> tuple[Listed, ...]:
        """Every instance there is for this caller.

        Raises:
            OutcomeUnknownError: the platform does not tell.
            PlatformUnavailableError: it did not answer.
        """
        answer = await self._calls.ask("/bot")
        value = read_json(answer)
        if answer.status != 200 or not isinstance(value, list) or "link" in answer.headers:
            raise OutcomeUnknownError(f"it does not list its instances (status {answer.status})")
        return tuple(found for found in map(_listed, value) if found is not None)

    async def get(self, bot_id: str) -> Listed | None:
        """One instance, None where there is none for this caller; raises as a refusal otherwise."""
        answer = await self._calls.ask(_path(bot_id))
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise refusal(answer)
        found = _listed(read_json(answer))
        if found is None or found.config is None:
            raise PlatformUnavailableError("what the platform says of the instance cannot be read")
        return found

    async def change(self, bot_id: str, *, name: str, config: Mapping[str, Any]) -> None:
        """Puts name and configuration in the place of those it has; the same again changes nothing.

        Raises:
            DeploymentRefusedError, PlatformUnavailableError: it may be as it was.
        """
        content = {"name": name, "config": dict(config)}
        await self._done("PUT", bot_id, content)

    async def remove(self, bot_id: str) -> None:
        """Deletes it; raises as `change`, also where it is not there."""
        await self._done("DELETE", bot_id, None)

    async def version(self, name: str, version: str) -> dict[str, Any] | None:
        """The configuration of a bot's version, None where the platform does not show it."""
        answer = await self._calls.ask(f"/custom-bots/{quote(name, safe='')}/{quote(version, safe='')}")
        value = read_json(answer)
        data = value.get("data") if answer.status == 200 and isinstance(value, dict) else None
        config = data.get("config") if isinstance(data, dict) else None
        return config if isinstance(config, dict) else None

    async def _done(self, method: str, bot_id: str, content: Any) -> None:
        answer: Answer = await self._calls.repeated(method, _path(bot_id), MAKE_SECONDS, content=content)
        if answer.status not in _DONE:
            raise refusal(answer)


def _path(bot_id: str) -> str:
    return f"/bot/{quote(bot_id, safe='')}"


def _listed(value: Any) -> Listed | None:
    found = made_of(value)
    if found is None:
        return None
    name, config = value.get("name"), value.get("config")
    return Listed(
        made=found,
        name=name if isinstance(name, str) else None,
        config=config if isinstance(config, dict) else None,
    )
