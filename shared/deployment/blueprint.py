"""Which version of a bot an instance is of, and the schema of its parameters."""

from __future__ import annotations

from shared.artifact_set import set_sha256
from shared.artifacts.port import Artifacts
from shared.deployment.bot import Bot
from shared.deployment.instance_api import InstanceApi
from shared.deployment.instance_config import Blueprint, invalid
from shared.deployment.progress import Progress, made_by
from shared.deployment.session_bot import bot_of
from shared.errors import ApprovalConflictError
from shared.keys import SessionKey
from shared.sessions.deployment_port import DeploymentStore

_MOST_RECORDS = 1_000


class Blueprints:
    """The bots that sessions have deployed."""

    def __init__(self, *, artifacts: Artifacts, store: DeploymentStore) -> None:
        self._artifacts = artifacts
        self._store = store

    async def of(
        self,
        session: SessionKey,
        api: InstanceApi,
        *,
        name: str | None = None,
        version: str | None = None,
        wanted: str | None = None,
    ) -> Blueprint:
        """The version that was deployed last, of that name and number where they are given.

        Raises:
            InstanceInvalidError: the session has deployed none such, or nobody knows its schema any more.
            ApprovalConflictError: the session's files are not the `wanted` set.
            PlatformUnavailableError: the platform was to be asked and did not answer.
        """
        artifacts = await self._artifacts.list(session=session)
        now = set_sha256(artifacts)
        if wanted is not None and now != wanted:
            raise ApprovalConflictError(
                "the session's files have changed since the start was asked for: ask for it again"
            )
        deployed = await self._deployed(session, name, version)
        if deployed.artifacts_sha256 == now:
            return blueprint_of(
                await bot_of(self._artifacts, session, artifacts, name=deployed.name), deployed
            )
        config = await api.version(deployed.name, deployed.version)
        kind = config.get("type") if config else None
        schemas = config.get("schema") if config else None
        schema = schemas.get("bot") if isinstance(schemas, dict) else None
        if not isinstance(kind, str) or not isinstance(schema, dict):
            told = f"the files are no longer those of {deployed.version}, and the platform does not show it"
            raise invalid([("version", f"{told}: deploy the bot again")])
        return Blueprint(name=deployed.name, version=deployed.version, type=kind, schema=schema)

    async def of_files(self, session: SessionKey, *, name: str | None = None) -> Blueprint:
        """That of the session's files as they would be deployed; raises BotInvalidError."""
        artifacts = await self._artifacts.list(session=session)
        return blueprint_of(await bot_of(self._artifacts, session, artifacts, name=name))

    async def _deployed(self, session: SessionKey, name: str | None, version: str | None) -> Progress:
        for record in await self._store.session_deployments(key=session, limit=_MOST_RECORDS):
            made = made_by(record)
            if made is not None and name in (None, made.name) and version in (None, made.version):
                return made
        field = "version" if version is not None else "custom_bot"
        raise invalid([(field, "the session has deployed no such bot: deploy it first")])


def blueprint_of(bot: Bot, deployed: Progress | None = None) -> Blueprint:
    """The blueprint of a session's bot, as it was or will be deployed."""
    return Blueprint(
        name=deployed.name if deployed else bot.name,
        version=deployed.version if deployed else bot.version,
        type=str(bot.config["type"]),
        schema=bot.config["schema"]["bot"],
    )
