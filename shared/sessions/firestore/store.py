"""`Store` on Firestore: each method is one transaction function, run by the runner.

Writes about one session stand in its queue, those of a running turn's owner in the turn's own.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Any, Literal

from shared.artifact import Artifact
from shared.keys import ArtifactKey, SessionKey
from shared.messages import ToolResult
from shared.session import Session, Summary
from shared.sessions.deployment_port import Deployment, NewDeployment
from shared.sessions.firestore import (
    artifacts,
    dead_turns,
    deployments,
    ends,
    history,
    idempotency,
    lines,
    outbox,
    sessions,
    tool_calls,
    turns,
    writing,
)
from shared.sessions.firestore.account_store import FirestoreAccounts
from shared.sessions.firestore.erasure_store import FirestoreErasure
from shared.sessions.firestore.export_store import FirestoreExport
from shared.sessions.firestore.inbound_store import FirestoreInbound
from shared.sessions.firestore.names import document_id, session_id
from shared.sessions.firestore.retention_store import FirestoreRetention
from shared.sessions.outbox_port import OutboxLag, OutgoingEvent, StoredEvent
from shared.sessions.page import Page
from shared.sessions.tool_call_port import NewToolCall, RecordedToolCall, ToolClaim
from shared.sessions.turn_port import BegunTurn, Lease, NewTurn, TakenTurn
from shared.turn import Step, Turn

_BOTS_AT_ONCE = 8


class FirestoreStore(
    FirestoreAccounts, FirestoreRetention, FirestoreInbound, FirestoreErasure, FirestoreExport
):
    """`Store` on Firestore; the methods' contracts are the port's."""

    async def create_session(
        self, *, key: SessionKey, title: str, context: dict[str, Any], now: datetime
    ) -> Session:
        return await self._runner.write(
            partial(sessions.create_session, key=key, title=title, context=context, now=now),
            queue=session_id(key),
        )

    async def load_session(self, *, key: SessionKey) -> Session:
        return await self._runner.read(partial(sessions.load_session, key=key))

    async def list_sessions(self, *, user_id: str, limit: int, cursor: str | None) -> Page[Session]:
        return await self._runner.read(
            partial(sessions.list_sessions, user_id=user_id, limit=limit, cursor=cursor)
        )

    async def set_title(self, *, key: SessionKey, title: str, now: datetime) -> Session:
        return await self._runner.write(
            partial(sessions.set_title, key=key, title=title, now=now), queue=session_id(key)
        )

    async def patch_context(self, *, key: SessionKey, patch: dict[str, Any], now: datetime) -> Session:
        return await self._runner.write(
            partial(sessions.patch_context, key=key, patch=patch, now=now), queue=session_id(key)
        )

    async def delete_session(self, *, key: SessionKey, now: datetime) -> None:
        await self._runner.write(partial(ends.delete_session, key=key, now=now), queue=session_id(key))

    async def begin_turn(self, *, new: NewTurn) -> BegunTurn:
        return await self._runner.write(partial(turns.begin_turn, new=new), queue=session_id(new.key))

    async def claim_waiting(
        self,
        *,
        key: SessionKey,
        turn_ids: tuple[str, ...],
        now: datetime,
        lease_seconds: float,
        wait_seconds: float,
        history_messages: int,
    ) -> BegunTurn | None:
        return await self._runner.write(
            partial(
                lines.claim_waiting,
                key=key,
                turn_ids=turn_ids,
                now=now,
                lease_seconds=lease_seconds,
                wait_seconds=wait_seconds,
                history_messages=history_messages,
            ),
            queue=session_id(key),
        )

    async def take_turn(self, *, taken: TakenTurn) -> BegunTurn:
        return await self._runner.write(
            partial(turns.take_turn, taken=taken), queue=_turn(taken.user_id, taken.turn_id)
        )

    async def append_step(
        self,
        *,
        lease: Lease,
        number: int,
        step: Step,
        now: datetime,
        lease_seconds: float,
        events: tuple[OutgoingEvent, ...] = (),
        pause_until: datetime | None = None,
    ) -> None:
        await self._runner.write(
            partial(
                writing.append_step,
                lease=lease,
                number=number,
                step=step,
                now=now,
                lease_seconds=lease_seconds,
                events=events,
                pause_until=pause_until,
            ),
            queue=_turn(lease.key.user_id, lease.turn_id),
        )

    async def finish_turn(
        self,
        *,
        lease: Lease,
        number: int,
        steps: tuple[Step, ...],
        now: datetime,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> None:
        await self._runner.write(
            partial(writing.finish_turn, lease=lease, number=number, steps=steps, now=now, events=events),
            queue=session_id(lease.key),
        )

    async def renew_lease(self, *, lease: Lease, now: datetime, lease_seconds: float) -> None:
        await self._runner.write(
            partial(writing.renew_lease, lease=lease, now=now, lease_seconds=lease_seconds),
            queue=_turn(lease.key.user_id, lease.turn_id),
        )

    async def knows_key(self, *, user_id: str, idempotency_key: str, now: datetime) -> bool:
        return await self._runner.read(
            partial(idempotency.knows_key, user_id=user_id, idempotency_key=idempotency_key, now=now)
        )

    async def interrupt_dead(self, *, now: datetime, limit: int) -> int:
        return await dead_turns.interrupt_dead(self._runner, now=now, limit=limit)

    async def lost_leases(self, *, leases: tuple[Lease, ...]) -> tuple[Lease, ...]:
        return await self._runner.read(partial(writing.lost_leases, leases=leases))

    async def stop_turn(
        self,
        *,
        user_id: str,
        turn_id: str,
        status: Literal["cancelled", "interrupted"],
        now: datetime,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> Turn:
        return await self._runner.write(
            partial(ends.stop_turn, user_id=user_id, turn_id=turn_id, status=status, now=now, events=events),
            queue=_turn(user_id, turn_id),
        )

    async def save_summary(self, *, lease: Lease, summary: Summary, now: datetime) -> None:
        # Its time is of no use here: a summary is no change that a user made.
        await self._runner.write(
            partial(writing.save_summary, lease=lease, summary=summary), queue=session_id(lease.key)
        )

    async def load_turn(self, *, user_id: str, turn_id: str) -> Turn:
        return await self._runner.read(
            partial(history.load_turn, user_id=user_id, turn_id=turn_id, now=self._clock())
        )

    async def list_turns(self, *, key: SessionKey, limit: int, cursor: str | None) -> Page[Turn]:
        return await self._runner.read(
            partial(history.list_turns, key=key, limit=limit, cursor=cursor, now=self._clock())
        )

    async def add_version(
        self, *, artifact: Artifact, max_files: int, events: tuple[OutgoingEvent, ...] = ()
    ) -> bool:
        return await self._runner.write(
            partial(artifacts.add_version, artifact=artifact, max_files=max_files, events=events),
            queue=session_id(artifact.key.session),
        )

    async def newest(self, *, key: ArtifactKey) -> Artifact | None:
        return await self._runner.read(partial(artifacts.newest, key=key))

    async def load_version(self, *, key: ArtifactKey, version: int | None) -> Artifact:
        return await self._runner.read(partial(artifacts.load_version, key=key, version=version))

    async def list_artifacts(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        return await self._runner.read(partial(artifacts.list_artifacts, session=session))

    async def list_versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        return await self._runner.read(partial(artifacts.list_versions, key=key))

    async def delete_artifact(self, *, key: ArtifactKey, now: datetime) -> None:
        await self._runner.write(
            partial(artifacts.delete_artifact, key=key, now=now), queue=session_id(key.session)
        )

    async def claim_tool_call(self, *, call: NewToolCall) -> ToolClaim | RecordedToolCall:
        return await self._runner.write(
            partial(tool_calls.claim_tool_call, call=call), queue=f"calls {session_id(call.key)}"
        )

    async def load_tool_call(self, *, key: SessionKey, call_id: str) -> RecordedToolCall | None:
        return await self._runner.read(partial(tool_calls.load_tool_call, key=key, call_id=call_id))

    async def complete_tool_call(self, *, claim: ToolClaim, result: ToolResult) -> None:
        await self._runner.write(
            partial(tool_calls.complete_tool_call, claim=claim, result=result),
            queue=f"calls {session_id(claim.key)}",
        )

    async def release_tool_call(self, *, claim: ToolClaim) -> None:
        await self._runner.write(
            partial(tool_calls.release_tool_call, claim=claim), queue=f"calls {session_id(claim.key)}"
        )

    async def claim_deployment(self, *, new: NewDeployment) -> Deployment:
        return await self._runner.write(
            partial(deployments.claim_deployment, new=new), queue=f"deployments {session_id(new.key)}"
        )

    async def load_deployment(self, *, key: SessionKey, call_id: str) -> Deployment | None:
        return await self._runner.read(partial(deployments.load_deployment, key=key, call_id=call_id))

    async def write_deployment(
        self,
        *,
        deployment: Deployment,
        now: datetime,
        lease_seconds: float,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> None:
        work = partial(
            deployments.write_deployment,
            deployment=deployment,
            now=now,
            lease_seconds=lease_seconds,
            events=events,
        )
        await self._runner.write(work, queue=session_id(deployment.key))

    async def session_deployments(self, *, key: SessionKey, limit: int) -> tuple[Deployment, ...]:
        return await self._runner.read(partial(deployments.session_deployments, key=key, limit=limit))

    async def sessions_of_bot(self, *, bot_id: str) -> tuple[SessionKey, ...]:
        return await self._runner.read(partial(deployments.sessions_of_bot, bot_id=bot_id))

    async def sessions_of_bots(self, *, bot_ids: frozenset[str]) -> dict[str, tuple[SessionKey, ...]]:
        # A query finds the newest of one bot: a few run at once.
        slots = asyncio.Semaphore(_BOTS_AT_ONCE)

        async def of(bot_id: str) -> tuple[str, tuple[SessionKey, ...]]:
            async with slots:
                return bot_id, await self.sessions_of_bot(bot_id=bot_id)

        return dict(await asyncio.gather(*map(of, bot_ids)))

    async def add_events(
        self,
        *,
        key: SessionKey,
        events: tuple[OutgoingEvent, ...],
        now: datetime,
        turn_id: str | None = None,
    ) -> None:
        await self._runner.write(
            partial(outbox.add_events, key=key, events=events, now=now, turn_id=turn_id),
            queue=session_id(key),
        )

    async def unpublished_events(self, *, limit: int) -> tuple[StoredEvent, ...]:
        return await self._runner.read(partial(outbox.unpublished_events, limit=limit))

    async def mark_published(self, *, events: tuple[StoredEvent, ...], now: datetime) -> None:
        for start in range(0, len(events), outbox.MARKED_AT_ONCE):
            chosen = events[start : start + outbox.MARKED_AT_ONCE]
            await self._runner.write(
                partial(outbox.mark_published, events=chosen, now=now), queue="published"
            )

    async def outbox_lag(self) -> OutboxLag:
        return await self._runner.read(outbox.outbox_lag)


def _turn(user_id: str, turn_id: str) -> str:
    return f"turn {document_id(user_id, turn_id)}"
