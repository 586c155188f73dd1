"""A chat model whose calls a user's daily budget pays for: reserved before each, settled after it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from shared.clock import Clock
from shared.errors import AppError, ModelTimeoutError, ModelUnavailableError, RateLimitedError
from shared.ids import NewId
from shared.limits.call import RunningCall, most_usage
from shared.limits.prices import ModelPrice, price_of
from shared.messages import Usage
from shared.model.port import ChatModel, ModelChunk, ModelRequest
from shared.model.retry import Retries
from shared.sessions.account_port import Charge, DailyLimits, UsageLedger

# The call's own deadline ends it; the rest is for settling it when the store is slow.
_GRACE_SECONDS = 60.0
_SOON_SECONDS = 15.0

_log = logging.getLogger(__name__)


class Reservation:
    """What was set aside for one call."""

    def __init__(
        self, *, user_id: str, reservation_id: str, price: ModelPrice | None, call: RunningCall
    ) -> None:
        self.user_id = user_id
        self.reservation_id = reservation_id
        self.price = price
        self.call = call


class Meter:
    """Keeps the accounts of model calls in the ledger; one a process.

    `prices` None: no limit on money, so that a model needs no price.
    """

    def __init__(
        self,
        *,
        ledger: UsageLedger,
        limits: DailyLimits,
        prices: Mapping[str, ModelPrice] | None,
        max_output_tokens: int,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self.max_output_tokens = max_output_tokens
        self._ledger = ledger
        self._limits = limits
        self._prices = prices
        self._clock = clock
        self._new_id = new_id
        self._open: Counter[str] = Counter()

    async def reserve(self, user_id: str, request: ModelRequest) -> Reservation:
        """Sets aside the most that the request can cost.

        Raises:
            RateLimitedError: the day's rest is less; retry_after is short where calls that run here may
                leave some of what is set aside for them.
            ModelRefusedError: the model has no price.
            StoreUnavailableError: nothing was set aside.
        """
        most = most_usage(request, request.max_output_tokens or self.max_output_tokens)
        held = Reservation(
            user_id=user_id,
            reservation_id=self._new_id(),
            price=None if self._prices is None else price_of(self._prices, request.model),
            call=RunningCall(most),
        )
        writing = asyncio.ensure_future(self._reserve(held, request.timeout + _GRACE_SECONDS))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            if writing.exception() is None:
                # Nobody will make the call.
                await _to_the_end(self.settle(held))
            raise
        return held

    async def settle(self, held: Reservation) -> None:
        """Replaces the reservation by what was used; one that cannot be settled now stays counted in full."""
        self._open[held.user_id] -= 1
        if not self._open[held.user_id]:
            del self._open[held.user_id]
        try:
            await self._ledger.settle_usage(
                user_id=held.user_id,
                reservation_id=held.reservation_id,
                charge=_charge(held, held.call.used),
                now=self._clock(),
            )
        except AppError as error:
            _log.warning("usage not settled", extra={"code": error.code})

    async def _reserve(self, held: Reservation, seconds: float) -> None:
        try:
            await self._ledger.reserve_usage(
                user_id=held.user_id,
                reservation_id=held.reservation_id,
                charge=_charge(held, held.call.most),
                limits=self._limits,
                now=self._clock(),
                lease_seconds=seconds,
            )
        except RateLimitedError as error:
            if not self._open[held.user_id]:
                raise
            raise RateLimitedError(
                "what is left of your day's budget is set aside for calls that are running",
                retry_after=_SOON_SECONDS,
            ) from error
        self._open[held.user_id] += 1


class MeteredModel:
    """A ChatModel for one user's turns; each attempt of a call is reserved and settled by itself."""

    def __init__(
        self, model: ChatModel, *, user_id: str, meter: Meter, retries: Retries | None = None
    ) -> None:
        self._model = model
        self._user_id = user_id
        self._meter = meter
        self._retries = retries or Retries()

    @property
    def name(self) -> str:
        """The model used when a request names none."""
        return self._model.name

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelChunk]:
        """See ChatModel.

        Raises:
            RateLimitedError: the user's day has no room for the call; the model was not asked.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + request.timeout
        attempt = 0
        while True:
            attempt += 1
            call = replace(
                request,
                model=request.model or self.name,
                timeout=max(0.0, deadline - loop.time()),
                max_output_tokens=request.max_output_tokens or self._meter.max_output_tokens,
                max_attempts=1,
            )
            spoken = False
            try:
                async with aclosing(self._attempt(call)) as chunks:
                    async for chunk in chunks:
                        spoken = True
                        yield chunk
                return
            except (ModelUnavailableError, ModelTimeoutError) as error:
                if spoken:
                    raise
                failure = error
            await self._retries.pause(
                failure, attempt=attempt, deadline=deadline, max_attempts=request.max_attempts
            )

    async def close(self) -> None:
        """Nothing: the model it meters belongs to others too."""

    async def _attempt(self, request: ModelRequest) -> AsyncGenerator[ModelChunk]:
        held = await self._meter.reserve(self._user_id, request)
        call = held.call
        try:
            # The port promises no more than an iterator that can be closed.
            stream = cast(AsyncGenerator[ModelChunk], self._model.stream(call.begin(request)))
            async with aclosing(stream):
                async for chunk in stream:
                    call.saw(chunk)
                    yield chunk
        except AppError as error:
            call.failed(error)
            raise
        finally:
            await _to_the_end(self._meter.settle(held))


async def _to_the_end(write: Coroutine[Any, Any, None]) -> None:
    """Lets a write end although its caller is cancelled."""
    task = asyncio.ensure_future(write)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _charge(held: Reservation, usage: Usage) -> Charge:
    micros = 0 if held.price is None else held.price.micros(usage)
    return Charge(tokens=usage.total_tokens, micros=micros)
