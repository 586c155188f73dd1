"""The deployer of the settings."""

from __future__ import annotations

from collections.abc import Callable

from shared.artifacts.port import Artifacts
from shared.clock import utc_now
from shared.deployment.deployer import Deployer
from shared.ids import new_id
from shared.sessions.deployment_port import DeploymentStore
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
    key = settings.the0_api_key
    return Deployer(
        url=settings.the0_api_url,
        api_key=key.get_secret_value() if key is not None else None,
        artifacts=artifacts,
        store=store,
        seal=seal,
        clock=utc_now,
        new_id=new_id,
        stored=stored,
    )
