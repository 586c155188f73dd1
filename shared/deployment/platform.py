"""The platform's API for custom bots, in its two forms: one call with the code, or an upload and its record.

Each method is one step with a time for the whole of it. What changes nothing, and an upload, which puts the
same bytes in the same place, are repeated here; what makes a bot is sent once, and a lost answer is said so.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from shared.deployment.answers import Listed, Made, listed, read_json, versions_of
from shared.deployment.bot import Bot
from shared.deployment.calls import UPLOAD_SECONDS, OutcomeUnknownError, PlatformCalls, made, refusal
from shared.errors import PlatformUnavailableError
from shared.outbound import Upload

_NO_SUCH_ROUTE = frozenset({404, 405, 501})


class Platform:
    """The platform at a URL, asked in the name of whoever `authorization` (a header's value) belongs to."""

    def __init__(self, url: str, authorization: str | None) -> None:
        """Raises UnauthenticatedError for a credential that no header can carry."""
        self._calls = PlatformCalls(url, authorization)

    async def create(self, bot: Bot, *, code: str, mark: str) -> Made | None:
        """Makes a bot of one source; None when the platform has no such form.

        Raises:
            OutcomeUnknownError: it may have been made.
            DeploymentRefusedError, PlatformUnavailableError: it was not.
        """
        content = {
            "name": bot.name,
            "type": bot.config["type"],
            "code": code,
            "description": bot.config.get("description") or "",
            "tags": [*bot.tags, mark],
        }
        answer = await self._calls.make("POST", "/api/custom-bots", content, mark)
        if answer.status == 404:
            return None
        return made(answer)

    async def find(self, *, name: str, code_sha256: str, mark: str) -> Made | None:
        """The bot that an earlier `create` made, None when it made none.

        Raises:
            OutcomeUnknownError: the platform does not tell.
            PlatformUnavailableError: it did not answer.
        """
        answer = await self._calls.ask("/api/custom-bots", {"name": name})
        if answer.status in _NO_SUCH_ROUTE and await self._has_upload_form():
            return None
        bots = listed(read_json(answer)) if answer.status == 200 and "link" not in answer.headers else None
        if bots is None:
            raise OutcomeUnknownError(f"it does not list its bots (status {answer.status})")
        for bot in bots:
            if _is_sent(bot, name, code_sha256, mark):
                return bot.made
        if any(bot.name == name and bot.tags is None and bot.code is None for bot in bots):
            raise OutcomeUnknownError("it has a bot of that name, and does not say what is in it")
        return None

    async def versions(self, name: str) -> tuple[Listed, ...]:
        """The versions of a bot in the platform's upload form; none when there is no such bot.

        Raises:
            DeploymentRefusedError, PlatformUnavailableError: it did not tell.
        """
        answer = await self._calls.ask(f"/custom-bots/{quote(name, safe='')}")
        if answer.status == 404:
            return ()
        if answer.status != 200:
            raise refusal(answer)
        found = versions_of(read_json(answer))
        if found is None:
            raise PlatformUnavailableError("the platform's list of the bot's versions cannot be read")
        return found

    async def upload(self, bot: Bot, *, version: str, package: bytes) -> str:
        """Puts the zip of a version on the platform; where it is there.

        Raises:
            DeploymentRefusedError, PlatformUnavailableError: it is not there.
        """
        upload = Upload(
            name="file",
            filename=f"{bot.name}-{version}.zip",
            content_type="application/zip",
            data=package,
            fields={"version": version},
        )
        path = f"/custom-bots/{quote(bot.name, safe='')}/upload"
        answer = await self._calls.repeated("POST", path, UPLOAD_SECONDS, upload=upload)
        value = read_json(answer)
        if answer.status not in (200, 201) or not isinstance(value, dict) or value.get("success") is False:
            raise refusal(answer)
        file_path = value.get("filePath")
        if not isinstance(file_path, str) or not 0 < len(file_path) <= 2000:
            raise PlatformUnavailableError("the platform does not say where it put the upload")
        return file_path

    async def register(self, bot: Bot, *, version: str, file_path: str, mark: str, is_first: bool) -> Made:
        """Records an uploaded version of the bot; raises as `create`."""
        metadata = {**(bot.config.get("metadata") or {}), "deployment": mark}
        config = {**bot.config, "version": version, "metadata": metadata}
        content = {"config": json.dumps(config, ensure_ascii=False), "filePath": file_path}
        path = f"/custom-bots/{quote(bot.name, safe='')}"
        answer = await self._calls.make("POST" if is_first else "PUT", path, content, mark)
        return made(answer)

    def url_of(self, bot: Made, *, name: str | None = None) -> str:
        """Where the bot is: as the platform says, else its place in the API."""
        if bot.url is not None:
            return bot.url
        if name is not None and bot.version is not None:
            return f"{self._calls.url}/custom-bots/{quote(name, safe='')}/{quote(bot.version, safe='')}"
        return f"{self._calls.url}/api/custom-bots/{quote(bot.bot_id, safe='')}"

    async def _has_upload_form(self) -> bool:
        """Whether the platform has the other form, in which case it never had this one."""
        answer = await self._calls.ask("/custom-bots")
        value = read_json(answer)
        return answer.status == 200 and isinstance(value, dict) and value.get("success") is True


def _is_sent(bot: Listed, name: str, code_sha256: str, mark: str) -> bool:
    """Whether a listed bot is the one that was sent: by its mark, else by name and code."""
    if bot.tags is not None and mark in bot.tags:
        return True
    return bot.name == name and bot.code is not None and _sha256(bot.code) == code_sha256


def _sha256(code: str) -> str:
    import hashlib

    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
