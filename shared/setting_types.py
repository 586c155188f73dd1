"""What a variable may hold: types that check its form, and say what it takes and never what was given."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr

from shared.errors import ConfigurationError
from shared.limits.prices import ModelPrice, read_prices
from shared.sealing import Keyring


def _words(value: Any) -> Any:
    return (
        tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value
    )


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _url(takes: str) -> Callable[[str], str]:
    """A check of an HTTP address without credentials, query or fragment."""

    def checked(value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
            raise ValueError(f"takes the URL {takes}")
        return value

    return checked


def _redis(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"rediss?://\S+", value.get_secret_value()):
        raise ValueError("takes redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS")
    return value


def _nats(value: SecretStr) -> SecretStr:
    servers = value.get_secret_value().split(",")
    if not all(re.fullmatch(r"(nats|tls)://[^\s/]+", server.strip()) for server in servers):
        raise ValueError("takes nats://[TOKEN@]HOST:PORT, or tls:// for TLS, several separated by commas")
    return value


def _topic(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}", value):
        raise ValueError("takes the name of a Pub/Sub topic, without projects/...")
    return value


def _keys(value: SecretStr) -> SecretStr:
    try:
        Keyring.of(value.get_secret_value())
    except ConfigurationError as error:
        raise ValueError(error.message.removeprefix("ENCRYPTION_KEYS: ")) from None
    return value


def _readable(value: Path) -> Path:
    if not os.access(value, os.R_OK):
        raise ValueError("takes the path of a file that can be read")
    return value


def _writable(value: Path) -> Path:
    if not (value.is_dir() and os.access(value, os.W_OK)):
        raise ValueError("takes the path of a folder that is there and can be written to")
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
InCapitals = BeforeValidator(_upper)
# Over the list prices of the models we know.
PriceList = Annotated[dict[str, ModelPrice], BeforeValidator(read_prices)]
PlatformUrl = Annotated[str, AfterValidator(_url("of the platform's API, https://HOST or https://HOST/PATH"))]
ToolsUrl = Annotated[str, AfterValidator(_url("of the tools function, https://HOST or http://HOST:PORT"))]
EventsUrl = Annotated[str, AfterValidator(_url("that events are posted to, https://HOST/events"))]
CollectorUrl = Annotated[str, AfterValidator(_url("of a collector, http://HOST:PORT or https://HOST/PATH"))]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
NatsUrls = Annotated[SecretStr, AfterValidator(_nats)]
Topic = Annotated[str, AfterValidator(_topic)]
EncryptionKeys = Annotated[SecretStr, AfterValidator(_keys)]
ReadableFile = Annotated[Path, AfterValidator(_readable)]
WritableFolder = Annotated[Path, AfterValidator(_writable)]
