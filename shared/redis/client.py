"""The one connection to Redis or Valkey: pool, deadlines, circuit breaker. What fails here fails quickly."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from shared.errors import ConfigurationError
from shared.redis.breaker import Breaker
from shared.sealing import Keyring

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

_log = logging.getLogger(__name__)

CALL_SECONDS = 0.1
"""The most that one call may cost when the server hangs."""

_CHECK_SECONDS = 1.0
# One loop keeps no more than a few busy, and each takes milliseconds to make.
_POOL = 8
# Over the deadline of a call, which ends it; this is for a call whose cancellation is lost (see tasks.py).
_SOCKET_SECONDS = 1.0
_PURPOSE = "redis key"
_TAKES = "REDIS_URL: takes redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS"


class RedisGoneError(Exception):
    """Redis does not answer, or refuses us; never leaves this package."""


class RedisClient:
    """Calls with a deadline; opens connections when they are needed, so that it starts without a server."""

    def __init__(
        self,
        url: str,
        *,
        keyring: Keyring,
        call_seconds: float = CALL_SECONDS,
        breaker: Breaker | None = None,
    ) -> None:
        self.keyring = keyring
        self.breaker = breaker or Breaker()
        self._url = url
        self._call_seconds = call_seconds
        self._answers = 0
        self._redis = _connect(url, size=_POOL, seconds=max(_SOCKET_SECONDS, 2 * call_seconds))
        self._secret = next(iter(keyring.signing_keys(_PURPOSE)), b"")

    @classmethod
    async def open(
        cls, url: str, *, keyring: Keyring, call_seconds: float = CALL_SECONDS, breaker: Breaker | None = None
    ) -> RedisClient:
        """The client; no connection is made yet.

        Raises:
            ConfigurationError: the URL is none of Redis; it is not in the message.
        """
        # The library takes a quarter of a second to import.
        await asyncio.to_thread(__import__, "redis.asyncio")
        return cls(url, keyring=keyring, call_seconds=call_seconds, breaker=breaker)

    def key(self, kind: str, *words: str) -> str:
        """The name of an entry: what it is about, hashed, so that names tell nothing of users or sessions."""
        text = "\0".join((kind, *words)).encode("utf-8", "surrogatepass")
        return f"the0:{kind}:{hmac.digest(self._secret, text, hashlib.sha256).hex()[:40]}"

    async def call(self, operation: Callable[[Redis], Awaitable[T]], *, seconds: float | None = None) -> T:
        """What the operation gives.

        Raises:
            RedisGoneError: after at most `seconds` (100 ms); at once while the breaker is open.
        """
        if not self.breaker.allows():
            raise RedisGoneError("the circuit breaker is open")
        return await self._attempt(operation, seconds or self._call_seconds)

    async def check(self) -> str:
        """`healthy` when the server answers, else `degraded`; takes a second at most and asks in any case."""

        async def ping(redis: Redis) -> Any:
            return await redis.ping()

        try:
            await self._attempt(ping, _CHECK_SECONDS)
        except RedisGoneError:
            return "degraded"
        return "healthy"

    def dedicated(self, *, seconds: float) -> Redis:
        """A client of one connection of its own, for reads that may block; the caller closes it."""
        return _connect(self._url, size=1, seconds=seconds)

    def lost(self, error: Exception) -> None:
        """Takes note that the server failed on a connection made by `dedicated`."""
        if not self.breaker.is_open:
            _log.warning("redis does not answer", extra={"error": type(error).__name__})
        self.breaker.failed()

    async def close(self) -> None:
        """Lets go of the connections."""
        await _close(self._redis)

    async def _attempt(self, operation: Callable[[Redis], Awaitable[T]], seconds: float) -> T:
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as RedisTimeoutError

        answers = self._answers
        try:
            async with asyncio.timeout(seconds):
                found = await operation(self._redis)
        except (TimeoutError, RedisTimeoutError) as error:
            # Others were answered meanwhile: it is we who are slow, and the next call may go out.
            if answers == self._answers:
                self.lost(error)
            raise RedisGoneError("no answer in time") from None
        # A server that closes in the handshake shows as OSError; the error's text may hold its address.
        except (RedisError, OSError) as error:
            self.lost(error)
            raise RedisGoneError(type(error).__name__) from None
        self._answers += 1
        if self.breaker.is_open:
            _log.info("redis answers again")
        self.breaker.succeeded()
        return found


def _connect(url: str, *, size: int, seconds: float) -> Redis:
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

    if not url.startswith(("redis://", "rediss://")):
        raise ConfigurationError(_TAKES)
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=size,
            timeout=seconds,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            # The breaker decides when to try again. A pooled connection that has ended is replaced unseen.
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        )
    except (ValueError, TypeError, RedisError):
        raise ConfigurationError(_TAKES) from None
    return Redis.from_pool(pool)


async def _close(redis: Redis) -> None:
    from redis.exceptions import RedisError

    try:
        async with asyncio.timeout(1):
            await redis.aclose()
    except (RedisError, OSError, TimeoutError):
        _log.info("redis: a connection could not be closed in order")
