"""What `/health` asks of the parts of a process."""

from __future__ import annotations

from shared.errors import AppError
from shared.opened.bots import Bots
from shared.opened.limits import Limits


class HealthChecks(Bots, Limits):
    """One check a part; none makes a paid call."""

    async def _check_model(self) -> str:
        # No call: a paid endpoint is never asked. What turns have heard of it lately is known.
        if self.settings.provider != "gemini":
            return "offline"
        watched = self._open.get("model")
        return "healthy" if watched is None or watched.trouble is None else str(watched.trouble)

    async def _check_database(self) -> str:
        await (await self.store()).check()
        return "healthy"

    async def _check_objects(self) -> str:
        await (await self.objects()).check()
        return "healthy"

    async def _check_redis(self) -> str:
        redis = await self.redis()
        return "not_configured" if redis is None else await redis.check()

    async def _check_nats(self) -> str:
        if not self.settings.nats_servers:
            return "not_configured"
        try:
            await self.relay().check("nats")
        except AppError:
            return "degraded"
        return "healthy"

    async def _check_sandbox(self) -> str:
        # The name of the isolation: it says how much the code of bots is kept apart here.
        return await (await self.sandbox()).check()
