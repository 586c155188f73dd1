"""compose.yaml as far as ours uses it: what Docker would refuse, and its services as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})")
Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


class _Part(BaseModel):
    # A key that Docker does not know is an error, as it is there.
    model_config = ConfigDict(extra="forbid")


class Health(_Part):
    """How the engine asks whether a service works."""

    test: list[str] | None = None
    interval: str | None = None
    timeout: str | None = None
    retries: int | None = None
    disable: bool = False


class Limits(_Part):
    """What a service may take."""

    cpus: str
    memory: str
    pids: int


class Resources(_Part):
    """Bounds of a service."""

    limits: Limits


class Deploy(_Part):
    """How a service is run."""

    resources: Resources


class Dependency(_Part):
    """What a service waits for."""

    condition: Condition


class Build(_Part):
    """How the image is made."""

    context: str
    args: dict[str, str]


class EnvFile(_Part):
    """A file of variables."""

    path: str
    required: bool


class Logging(_Part):
    """Where a service's output goes."""

    driver: str
    options: dict[str, str]


class Service(_Part):
    """One service. The fields are those of the Compose specification."""

    image: str
    build: Build | None = None
    command: list[str] | None = None
    entrypoint: list[str] | None = None
    user: str | None = None
    init: bool = False
    restart: Literal["no", "always", "on-failure", "unless-stopped"]
    read_only: bool = False
    cap_drop: list[str] = Field(default_factory=list)
    security_opt: list[str] = Field(default_factory=list)
    tmpfs: list[str] = Field(default_factory=list)
    shm_size: str | None = None
    env_file: list[EnvFile] = Field(default_factory=list)
    environment: dict[str, str] = Field(default_factory=dict)
    volumes: list[str] = Field(default_factory=list)
    ports: list[str] = Field(default_factory=list)
    networks: list[str] = Field(default_factory=list)
    network_mode: str | None = None
    depends_on: dict[str, Dependency] = Field(default_factory=dict)
    healthcheck: Health | None = None
    stop_grace_period: str | None = None
    logging: Logging
    deploy: Deploy


class Network(_Part):
    """A network of the host."""

    internal: bool = False


class Volume(_Part):
    """A named volume with the engine's defaults."""


class Compose(_Part):
    """The whole file, variables filled in."""

    name: str
    services: dict[str, Service]
    networks: dict[str, Network]
    volumes: dict[str, Volume]


def read_compose(path: Path, environment: Mapping[str, str] | None = None) -> Compose:
    """The file as Docker reads it, with these variables of the caller.

    Raises:
        pydantic.ValidationError: it holds what Docker does not know, or lacks what it needs.
    """
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    own = {name: value for name, value in loaded.items() if not name.startswith("x-")}
    return Compose.model_validate(_filled(own, environment or {}))


def variables(service: Service, folder: Path) -> dict[str, str]:
    """The variables that this repository gives a service: its own, and those of files that have to be there.

    Raises:
        OSError: such a file cannot be read.
    """
    found: dict[str, str] = {}
    for file in service.env_file:
        if file.required:
            lines = (folder / file.path).read_text(encoding="utf-8").splitlines()
            kept = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
            found |= {name: value for name, _, value in (line.partition("=") for line in kept)}
    return {**found, **service.environment}


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _word(found, environment), value)
    if isinstance(value, list):
        return [_filled(one, environment) for one in value]
    if isinstance(value, dict):
        return {name: _filled(one, environment) for name, one in value.items()}
    return value


def _word(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if found["name"] is None:
        return "$"
    return environment.get(found["name"]) or found["default"] or ""
