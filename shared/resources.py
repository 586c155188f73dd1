"""The composition root: settings in, open parts out, each opened once a process on first use.

A function's inner application has no lifespan under functions-framework, so nothing opens at import; and
each function opens only what it uses.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from shared.clock import utc_now
from shared.errors import AppError
from shared.ids import new_id
from shared.settings import Settings, settings
from shared.tracing.calls import traced_calls
from shared.tracing.context import outside
from shared.tracing.names import database_of, objects_of
from shared.tracing.spans import flush
from shared.version import VERSION
from shared.web.auth import Authenticator
from shared.web.health import Health
from shared.web.labels import models_of
from shared.web.telemetry import Telemetry

if TYPE_CHECKING:
    from shared.agent.engine import TurnEngine
    from shared.approvals import ApprovalSigner
    from shared.artifacts.library import ArtifactLibrary
    from shared.artifacts.port import ObjectStore
    from shared.deployment.deployer import Deployer
    from shared.deployment.instances import Instances
    from shared.events.bridge.bridge import Bridge
    from shared.events.nats import NatsPublisher
    from shared.events.relay import EventRelay
    from shared.limits.keys import UserKeys
    from shared.limits.source import UserModels
    from shared.limits.streams import OpenStreams
    from shared.limits.turns import TurnLimits
    from shared.model.port import ChatModel
    from shared.redis.client import RedisClient
    from shared.sandbox.select import ChosenSandbox
    from shared.sessions.port import Store
    from shared.tools.port import ToolRunner
    from shared.verification.seal import RecordSeal
    from shared.verification.session import SessionVerifier

PUBLISH_SECONDS = 5.0
FLUSH_SECONDS = 2.0

P = TypeVar("P")

_log = logging.getLogger(__name__)


class Resources:
    """The open parts of this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = utc_now
        self.telemetry = Telemetry(models=models_of(settings), folder=settings.prometheus_multiproc_dir)
        self.authenticator = Authenticator(settings)
        self.health = Health(
            checks={
                "gemini": self._check_model,
                "database": self._check_database,
                "minio": self._check_objects,
                "redis": self._check_redis,
                "nats": self._check_nats,
            },
            version=VERSION,
            clock=utc_now,
            active_sessions=self.active_sessions,
        )
        self.telemetry.watch_sessions(self.active_sessions)
        self.telemetry.watch_outbox(self._outbox_lag)
        self._open: dict[str, Any] = {}
        self._lock = asyncio.Lock()

    def ask_sandbox(self) -> None:
        """Health tells of the sandbox too: asking starts a process, so that only who runs code asks."""
        self.health.checks["sandbox"] = self._check_sandbox

    async def store(self) -> Store:
        """The session store."""
        found: Store | None = self._open.get("store")
        if found is not None:
            return found
        from shared.redis.select import store_over
        from shared.sessions.select import open_store

        redis = await self.redis()

        async def opened() -> Store:
            store = traced_calls(await open_store(self.settings), "sessions", database_of(self.settings))
            return store_over(redis, store)

        return await self._once("store", opened)

    async def redis(self) -> RedisClient | None:
        """The Redis client; None without REDIS_URL."""
        if self.settings.redis_url is None:
            return None
        from shared.redis.select import open_redis
        from shared.sealing import Keyring

        keys = self.settings.encryption_keys
        keyring = Keyring.of(keys.get_secret_value() if keys else None)
        return await self._once("redis", lambda: open_redis(self.settings, keyring))

    async def objects(self) -> ObjectStore:
        """The object store."""
        from shared.artifacts.select import open_objects

        return await self._once(
            "objects",
            lambda: _ready(traced_calls(open_objects(self.settings), "objects", objects_of(self.settings))),
        )

    async def artifacts(self) -> ArtifactLibrary:
        """The artifact library."""
        from shared.artifacts.library import ArtifactLibrary

        objects, store = await self.objects(), await self.store()
        return await self._once(
            "artifacts",
            lambda: _ready(
                ArtifactLibrary(
                    objects=objects,
                    index=store,
                    clock=utc_now,
                    new_id=new_id,
                    max_file_bytes=self.settings.max_artifact_bytes,
                    max_files=self.settings.max_session_files,
                    observe=self._artifact_saved,
                )
            ),
        )

    async def tools(self) -> ToolRunner:
        """The tools of this process."""
        from shared.events.stirring import StirringOutbox
        from shared.redis.select import response_cache
        from shared.tools.select import open_tools

        artifacts, store = await self.artifacts(), await self.store()
        approvals, cache = await self.approvals(), response_cache(await self.redis())
        outbox, deployer = StirringOutbox(store, self.publish_soon), await self.deployer()
        instances = await self.instances()
        verifier, sandbox = await self.verifier(), await self.sandbox()
        return await self._once(
            "tools",
            lambda: _ready(
                open_tools(
                    self.settings,
                    artifacts,
                    outbox,
                    approvals,
                    cache,
                    deployer=deployer,
                    instances=instances,
                    sandbox=sandbox,
                    verifier=verifier,
                    history=store,
                )
            ),
        )

    async def verifier(self) -> SessionVerifier:
        """Verifies the bots of sessions."""
        from shared.verification.select import open_session_verifier

        artifacts, store = await self.artifacts(), await self.store()
        sandbox, seal = await self.sandbox(), await self.record_seal()
        return await self._once(
            "verifier",
            lambda: _ready(
                open_session_verifier(
                    sandbox, artifacts=artifacts, sessions=store, seal=seal, clock=self.clock
                )
            ),
        )

    async def record_seal(self) -> RecordSeal:
        """Signs the records of verifications and reads them."""
        from shared.verification.seal import RecordSeal

        return await self._once(
            "record_seal",
            lambda: asyncio.to_thread(lambda: RecordSeal(_signing_keys(self.settings, "verification"))),
        )

    async def deployer(self) -> Deployer:
        """Deploys bots to the platform."""
        from shared.deployment.select import open_deployer

        artifacts, store, seal = await self.artifacts(), await self.store(), await self.record_seal()
        return await self._once(
            "deployer",
            lambda: _ready(
                open_deployer(
                    self.settings, artifacts=artifacts, store=store, seal=seal, stored=self.publish_soon
                )
            ),
        )

    async def instances(self) -> Instances:
        """Starts, changes and stops instances of bots on the platform."""
        from shared.deployment.select import open_instances

        artifacts, store = await self.artifacts(), await self.store()
        return await self._once(
            "instances", lambda: _ready(open_instances(self.settings, artifacts=artifacts, store=store))
        )

    async def sandbox(self) -> ChosenSandbox:
        """Runs code of bots."""
        from shared.sandbox.select import open_sandbox

        return await self._once("sandbox", lambda: _ready(open_sandbox()))

    async def tools_once(self) -> ToolRunner:
        """The tools of this process for callers who name their calls: an id of a session runs once."""
        from shared.tools.select import open_once

        tools, store = await self.tools(), await self.store()
        return await self._once("tools_once", lambda: _ready(open_once(tools, store)))

    async def turn_tools(self) -> ToolRunner:
        """The tools of turns: those of the service at TOOLS_URL, or of this process."""
        from shared.tools.select import open_remote

        if self.settings.tools_url is None:
            return await self.tools()
        return await self._once("turn_tools", lambda: _ready(open_remote(self.settings)))

    async def approvals(self) -> ApprovalSigner:
        """Signs what users are asked and what they granted."""
        from shared.approvals import ApprovalSigner

        return await self._once(
            "approvals",
            lambda: asyncio.to_thread(lambda: ApprovalSigner(_signing_keys(self.settings, "approval"))),
        )

    async def model(self) -> ChatModel:
        """The chat model."""
        from shared.model.select import open_model
        from shared.model.watched import WatchedModel

        return await self._once("model", lambda: _ready(WatchedModel(open_model(self.settings))))

    async def user_keys(self) -> UserKeys:
        """The users' own model keys."""
        from shared.limits.select import open_user_keys

        store = await self.store()
        return await self._once("user_keys", lambda: _ready(open_user_keys(self.settings, store, self.clock)))

    async def user_models(self) -> UserModels:
        """The models of users' turns: the deployment's, metered, or one on the user's own key."""
        from shared.limits.select import open_user_models

        deployment, keys, store = await self.model(), await self.user_keys(), await self.store()
        return await self._once(
            "user_models",
            lambda: _ready(
                open_user_models(
                    self.settings,
                    deployment=deployment,
                    keys=keys,
                    ledger=store,
                    clock=self.clock,
                    new_id=new_id,
                )
            ),
        )

    async def turn_limits(self) -> TurnLimits:
        """What is asked before a turn begins."""
        from shared.limits.select import open_turn_limits

        store, models = await self.store(), await self.user_models()
        return await self._once(
            "turn_limits",
            lambda: _ready(
                open_turn_limits(self.settings, permits=store, ledger=store, models=models, clock=self.clock)
            ),
        )

    async def open_streams(self) -> OpenStreams:
        """The count of users' open streams."""
        from shared.limits.select import open_streams

        store = await self.store()
        return await self._once(
            "open_streams",
            lambda: _ready(open_streams(self.settings, leases=store, clock=self.clock, new_id=new_id)),
        )

    async def engine(self) -> TurnEngine:
        """The turn engine."""
        from shared.agent.engine import TurnEngine
        from shared.agent.parts import TurnParts
        from shared.agent.window import ContextWindow
        from shared.model.select import traced_models
        from shared.redis.select import open_bus
        from shared.tools.documentation.review import CitationReview
        from shared.upkeep import Upkeep

        found: TurnEngine | None = self._open.get("engine")
        if found is not None:
            return found
        store = await self.store()
        redis = await self.redis()
        bus = await self._once("bus", lambda: _ready(open_bus(redis)))
        upkeep = await self._once(
            "upkeep",
            lambda: _ready(Upkeep(store=store, clock=utc_now, holder=new_id(), let_go=self.publish_soon)),
        )
        upkeep.begin()
        window = ContextWindow(
            store=store,
            max_messages=self.settings.max_conversation_length,
            max_tokens=self.settings.model_context_tokens,
        )
        parts = TurnParts(
            models=traced_models(self.settings, await self.user_models()),
            window=window,
            tools=await self.turn_tools(),
            artifacts=await self.artifacts(),
            approvals=await self.approvals(),
            review=CitationReview(self.settings),
            approval_time=timedelta(hours=self.settings.approval_hours),
            clock=utc_now,
            new_id=new_id,
            max_tool_calls=self.settings.max_tools_per_request,
            turn_timeout=self.settings.turn_timeout,
            model_timeout=self.settings.model_timeout,
            lease_seconds=self.settings.turn_lease_seconds,
        )
        return await self._once(
            "engine",
            lambda: _ready(
                TurnEngine(
                    store=store,
                    parts=parts,
                    clock=utc_now,
                    history_messages=window.history_messages,
                    bus=bus,
                    observers=(self.telemetry.turn, lambda _: self.publish_soon()),
                    changed=self.telemetry.changed,
                )
            ),
        )

    def relay(self) -> EventRelay:
        """What takes stored events to where they go; it looks for them from the first use on."""
        from shared.events.relay import EventRelay
        from shared.events.select import open_publishers, waits_for_nobody

        if "relay" not in self._open:
            self._open["relay"] = EventRelay(
                open_store=self.store,
                publishers=open_publishers(self.settings, self.clock),
                clock=self.clock,
                holder=new_id(),
                debounce_seconds=1.0 if waits_for_nobody(self.settings) else 0.02,
            )
        relay: EventRelay = self._open["relay"]
        relay.begin()
        return relay

    def bridge(self) -> Bridge:
        """What brings the platform's events from NATS; raises BrokerUnavailableError without NATS_URL."""
        from shared.events.bridge.select import open_bridge

        if "bridge" not in self._open:
            self._open["bridge"] = open_bridge(self.settings, self.clock)
            self.telemetry.watch_bridge(self._open["bridge"].figures)
        bridge: Bridge = self._open["bridge"]
        return bridge

    def nats_publisher(self) -> NatsPublisher:
        """Publishes the agent's events that another process has stored; the relay has its own."""
        from shared.events.nats import NatsPublisher
        from shared.events.select import nats_access

        if "nats_publisher" not in self._open:
            self._open["nats_publisher"] = NatsPublisher(nats_access(self.settings))
        publisher: NatsPublisher = self._open["nats_publisher"]
        return publisher

    def publish_soon(self) -> None:
        """An event was stored in this process: it goes out in a moment."""
        self.relay().soon()

    async def publish_now(self) -> None:
        """Publishes what waits, for at most PUBLISH_SECONDS: the process may be throttled after this."""
        try:
            await self.relay().drain(seconds=PUBLISH_SECONDS)
        except AppError as error:
            # The next process that looks publishes it.
            _log.warning("events not published", extra={"code": error.code})
        await flush(seconds=FLUSH_SECONDS)

    def warm_soon(self) -> None:
        """Begins what a first turn would wait for, in the background, once: the model client's import.

        Also begins to look for events that an earlier process has left.
        Called when the function is ready, not before: importing google.genai takes over a second.
        """
        self.relay()
        if "warming" not in self._open:
            self._open["warming"] = asyncio.create_task(self._warm(), context=outside())

    def active_sessions(self) -> int:
        """How many sessions have a turn running in this process."""
        engine = self._open.get("engine")
        return engine.active_sessions if engine is not None else 0

    def forget_user(self, user_id: str) -> None:
        """Lets go of what this process remembers of a user who was erased."""
        for name in ("user_keys", "user_models"):
            if name in self._open:
                self._open[name].forget(user_id)

    async def interrupt_turns(self) -> None:
        """Ends the turns that run here, recorded as interrupted; their streams end with them."""
        engine = self._open.get("engine")
        if engine is not None:
            await engine.close(hand_over=self.settings.hands_turns_over)

    async def close(self) -> None:
        """Closes what was opened, the last first."""
        warming = self._open.pop("warming", None)
        if warming is not None:
            warming.cancel()
            await asyncio.wait({warming})
        relay = self._open.pop("relay", None)
        if relay is not None:
            # Before the store that it looks into.
            await relay.close()
        while self._open:
            _, part = self._open.popitem()
            close = getattr(part, "close", None)
            if close is not None:
                await close()

    async def _once(self, name: str, opening: Callable[[], Awaitable[P]]) -> P:
        if name not in self._open:
            async with self._lock:
                if name not in self._open:
                    self._open[name] = await opening()
        part: P = self._open[name]
        return part

    async def _warm(self) -> None:
        model = await self.model()
        warm = getattr(model, "warm", None)
        if warm is not None:
            try:
                await warm()
            except AppError as error:
                # The first turn meets the same error and tells its user.
                _log.warning("the model is not ready", extra={"code": error.code})

    async def _check_model(self) -> str:
        # No call: a paid endpoint is never asked. What turns have heard of it lately is known.
        if self.settings.provider != "gemini":
            return "offline"
        watched = self._open.get("model")
        return "healthy" if watched is None or watched.trouble is None else str(watched.trouble)

    async def _check_database(self) -> str:
        await (await self.store()).check()
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

    def _outbox_lag(self) -> tuple[float, float] | None:
        relay = self._open.get("relay")
        lag = relay.lag if relay is not None else None
        if lag is None:
            return None
        if lag.oldest is None:
            return 0.0, 0.0
        return float(lag.waiting), max(0.0, (self.clock() - lag.oldest).total_seconds())

    def _artifact_saved(self, kind: str) -> None:
        self.telemetry.artifact(kind)
        self.publish_soon()

    async def _check_objects(self) -> str:
        await (await self.objects()).check()
        return "healthy"


def _signing_keys(settings: Settings, purpose: str) -> tuple[bytes, ...]:
    """Keys of one purpose that all services share: encryption keys, else the token secret, else a file."""
    from shared.sealing import Keyring

    if settings.encryption_keys is not None:
        return Keyring.of(settings.encryption_keys.get_secret_value()).signing_keys(purpose)
    if settings.jwt_secret is not None:
        secret = settings.jwt_secret.get_secret_value().encode()
        return (hmac.digest(secret, purpose.encode(), "sha256"),)
    from shared.limits.key_file import file_keyring

    return file_keyring(settings.data_dir).signing_keys(purpose)


async def _ready(part: P) -> P:
    return part


async def _not_configured() -> str:
    return "not_configured"


@cache
def _resources_of(thread: int) -> Resources:
    return Resources(settings())


def resources() -> Resources:
    """The resources of this process; one event loop a thread, one set a loop."""
    return _resources_of(threading.get_ident())
