"""Health: what works, asked of the parts themselves, in parallel, each within 2 s, cached for 5 s."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.clock import Clock, to_wire
from shared.errors import AppError, InternalError

_log = logging.getLogger(__name__)

Verdict = Literal["healthy", "degraded", "unhealthy"]
Check = Callable[[], Awaitable[str]]

CHECK_SECONDS = 2.0
CACHE_SECONDS = 5.0
# Without these nothing works; without the others, less does.
_VITAL = frozenset({"database", "minio"})
# The sandbox's word names its isolation.
_FINE = frozenset({"healthy", "not_configured", "offline", "bubblewrap+seccomp", "unshare+seccomp"})


@dataclass(slots=True)
class Health:
    """The health of one process. A check returns its word or raises; `healthy` is the good one."""

    checks: dict[str, Check]
    version: str
    clock: Clock
    active_sessions: Callable[[], int]
    _cached: tuple[float, dict[str, str]] = field(default=(-CACHE_SECONDS, {}))
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def report(self) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the document of contract section 8."""
        words = await self._words()
        verdict = _verdict(words)
        down = [name for name, word in words.items() if word not in _FINE]
        return (503 if verdict == "unhealthy" else 200), {
            "status": verdict,
            "message": f"not working: {', '.join(down)}" if down else "all parts work",
            "checks": {**words, "active_sessions": self.active_sessions()},
            "timestamp": to_wire(self.clock()),
            "version": self.version,
        }

    async def _words(self) -> dict[str, str]:
        """What each part says, at most five seconds ago; who asks meanwhile waits for the one answer."""
        async with self._asking:
            asked, words = self._cached
            if time.monotonic() - asked >= CACHE_SECONDS:
                answers = await asyncio.gather(*map(_ask, self.checks.values()))
                words = dict(zip(self.checks, answers, strict=True))
                self._cached = (time.monotonic(), words)
            return words


def _verdict(words: dict[str, str]) -> Verdict:
    down = {name for name, word in words.items() if word not in _FINE}
    if down & _VITAL:
        return "unhealthy"
    return "degraded" if down else "healthy"


async def _ask(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return "timeout"
    except AppError as error:
        # The answer is public and says no more than the code; operators need the words.
        _log.warning("check failed", extra={"code": error.code, "reason": error.message})
        return error.code
    # The border of a check: whatever is wrong with one part, the others are told.
    except Exception:  # noqa: BLE001
        _log.exception("check failed")
        return InternalError.code
