"""The deployer of the settings, and the instances of what it deploys."""

from __future__ import annotations

from collections.abc import Callable

from shared.artifacts.port import Artifacts
from shared.clock import utc_now
from shared.deployment.deployer import Deployer
from shared.deployment.evidence import ContextEvidence
from shared.deployment.instances import Instances
from shared.ids import new_id
from shared.sessions.deployment_port import DeploymentStore
from shared.sessions.port import Store
from shared.settings import Settings
from shared.verification.seal import RecordSeal


def open_deployer(
    settings: Settings,
    *,
    artifacts: Artifacts,
    store: DeploymentStore,
    seal: RecordSeal,
    stored: Callable[[], None],
) -> Deployer:
    """Deploys to THE0_API_URL, with THE0_API_KEY for callers who show no credential of their own."""
    return Deployer(
        url=settings.the0_api_url,
        api_key=_key(settings),
        artifacts=artifacts,
        store=store,
        seal=seal,
        clock=utc_now,
        new_id=new_id,
        stored=stored,
    )


def open_instances(settings: Settings, *, artifacts: Artifacts, store: Store) -> Instances:
    """Instances at THE0_API_URL, as `open_deployer` does; what runs is told from the sessions' contexts."""
    return Instances(
        url=settings.the0_api_url,
        api_key=_key(settings),
        artifacts=artifacts,
        store=store,
        evidence=ContextEvidence(store),
        clock=utc_now,
        new_id=new_id,
    )


def _key(settings: Settings) -> str | None:
    key = settings.the0_api_key
    return key.get_secret_value() if key is not None else None
