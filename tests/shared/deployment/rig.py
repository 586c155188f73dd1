"""A session with a bot, a store that may die under its process, and a platform."""

from __future__ import annotations

from typing import Any, cast

from shared.artifact_set import set_sha256
from shared.deployment.deployer import Deployed, Deployer, Order
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.deployment_port import DeploymentStore
from shared.sessions.sql.store import SqlStore
from shared.verification.seal import RecordSeal
from tests.contracts.session_values import SetClock
from tests.servers.platform import Platform
from tests.shared.tools.session_files import SessionFiles

KEY = SessionKey(user_id="alice", session_id="s")
SEAL = RecordSeal((b"a key of this test",))
ORDER = Order(unverified=True, session=KEY, call_id="turn t c", wait_seconds=0)


class KilledError(BaseException):
    """The process is dead."""


class Dying:
    """`DeploymentStore` of a process that is killed at its n-th write, before it or right after it."""

    def __init__(self, store: SqlStore, at: int, *, after: bool) -> None:
        self._store = store
        self._left = at
        self._after = after
        self.is_dead = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(**arguments: Any) -> Any:
            if self.is_dead:
                raise KilledError
            counts = name in ("claim_deployment", "write_deployment")
            self._left -= counts
            self.is_dead = counts and self._left == 0
            if self.is_dead and not self._after:
                raise KilledError
            done = await method(**arguments)
            if self.is_dead:
                raise KilledError
            return done

        return call


class Rig:
    """A session with files, a store, a platform."""

    def __init__(self, store: SqlStore, clock: SetClock, platform: Platform) -> None:
        self.store = store
        self.clock = clock
        self.platform = platform
        self.files = SessionFiles()
        self.stirred = 0

    async def save(self, files: dict[str, bytes]) -> None:
        """Puts files into the session."""
        for name, data in files.items():
            await self.files.save(key=ArtifactKey(session=KEY, filename=name), data=data)

    async def sha256(self) -> str:
        """The hash of the session's files."""
        return set_sha256(await self.files.list(session=KEY))

    def deployer(self, store: Any = None, **changes: Any) -> Deployer:
        """A process that deploys."""
        given: dict[str, Any] = {
            "url": self.platform.url,
            "api_key": "planted-secret-platform-key",
            **changes,
        }

        def stirred() -> None:
            self.stirred += 1

        return Deployer(
            artifacts=self.files,
            store=cast(DeploymentStore, store or self.store),
            seal=SEAL,
            clock=self.clock,
            new_id=new_id,
            stored=stirred,
            **given,
        )

    async def deploy(self, order: Order = ORDER) -> Deployed:
        """What a process of its own deploys."""
        return await self.deployer().deploy(order)

    async def events(self) -> list[dict[str, Any]]:
        """The data of the events that wait."""
        return [each.event.data for each in await self.store.unpublished_events(limit=99)]
