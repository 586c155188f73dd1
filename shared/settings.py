"""Settings: alone reads the environment; environment variables over CONFIG_FILE (YAML) over defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from shared.errors import ConfigurationError
from shared.setting_types import (
    CollectorUrl,
    EncryptionKeys,
    EventsUrl,
    InCapitals,
    NatsUrls,
    PlatformUrl,
    PriceList,
    ReadableFile,
    RedisUrl,
    ToolsUrl,
    Topic,
    Words,
    WritableFolder,
)

DEFAULT_ALLOWED_HOSTS = (
    "github.com",
    "docs.the0.dev",
    "the0.dev",
    "stackoverflow.com",
    "docs.python.org",
    "docs.ccxt.com",
    "pandas.pydata.org",
    "numpy.org",
    "ta-lib.org",
    "nodejs.org",
    "developer.mozilla.org",
    "developers.binance.com",
    "docs.kraken.com",
    "docs.cdp.coinbase.com",
    "docs.alpaca.markets",
    "bybit-exchange.github.io",
    "www.okx.com",
)


class Settings(BaseModel):
    """All that can be configured; field names are the variables of contract section 7 in lower case."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    gemini_api_key: SecretStr | None = None
    gemini_model: str = "gemini-2.5-flash"
    gemini_base_url: str | None = None
    google_genai_use_vertexai: bool = False
    google_cloud_project: str | None = None
    google_cloud_location: str = "us-central1"
    model_provider: Literal["gemini", "offline", ""] = ""

    data_dir: Path = Path(".local")
    database_url: str = ""
    minio_endpoint: str | None = None
    minio_access_key: SecretStr | None = None
    minio_secret_key: SecretStr | None = None
    artifact_bucket: str = "ai-artifacts"
    artifact_store: Literal["local", "s3", "gcs"] = "local"
    encryption_keys: EncryptionKeys | None = None

    the0_api_url: PlatformUrl | None = None
    the0_api_key: SecretStr | None = None
    docs_api_url: str | None = None
    docs_dir: Path | None = None
    tools_url: ToolsUrl | None = None
    nats_url: NatsUrls | None = None
    nats_ca_file: ReadableFile | None = None
    nats_credentials_file: ReadableFile | None = None
    nats_max_deliveries: int = Field(
        default=10, ge=2, le=1000, description="of a message that fails alone, before it is a dead letter"
    )
    redis_url: RedisUrl | None = None
    pubsub_project: str | None = None
    pubsub_emulator_host: str | None = None
    pubsub_events_topic: Topic = "agent-events"
    pubsub_resume_topic: Topic = "turn-resume"
    pubsub_platform_topic: Topic = "platform-events"
    events_url: EventsUrl | None = None
    tavily_api_key: SecretStr | None = None

    auth_mode: Literal["none", "jwt"] = "none"
    allow_unauthenticated: bool = False
    jwt_secret: SecretStr | None = None
    jwt_second_secret: SecretStr | None = Field(
        default=None, description="believed too and signs nothing: for the time of a change"
    )
    jwt_jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    service_auth: Literal["oidc", "secret", ""] = ""
    service_audience: Words = ()
    service_accounts: Words = ()
    google_certs_url: str = "https://www.googleapis.com/oauth2/v3/certs"
    gce_metadata_host: str = "metadata.google.internal"
    websocket_idle_seconds: float = Field(default=300, gt=0)
    websocket_origins: Words = ()

    max_conversation_length: int = Field(default=100, ge=2, le=10_000)
    model_context_tokens: int = Field(
        default=64_000, ge=16_000, le=1_000_000, description="estimated tokens one model call may send"
    )
    session_timeout_minutes: int = Field(default=120, ge=1)
    max_tools_per_request: int = Field(default=10, ge=0, le=100)
    artifact_retention_days: int = Field(default=30, ge=1)
    max_artifact_bytes: int = Field(default=25 * 1024 * 1024, ge=1, le=100 * 1024 * 1024)
    max_session_files: int = Field(default=200, ge=1, le=10_000)
    approval_hours: float = Field(default=24, gt=0, le=720, description="a question to the user is open for")
    turn_timeout: float = Field(default=600, gt=0, description="seconds a turn may take in all")
    model_timeout: float = Field(default=120, gt=0, description="seconds one model call may take")
    turn_lease_seconds: float = Field(
        default=30, ge=2, le=300, description="how long a dead process's turn keeps its session taken"
    )
    turns_per_minute: int | None = Field(default=None, ge=1, le=10_000, description="of one user")
    max_open_streams: int | None = Field(default=None, ge=1, le=1_000, description="of one user")
    daily_token_limit: int | None = Field(default=None, ge=0, description="of one user, a day of UTC")
    daily_cost_limit: Decimal | None = Field(
        default=None, ge=0, le=10**9, description="of one user, a day of UTC, in the prices' currency"
    )
    model_prices: PriceList = Field(default_factory=dict, validate_default=True)
    max_output_tokens: int = Field(
        default=32_768, ge=256, le=65_536, description="of one reply, with thoughts"
    )
    web_browse_timeout: float = Field(default=30, gt=0, le=300)
    web_browse_domains_allowlist: Words = DEFAULT_ALLOWED_HOSTS

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], InCapitals] = "INFO"
    log_format: Literal["json", "text", ""] = ""
    prometheus_multiproc_dir: WritableFolder | None = None
    # OpenTelemetry's own variables; what else it has, its SDK reads by itself.
    otel_sdk_disabled: bool = False
    otel_service_name: str | None = None
    otel_traces_exporter: Literal["otlp", "console", "none", ""] = ""
    otel_exporter_otlp_endpoint: CollectorUrl | None = None
    otel_exporter_otlp_traces_endpoint: CollectorUrl | None = None
    otel_exporter_otlp_protocol: Literal["http/protobuf", "grpc"] = "http/protobuf"
    otel_exporter_otlp_traces_protocol: Literal["http/protobuf", "grpc", ""] = ""
    otel_exporter_otlp_headers: SecretStr | None = None
    otel_exporter_otlp_traces_headers: SecretStr | None = None
    otel_traces_sampler: Literal[
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ] = "parentbased_always_on"
    otel_traces_sampler_arg: float = Field(default=1, ge=0, le=1)
    otel_bsp_schedule_delay: int | None = Field(default=None, ge=1, description="milliseconds")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    # Cloud Run sets K_SERVICE; BUILD_* are written by the image build.
    k_service: str | None = None
    commit_hash: str = "unknown"
    build_date: str = "unknown"

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        problems = tuple(_inconsistencies(self))
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def jwt_secrets(self) -> tuple[str, ...]:
        """The secrets whose tokens and signatures are believed, the one that signs first; none without it."""
        if self.jwt_secret is None:
            return ()
        both = (self.jwt_secret, self.jwt_second_secret)
        return tuple(secret.get_secret_value() for secret in both if secret is not None)

    @property
    def hands_turns_over(self) -> bool:
        """Whether a turn is left to another instance when its client goes away.

        In the cloud this one may be throttled once its response ended. Without a way there (Pub/Sub, or the
        events function's address) the turn stays here: it may be slow, but it is not lost.
        """
        return self.k_service is not None and (self.pubsub_project or self.events_url) is not None

    @property
    def traces_exporter(self) -> Literal["otlp", "console"] | None:
        """Where traces go: as set, else by OTLP where a collector is named; None: they are not collected."""
        if self.otel_sdk_disabled or self.otel_traces_exporter == "none":
            return None
        named = self.otel_exporter_otlp_traces_endpoint or self.otel_exporter_otlp_endpoint
        return self.otel_traces_exporter or ("otlp" if named else None)

    @property
    def otlp_traces_url(self) -> str:
        """Where traces are posted, as OTLP over HTTP has it: the endpoint of all signals is a base."""
        base = (self.otel_exporter_otlp_endpoint or "http://localhost:4318").rstrip("/")
        return self.otel_exporter_otlp_traces_endpoint or f"{base}/v1/traces"

    @property
    def otlp_headers(self) -> SecretStr | None:
        """What is sent along with traces, as `name=value,name=value`."""
        return self.otel_exporter_otlp_traces_headers or self.otel_exporter_otlp_headers

    @property
    def provider(self) -> Literal["gemini", "offline"]:
        """The model in use: as set, else Gemini where there is a key, else the offline planner."""
        if self.model_provider:
            return self.model_provider
        return "gemini" if self.gemini_api_key or self.google_genai_use_vertexai else "offline"

    @property
    def service_identity(self) -> Literal["oidc", "secret"]:
        """How our functions prove themselves to each other: as set, else by Google's tokens in the cloud."""
        return self.service_auth or ("oidc" if self.k_service else "secret")

    @property
    def nats_servers(self) -> tuple[str, ...]:
        """The NATS servers to connect to, none when NATS is not used."""
        urls = self.nats_url.get_secret_value() if self.nats_url is not None else ""
        return tuple(url.strip() for url in urls.split(",") if url.strip())

    @property
    def own_events_url(self) -> str:
        """Where our events function takes events when no broker brings them: as set, else in this process."""
        return self.events_url or f"http://127.0.0.1:{self.port}/events"

    @property
    def database(self) -> str:
        """The database URL, by default a SQLite file in DATA_DIR."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.absolute()}/agent.db"


def read_settings(environment: dict[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises:
        ConfigurationError: names each wrong variable and what it takes, never its value.
    """
    env = dict(os.environ) if environment is None else environment
    values: dict[str, Any] = _read_file(env["CONFIG_FILE"]) if env.get("CONFIG_FILE") else {}
    for name in Settings.model_fields:
        if env.get(name.upper(), "") != "":
            values[name] = env[name.upper()]
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = _problems(error)
        # What does not fit together is looked for when each value is right: so that all is told at once, the
        # wrong ones are left out for a second look.
        wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        try:
            if wrong:
                Settings.model_validate({name: values[name] for name in values.keys() - wrong})
        except ValidationError as further:
            problems += [each for each in _problems(further) if not _is_about(each, wrong)]
        raise ConfigurationError("; ".join(problems)) from None


def _inconsistencies(given: Settings) -> Iterator[str]:
    """What does not fit together, one sentence each."""
    if given.auth_mode == "none" and given.k_service and not given.allow_unauthenticated:
        yield "AUTH_MODE=none is refused in the cloud: set AUTH_MODE=jwt, or ALLOW_UNAUTHENTICATED=true"
    if given.auth_mode == "jwt" and not (given.jwt_secret or given.jwt_jwks_url):
        yield "AUTH_MODE=jwt needs JWT_SECRET or JWT_JWKS_URL"
    elif (
        given.auth_mode == "jwt"
        and given.tools_url
        and given.service_identity == "secret"
        and not given.jwt_secret
    ):
        yield (
            "TOOLS_URL with AUTH_MODE=jwt needs JWT_SECRET, to sign calls made for users "
            "(or SERVICE_AUTH=oidc); "
            "the tools function checks them by the same JWT_SECRET and has no JWT_JWKS_URL"
        )
    if given.artifact_store == "s3":
        needed = ("minio_endpoint", "minio_access_key", "minio_secret_key")
        missing = [name.upper() for name in needed if not getattr(given, name)]
        if missing:
            yield f"ARTIFACT_STORE=s3 needs {', '.join(missing)}"
    if not re.match(r"(sqlite|postgresql|postgres)(\+\w+)?:|firestore:", given.database):
        yield (
            "DATABASE_URL: takes sqlite+aiosqlite:///PATH, postgresql://USER:PASSWORD@HOST/DATABASE "
            "or firestore://PROJECT/DATABASE"
        )
    if given.model_provider == "gemini" and not (given.gemini_api_key or given.google_genai_use_vertexai):
        yield "MODEL_PROVIDER=gemini needs GEMINI_API_KEY or GOOGLE_GENAI_USE_VERTEXAI=true"


def _problems(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(part) for part in item['loc']).upper() or 'settings'}: {line}"
        for item in error.errors(include_input=False, include_context=False)
        for line in item["msg"].removeprefix("Value error, ").splitlines()
    ]


def _is_about(problem: str, names: set[str]) -> bool:
    """Whether it names one of these variables, which have a problem of their own and were left out."""
    return any(name.upper() in problem for name in names)


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return read_settings()


def _read_file(path: str) -> dict[str, Any]:
    import yaml

    try:
        loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"CONFIG_FILE: cannot be read as YAML ({type(error).__name__})") from None
    if not isinstance(loaded, dict):
        raise ConfigurationError("CONFIG_FILE: must hold a mapping of variables to values")
    if "prometheus_multiproc_dir" in {str(name).lower() for name in loaded}:
        # Prometheus' library looks there itself, before anything of ours is read.
        raise ConfigurationError("PROMETHEUS_MULTIPROC_DIR: is an environment variable, not for CONFIG_FILE")
    return {str(name).lower(): value for name, value in loaded.items()}
