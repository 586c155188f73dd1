"""The part of `FirestoreStore` about users and processes, and the upkeep of the whole store."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.firestore import leases, reseal, secrets, tidy, usage
from shared.sessions.firestore.names import document_id
from shared.sessions.firestore.opened import OpenedFirestore
from shared.sessions.port import Resealed


class FirestoreAccounts(OpenedFirestore):
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
        await self._runner.write(
            partial(
                usage.reserve_usage,
                user_id=user_id,
                reservation_id=reservation_id,
                charge=charge,
                limits=limits,
                now=now,
                lease_seconds=lease_seconds,
            ),
            queue=_account(user_id),
        )

    async def settle_usage(self, *, user_id: str, reservation_id: str, charge: Charge, now: datetime) -> None:
        # The day is the reservation's, whatever the time is now.
        await self._runner.write(
            partial(usage.settle_usage, user_id=user_id, reservation_id=reservation_id, charge=charge),
            queue=_account(user_id),
        )

    async def usage_today(self, *, user_id: str, now: datetime) -> Charge:
        return await self._runner.read(partial(usage.usage_today, user_id=user_id, now=now))

    async def take_permit(
        self, *, user_id: str, kind: str, limit: int, window_seconds: float, now: datetime
    ) -> None:
        await self._runner.write(
            partial(
                usage.take_permit,
                user_id=user_id,
                kind=kind,
                limit=limit,
                window_seconds=window_seconds,
                now=now,
            ),
            queue=_account(user_id),
        )

    async def save_user_secret(self, *, user_id: str, name: str, value: str, now: datetime) -> None:
        await self._runner.write(
            partial(secrets.save_user_secret, user_id=user_id, name=name, value=value, now=now),
            queue=_account(user_id),
        )

    async def load_user_secret(self, *, user_id: str, name: str) -> str | None:
        return await self._runner.read(partial(secrets.load_user_secret, user_id=user_id, name=name))

    async def delete_user_secret(self, *, user_id: str, name: str) -> None:
        await self._runner.write(
            partial(secrets.delete_user_secret, user_id=user_id, name=name), queue=_account(user_id)
        )

    async def take_named_lease(self, *, name: str, holder: str, now: datetime, seconds: float) -> bool:
        return await self._runner.write(
            partial(leases.take_named_lease, name=name, holder=holder, now=now, seconds=seconds),
            queue=f"lease {name}",
        )

    async def drop_named_lease(self, *, name: str, holder: str) -> None:
        await self._runner.write(
            partial(leases.drop_named_lease, name=name, holder=holder), queue=f"lease {name}"
        )

    async def tidy(self, *, now: datetime, limit: int) -> int:
        return await tidy.tidy(self._runner, now=now, limit=limit)

    async def reseal(self, *, after: str | None, limit: int) -> Resealed:
        return await reseal.reseal(self._runner, after=after, limit=limit)


def _account(user_id: str) -> str:
    return f"account {document_id(user_id)}"
