"""Events to our own events function over HTTP, as CloudEvents in binary mode, where no broker brings them.

The function answers when what the event asks for is done, which may take minutes: deliveries go on beside the
relay, and an event counts as accepted when its answer was 2xx. One session's events are delivered one by one.
"""

from __future__ import annotations

import asyncio

from shared.errors import AppError, PublishError, UnreachedError
from shared.events.catalog import is_for_agent, is_heard_by_agent
from shared.events.envelope import CloudEvent
from shared.events.port import Delivery
from shared.events.sending import sending
from shared.outbound import exchange
from shared.web.service_token import Credentials

_MAX_ANSWER_BYTES = 64 * 1024


class HttpPublisher:
    """`EventPublisher` that posts to one URL; `seconds` is what one delivery may take.

    `is_bus`: no broker brings the function the events that it hears beside subscribers, so this does. Where
    the URL is this process's own (`is_own`), they are told once: it may serve other functions alone.
    """

    name = "events function"

    def __init__(
        self,
        *,
        url: str,
        credentials: Credentials | None,
        seconds: float,
        is_bus: bool = False,
        is_own: bool = False,
    ) -> None:
        self._takes = is_heard_by_agent if is_bus else is_for_agent
        self._is_own = is_own
        self._url = url
        self._credentials = credentials
        self._seconds = seconds
        self._under_way: dict[str, tuple[str | None, asyncio.Task[None]]] = {}
        self._last_error: PublishError | None = None

    def takes(self, event_type: str) -> bool:
        return self._takes(event_type)

    async def publish(self, events: tuple[CloudEvent, ...]) -> Delivery:
        accepted, errors = set(), []
        busy: set[str | None] = set()
        for event in events:
            _, task = self._under_way.get(event.id, (None, None))
            if task is not None and task.done():
                del self._under_way[event.id]
                error = task.exception()
                if error is None:
                    accepted.add(event.id)
                    continue
                errors.append(_failure(error))
            elif task is None and event.subject not in busy:
                task = asyncio.create_task(self._deliver(event))
                self._under_way[event.id] = (event.subject, task)
            busy.add(event.subject)
        self._last_error = errors[0] if errors else None
        return Delivery(accepted=frozenset(accepted), error=self._last_error)

    async def check(self) -> None:
        if self._last_error is not None:
            raise self._last_error

    async def close(self) -> None:
        tasks = [task for _, task in self._under_way.values()]
        self._under_way.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            # What they come to is learnt after the next start, from the outbox.
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, event: CloudEvent) -> None:
        with sending(event, system="http", to="events") as (sent, _):
            await self._post(sent)

    async def _post(self, event: CloudEvent) -> None:
        headers = event.attributes()
        if self._credentials is not None:
            headers |= await self._credentials(None)
        try:
            answer = await exchange(
                "POST",
                self._url,
                seconds=self._seconds,
                max_bytes=_MAX_ANSWER_BYTES,
                headers=headers,
                content=event.data,
            )
        except TimeoutError as error:
            raise PublishError("the events function did not answer in time") from error
        except UnreachedError:
            if self._may_be_unheard(event):
                return
            raise
        if answer.status == 404 and self._may_be_unheard(event):
            return
        if not 200 <= answer.status < 300:
            raise PublishError(f"the events function answered {answer.status}")

    def _may_be_unheard(self, event: CloudEvent) -> bool:
        return self._is_own and not is_for_agent(event.type)


def _failure(error: BaseException) -> PublishError:
    if isinstance(error, PublishError):
        return error
    reason = error.message if isinstance(error, AppError) else type(error).__name__
    return PublishError(f"the events function was not reached: {reason}")
