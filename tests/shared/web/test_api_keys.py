"""The platform's API keys: remembered for a minute and no longer."""

from __future__ import annotations

import pytest

from shared.errors import UnauthenticatedError, UnavailableError
from shared.web.api_keys import ApiKeys
from tests.servers.web_service import Asked, Said, json_answer, web_service


class Platform:
    """Knows one key, until it is revoked."""

    def __init__(self) -> None:
        self.revoked = False
        self.down = False

    def __call__(self, asked: Asked) -> Said:
        if self.down:
            return Said(status=500)
        if self.revoked or asked.headers["authorization"] != "ApiKey kims":
            return json_answer({"message": "Invalid API key"}, 401)
        return json_answer({"success": True, "data": {"valid": True, "userId": "kim"}})


async def test_a_revoked_key_holds_for_a_minute_at_most() -> None:
    platform, now = Platform(), 1000.0
    async with web_service(platform) as service:
        keys = ApiKeys(service.url, monotonic=lambda: now)
        assert await keys.owner("kims") == "kim"
        platform.revoked = True
        now += 59
        assert await keys.owner("kims") == "kim"
        assert len(service.asked) == 1
        now += 1
        for _ in range(2):
            with pytest.raises(UnauthenticatedError):
                await keys.owner("kims")
        assert len(service.asked) == 2
        platform.revoked = False
        now += 60
        assert await keys.owner("kims") == "kim", "and holds again when the platform says so"


async def test_a_key_that_was_good_is_not_good_for_ever_while_the_platform_is_down() -> None:
    platform, now = Platform(), 1000.0
    async with web_service(platform) as service:
        keys = ApiKeys(service.url, monotonic=lambda: now)
        assert await keys.owner("kims") == "kim"
        platform.down = True
        now += 61
        with pytest.raises(UnavailableError):
            await keys.owner("kims")
        with pytest.raises(UnavailableError):
            await keys.owner("other")
