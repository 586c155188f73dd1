"""The rigs of the deployment tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.sessions.sql.store import SqlStore
from tests.contracts.session_values import SetClock
from tests.servers.platform import Platform, platform_server
from tests.shared.deployment.bots import template_bot, tiny_bot
from tests.shared.deployment.instance_rig import BOTS, InstanceRig, deployed
from tests.shared.deployment.rig import KEY, Rig


@pytest.fixture(params=["upload", "code"])
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """A platform of each form."""
    with platform_server(form=request.param) as server:
        yield server


@pytest.fixture
def uploads() -> Iterator[Platform]:
    """A platform of the upload form."""
    with platform_server() as server:
        yield server


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    """A store with the session."""
    clock = SetClock()
    async with await SqlStore.open(sqlite_url, clock=clock) as opened:
        await opened.create_session(key=KEY, title="", context={}, now=clock.now)
        yield opened


@pytest.fixture
async def rig(store: SqlStore, platform: Platform) -> Rig:
    """The tiny bot, and a platform of each form."""
    rig = Rig(store, SetClock(), platform)
    await rig.save(tiny_bot())
    return rig


@pytest.fixture
async def uploading(store: SqlStore, uploads: Platform) -> Rig:
    """The tiny bot, and a platform of the upload form."""
    rig = Rig(store, SetClock(), uploads)
    await rig.save(tiny_bot())
    return rig


@pytest.fixture
async def unmarked(store: SqlStore, uploads: Platform) -> InstanceRig:
    """A bot whose schema lets no mark through."""
    return await deployed(store, uploads, BOTS["unmarked"])


@pytest.fixture
async def scheduled(store: SqlStore, uploads: Platform) -> InstanceRig:
    """A scheduled bot with a closed schema, as our templates make it."""
    return await deployed(store, uploads, template_bot())
