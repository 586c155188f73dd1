"""Which streams hold what the bridge listens to, and the one it makes for what no stream takes.

NATS lets no two streams take the same subject. So ours takes the least: subjects that are published without
a stream as a rule, while no other stream takes them; and it lets go of one when somebody was refused a stream
because of it, for long enough that they may try again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from shared.events.bridge.subjects import uncaught, wanted_of

if TYPE_CHECKING:
    from nats.js import JetStreamContext
    from nats.js.api import StreamInfo

_log = logging.getLogger(__name__)

OWN_STREAM = "AI_AGENT_IN"
YIELD_SECONDS = 120.0
# A stream without a subject takes its name as one; nobody publishes here.
_NOTHING = "ai.agent.in"
_KEPT_DAYS = 7
_DUPLICATE_WINDOW_SECONDS = 600.0
_SUBJECTS_OVERLAP = 10065


@dataclass(slots=True)
class Streams:
    """The streams of the account. `_yielded` are subjects left to others, each until a moment."""

    _yielded: dict[str, float] = field(default_factory=dict)

    async def found(self, jetstream: JetStreamContext) -> dict[str, tuple[str, ...]]:
        """Each stream that holds wanted subjects, with those; ours among them, made or changed as needed."""
        streams = await _all(jetstream)
        own = next((each for each in streams if each.config.name == OWN_STREAM), None)
        others = [each for each in streams if each is not own]
        taken = [subject for each in others for subject in each.config.subjects or ()]
        wanted = {
            str(each.config.name): subjects
            for each in others
            if (subjects := wanted_of(each.config.subjects or ()))
        }
        ours = uncaught((*taken, *self._left_to_others()))
        if own is not None or ours:
            await self._see_to(jetstream, own, ours)
            # All it holds is wanted, also what it took of subjects that it has let go of.
            wanted[OWN_STREAM] = ()
        return wanted

    def refused(self, advisory: bytes) -> bool:
        """Whether what NATS tells of a call is that somebody was refused a stream; what they want is left."""
        try:
            told = orjson.loads(advisory)
            if orjson.loads(told["response"]).get("error", {}).get("err_code") != _SUBJECTS_OVERLAP:
                return False
            subjects = [str(each) for each in orjson.loads(told["request"]).get("subjects") or ()]
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        self._yielded |= dict.fromkeys(subjects, time.monotonic() + YIELD_SECONDS)
        return bool(subjects)

    def _left_to_others(self) -> Iterable[str]:
        self._yielded = {name: until for name, until in self._yielded.items() if until > time.monotonic()}
        return self._yielded

    @staticmethod
    async def _see_to(jetstream: JetStreamContext, own: StreamInfo | None, ours: tuple[str, ...]) -> None:
        from nats.js.errors import BadRequestError

        subjects = list(ours) or [_NOTHING]
        try:
            if own is None:
                await jetstream.add_stream(
                    name=OWN_STREAM,
                    subjects=subjects,
                    max_age=_KEPT_DAYS * 86_400,
                    duplicate_window=_DUPLICATE_WINDOW_SECONDS,
                )
            elif set(own.config.subjects or ()) != set(subjects):
                _log.info("stream takes other subjects", extra={"stream": OWN_STREAM, "subjects": subjects})
                await jetstream.update_stream(own.config.evolve(subjects=subjects))
        except BadRequestError as error:
            # Another process did the same, or somebody took a subject in between: the next look sees what is.
            _log.info("stream not changed", extra={"stream": OWN_STREAM, "code": error.err_code})


async def _all(jetstream: JetStreamContext) -> list[StreamInfo]:
    found: list[StreamInfo] = []
    while page := await jetstream.streams_info(offset=len(found)):
        found += page
    return found
