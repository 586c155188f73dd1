"""The part of `SqlStore` about users and processes, and the upkeep of the whole store."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.port import Resealed
from shared.sessions.sql import leases, secrets, usage
from shared.sessions.sql.opened import OpenedDatabase


class SqlAccounts(OpenedDatabase):
    """`UsageLedger`, `UserSecrets`, `NamedLeases`, `tidy` and `reseal` of the port."""

    async def reserve_usage(
        self,
        *,
        user_id: str,
        reservation_id: str,
        charge: Charge,
        limits: DailyLimits,
        now: datetime,
        lease_seconds: float,
    ) -> None:
        await self._write(
            partial(
                usage.reserve_usage,
                user_id=user_id,
                reservation_id=reservation_id,
                charge=charge,
                limits=limits,
                now=now,
                lease_seconds=lease_seconds,
            )
        )

    async def settle_usage(self, *, user_id: str, reservation_id: str, charge: Charge, now: datetime) -> None:
        # The day is the reservation's, whatever the time is now.
        await self._write(
            partial(usage.settle_usage, user_id=user_id, reservation_id=reservation_id, charge=charge)
        )

    async def usage_today(self, *, user_id: str, now: datetime) -> Charge:
        return await self._read(partial(usage.usage_today, user_id=user_id, now=now))

    async def take_permit(
        self, *, user_id: str, kind: str, limit: int, window_seconds: float, now: datetime
    ) -> None:
        await self._write(
            partial(
                usage.take_permit,
                user_id=user_id,
                kind=kind,
                limit=limit,
                window_seconds=window_seconds,
                now=now,
            )
        )

    async def save_user_secret(self, *, user_id: str, name: str, value: str, now: datetime) -> None:
        await self._write(partial(secrets.save_user_secret, user_id=user_id, name=name, value=value, now=now))

    async def load_user_secret(self, *, user_id: str, name: str) -> str | None:
        return await self._read(partial(secrets.load_user_secret, user_id=user_id, name=name))

    async def delete_user_secret(self, *, user_id: str, name: str) -> None:
        await self._write(partial(secrets.delete_user_secret, user_id=user_id, name=name))

    async def take_named_lease(self, *, name: str, holder: str, now: datetime, seconds: float) -> bool:
        return await self._write(
            partial(leases.take_named_lease, name=name, holder=holder, now=now, seconds=seconds)
        )

    async def drop_named_lease(self, *, name: str, holder: str) -> None:
        await self._write(partial(leases.drop_named_lease, name=name, holder=holder))

    # Upkeep is rare: a process that serves does not wait for its statements to be made.
    async def tidy(self, *, now: datetime, limit: int) -> int:
        from shared.sessions.sql.tidy import EXPIRED

        removed = 0
        for expired in EXPIRED:
            left = limit - removed
            if left <= 0:
                break
            removed += await self._write(partial(expired.remove, now=now, limit=left))
        return removed

    async def reseal(self, *, after: str | None, limit: int) -> Resealed:
        from shared.sessions.sql.reseal import reseal

        return await self._write(partial(reseal, after=after, limit=limit))
