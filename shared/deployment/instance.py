"""An instance of a bot: what is asked for, what the record of one step says, what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from shared.deployment.evidence import ACCEPTED, Known, Status
from shared.keys import SessionKey
from shared.sessions.deployment_port import Deployment

Act = Literal["start", "change", "stop"]

_KIND = "instance"
# Of a call id: an Idempotency-Key may name a deployment and a step of an instance.
PREFIX = "instance "


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceOrder:
    """What a caller asks for: `call_id` names it in the session for good.

    `bot_id` is the instance to change or to stop. What is None is the newest bot that the session deployed
    and its version, the bot's name and the schema's defaults; of an instance that is changed it stays as it
    is. `artifacts_sha256` is the set of files that the user said yes to. `authorization` is the header by
    which the platform knows the user, None leaves it to the agent's own key. `takes_secrets` False refuses
    a configuration that holds a credential: what a chat says is kept.
    """

    session: SessionKey
    call_id: str
    act: Act
    bot_id: str | None = None
    name: str | None = None
    custom_bot: str | None = None
    version: str | None = None
    schedule: str | None = None
    config: dict[str, Any] | None = field(default=None, repr=False, hash=False)
    artifacts_sha256: str | None = None
    authorization: str | None = field(default=None, repr=False)
    takes_secrets: bool = True
    wait_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The part of a record that is the instances' own: it holds nothing of a configuration.

    `sent` says that a request which makes or changes something has left or is about to, and no answer is
    recorded. `marked` says that the configuration carries the mark; where it cannot, `before` are the ids
    that the platform had of that name. `own` says that the caller's own credential was used.
    """

    act: Act
    at: str
    name: str
    custom_bot: str
    version: str
    type: str
    schedule: str | None = None
    own: bool = False
    sent: bool = False
    marked: bool = True
    before: tuple[str, ...] | None = None
    refused: str = ""
    refused_status: int = 0

    def stored(self) -> dict[str, Any]:
        """The step as JSON."""
        before = None if self.before is None else list(self.before)
        return {"kind": _KIND, **asdict(self), "before": before}


def step_of(stored: Mapping[str, Any]) -> Step | None:
    """The step that `stored` gave, None for the record of a deployment; newer fields are left out."""
    if stored.get("kind") != _KIND:
        return None
    known = {each.name for each in fields(Step)}
    values = {name: value for name, value in stored.items() if name in known}
    before = values.get("before")
    return Step(**{**values, "before": None if before is None else tuple(before)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An instance as its session knows it; `bot_id` is None where the platform named none.

    `place` is its place in the session's list. `status` and what follows is `evidence.py`'s.
    """

    place: str
    bot_id: str | None
    name: str
    custom_bot: str
    version: str
    type: str
    schedule: str | None
    created_at: str
    own: bool
    status: Status = ACCEPTED
    since: str | None = None
    evidence: str | None = None
    cause: str | None = None

    def wire(self) -> dict[str, Any]:
        """The instance as JSON, without what is not known."""
        told = {
            "bot_id": self.bot_id,
            "name": self.name,
            "type": f"{self.type}/{self.custom_bot}",
            "version": self.version,
            "schedule": self.schedule,
            "created_at": self.created_at,
            "status": self.status,
            "status_since": self.since,
            "evidence": self.evidence,
            "cause": self.cause,
        }
        return {name: value for name, value in told.items() if value is not None}


def instances_of(records: tuple[Deployment, ...], heard: Mapping[str, Known]) -> tuple[Instance, ...]:
    """The instances that these records tell of, the newest first; the records are the last written first."""
    found: dict[str, Instance] = {}
    for record in reversed(records):
        step = step_of(record.progress)
        if step is None:
            continue
        if step.act == "start":
            instance = _started(record, step)
            found[record.bot_id or record.deployment_id] = instance
        elif record.state == "created" and record.bot_id in found:
            found[record.bot_id] = _after(found[record.bot_id], step)
    told = [_with(instance, heard.get(instance.bot_id or "")) for instance in found.values()]
    return tuple(sorted(told, key=lambda instance: instance.place, reverse=True))


def _started(record: Deployment, step: Step) -> Instance:
    instance = Instance(
        place=record.deployment_id,
        bot_id=record.bot_id,
        name=step.name,
        custom_bot=step.custom_bot,
        version=step.version,
        type=step.type,
        schedule=step.schedule,
        created_at=step.at,
        own=step.own,
    )
    if record.state == "failed":
        return replace(instance, status="failed", since=step.at, cause=step.refused)
    if record.bot_id is None:
        cause = "the platform may have made it and has not said so" if step.sent else "it is being made"
        return replace(instance, status="unknown", cause=cause)
    return instance


def _after(instance: Instance, step: Step) -> Instance:
    """The instance after a step that the platform took."""
    if step.act == "stop":
        return replace(instance, status="deleted", since=step.at, evidence="the platform took its deletion")
    return replace(instance, name=step.name, version=step.version, schedule=step.schedule)


def _with(instance: Instance, known: Known | None) -> Instance:
    """The instance as the platform's events tell it; a deletion is not undone by an event that came late."""
    if known is None or instance.status != ACCEPTED:
        return instance
    return replace(
        instance, status=known.status, since=known.since, evidence=known.evidence, cause=known.cause
    )
