"""`Store` on a SQL database: each method is one transaction function, run by the database's runner."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Literal

from shared.artifact import Artifact
from shared.keys import ArtifactKey, SessionKey
from shared.messages import ToolResult
from shared.session import Session, Summary
from shared.sessions.deployment_port import Deployment, NewDeployment
from shared.sessions.outbox_port import OutboxLag, OutgoingEvent, StoredEvent
from shared.sessions.page import Page
from shared.sessions.sql import (
    artifacts,
    dead_turns,
    deployments,
    endings,
    idempotency,
    outbox,
    sessions,
    taking,
    tool_calls,
    turn_rows,
    turns,
    waiting,
)
from shared.sessions.sql.account_store import SqlAccounts
from shared.sessions.sql.erasure_store import SqlErasure
from shared.sessions.sql.export_store import SqlExport
from shared.sessions.sql.inbound_store import SqlInbound
from shared.sessions.sql.retention_store import SqlRetention
from shared.sessions.tool_call_port import NewToolCall, RecordedToolCall, ToolClaim
from shared.sessions.turn_port import BegunTurn, Lease, NewTurn, TakenTurn
from shared.turn import Step, Turn


class SqlStore(SqlAccounts, SqlRetention, SqlInbound, SqlErasure, SqlExport):
    """`Store` on SQLite or Postgres; the methods' contracts are the port's."""

    async def create_session(
        self, *, key: SessionKey, title: str, context: dict[str, Any], now: datetime
    ) -> Session:
        return await self._write(
            partial(sessions.create_session, key=key, title=title, context=context, now=now)
        )

    async def load_session(self, *, key: SessionKey) -> Session:
        return await self._read(partial(sessions.load_session, key=key))

    async def list_sessions(self, *, user_id: str, limit: int, cursor: str | None) -> Page[Session]:
        return await self._read(partial(sessions.list_sessions, user_id=user_id, limit=limit, cursor=cursor))

    async def set_title(self, *, key: SessionKey, title: str, now: datetime) -> Session:
        return await self._write(partial(sessions.set_title, key=key, title=title, now=now))

    async def patch_context(self, *, key: SessionKey, patch: dict[str, Any], now: datetime) -> Session:
        return await self._write(partial(sessions.patch_context, key=key, patch=patch, now=now))

    async def delete_session(self, *, key: SessionKey, now: datetime) -> None:
        await self._write(partial(endings.delete_session, key=key, now=now))

    async def begin_turn(self, *, new: NewTurn) -> BegunTurn:
        return await self._write(partial(turns.begin_turn, new=new))

    async def knows_key(self, *, user_id: str, idempotency_key: str, now: datetime) -> bool:
        return await self._read(
            partial(idempotency.knows_key, user_id=user_id, idempotency_key=idempotency_key, now=now)
        )

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
        return await self._write(
            partial(
                waiting.claim_waiting,
                key=key,
                turn_ids=turn_ids,
                now=now,
                lease_seconds=lease_seconds,
                wait_seconds=wait_seconds,
                history_messages=history_messages,
            )
        )

    async def take_turn(self, *, taken: TakenTurn) -> BegunTurn:
        return await self._write(partial(taking.take_turn, taken=taken))

    async def stop_turn(
        self,
        *,
        user_id: str,
        turn_id: str,
        status: Literal["cancelled", "interrupted"],
        now: datetime,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> Turn:
        return await self._write(
            partial(
                endings.stop_turn, user_id=user_id, turn_id=turn_id, status=status, now=now, events=events
            )
        )

    async def interrupt_dead(self, *, now: datetime, limit: int) -> int:
        dead = await self._read(partial(dead_turns.sessions_of_dead_turns, now=now, limit=limit))
        # A transaction each: none waits for a lock while it holds another.
        return sum(
            [await self._write(partial(dead_turns.interrupt_dead_turn, key=key, now=now)) for key in dead]
        )

    async def lost_leases(self, *, leases: tuple[Lease, ...]) -> tuple[Lease, ...]:
        return await self._read(partial(turns.lost_leases, leases=leases))

    async def save_summary(self, *, lease: Lease, summary: Summary, now: datetime) -> None:
        await self._write(partial(turns.save_summary, lease=lease, summary=summary))

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
        await self._write(
            partial(
                turns.append_step,
                lease=lease,
                number=number,
                step=step,
                now=now,
                lease_seconds=lease_seconds,
                events=events,
                pause_until=pause_until,
            )
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
        await self._write(
            partial(turns.finish_turn, lease=lease, number=number, last=steps, now=now, events=events)
        )

    async def renew_lease(self, *, lease: Lease, now: datetime, lease_seconds: float) -> None:
        await self._write(partial(turns.renew_lease, lease=lease, now=now, lease_seconds=lease_seconds))

    async def load_turn(self, *, user_id: str, turn_id: str) -> Turn:
        return await self._read(
            partial(turn_rows.load_turn, user_id=user_id, turn_id=turn_id, now=self._clock())
        )

    async def list_turns(self, *, key: SessionKey, limit: int, cursor: str | None) -> Page[Turn]:
        return await self._read(
            partial(turn_rows.list_turns, key=key, limit=limit, cursor=cursor, now=self._clock())
        )

    async def add_version(
        self, *, artifact: Artifact, max_files: int, events: tuple[OutgoingEvent, ...] = ()
    ) -> bool:
        return await self._write(
            partial(artifacts.add_version, artifact=artifact, max_files=max_files, events=events)
        )

    async def newest(self, *, key: ArtifactKey) -> Artifact | None:
        return await self._read(partial(artifacts.newest, key=key))

    async def load_version(self, *, key: ArtifactKey, version: int | None) -> Artifact:
        return await self._read(partial(artifacts.load_version, key=key, version=version))

    async def list_artifacts(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        return await self._read(partial(artifacts.list_artifacts, session=session))

    async def list_versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        return await self._read(partial(artifacts.list_versions, key=key))

    async def delete_artifact(self, *, key: ArtifactKey, now: datetime) -> None:
        await self._write(partial(artifacts.delete_artifact, key=key, now=now))

    async def claim_tool_call(self, *, call: NewToolCall) -> ToolClaim | RecordedToolCall:
        return await self._write(partial(tool_calls.claim_tool_call, call=call))

    async def load_tool_call(self, *, key: SessionKey, call_id: str) -> RecordedToolCall | None:
        return await self._read(partial(tool_calls.load_tool_call, key=key, call_id=call_id))

    async def complete_tool_call(self, *, claim: ToolClaim, result: ToolResult) -> None:
        await self._write(partial(tool_calls.complete_tool_call, claim=claim, result=result))

    async def release_tool_call(self, *, claim: ToolClaim) -> None:
        await self._write(partial(tool_calls.release_tool_call, claim=claim))

    async def claim_deployment(self, *, new: NewDeployment) -> Deployment:
        return await self._write(partial(deployments.claim_deployment, new=new))

    async def load_deployment(self, *, key: SessionKey, call_id: str) -> Deployment | None:
        return await self._read(partial(deployments.load_deployment, key=key, call_id=call_id))

    async def write_deployment(
        self,
        *,
        deployment: Deployment,
        now: datetime,
        lease_seconds: float,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> None:
        await self._write(
            partial(
                deployments.write_deployment,
                deployment=deployment,
                now=now,
                lease_seconds=lease_seconds,
                events=events,
            )
        )

    async def session_deployments(self, *, key: SessionKey, limit: int) -> tuple[Deployment, ...]:
        return await self._read(partial(deployments.session_deployments, key=key, limit=limit))

    async def sessions_of_bot(self, *, bot_id: str) -> tuple[SessionKey, ...]:
        return await self._read(partial(deployments.sessions_of_bot, bot_id=bot_id))

    async def sessions_of_bots(self, *, bot_ids: frozenset[str]) -> dict[str, tuple[SessionKey, ...]]:
        return await self._read(partial(deployments.sessions_of_bots, bot_ids=bot_ids))

    async def add_events(
        self,
        *,
        key: SessionKey,
        events: tuple[OutgoingEvent, ...],
        now: datetime,
        turn_id: str | None = None,
    ) -> None:
        await self._write(
            partial(outbox.add_session_events, key=key, events=events, now=now, turn_id=turn_id)
        )

    async def unpublished_events(self, *, limit: int) -> tuple[StoredEvent, ...]:
        return await self._read(partial(outbox.unpublished_events, limit=limit))

    async def mark_published(self, *, events: tuple[StoredEvent, ...], now: datetime) -> None:
        await self._write(partial(outbox.mark_published, events=events, now=now))

    async def outbox_lag(self) -> OutboxLag:
        return await self._read(outbox.outbox_lag)
