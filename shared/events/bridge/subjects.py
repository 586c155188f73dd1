"""The subjects that the bridge listens to, what type of event each stands for, and how subjects overlap.

Source: the platform's NATS topics; NATS, "Subject-Based Messaging" (`*` is one token, `>` is the rest).
"""

from __future__ import annotations

from collections.abc import Iterable

LOGS = "the0.bot.logs.>"
LOG_TYPE = "the0.bot.log"
# Published by whoever runs bots, on plain NATS as a rule: no stream of the platform takes them.
RUNS: tuple[str, ...] = ("bot.execution.completed", "bot.execution.failed", "backtest.completed")
# Taken by the platform's streams THE0_EVENTS and THE0_BOT_LOGS.
PLATFORM: tuple[str, ...] = ("the0.bot.*", "the0.bot-schedule.*", LOGS)
WANTED = RUNS + PLATFORM

_LOG_PREFIX = LOGS.removesuffix(">")


def is_log(subject: str) -> bool:
    """Whether lines of a bot's log are published there."""
    return subject.startswith(_LOG_PREFIX)


def bot_of_log(subject: str) -> str:
    """The bot whose log is published there, as far as the subject can name it."""
    return subject.removeprefix(_LOG_PREFIX)


def type_of(subject: str) -> str:
    """The type of the event that a message on the subject is."""
    return LOG_TYPE if is_log(subject) else subject


def overlap(one: str, other: str) -> bool:
    """Whether some subject fits both patterns, so that NATS refuses two streams with them."""
    left, right = one.split("."), other.split(".")
    for mine, theirs in zip(left, right, strict=False):
        if ">" in (mine, theirs):
            return True
        if mine != theirs and "*" not in (mine, theirs):
            return False
    # `>` stands for one token at least.
    return len(left) == len(right)


def wanted_of(taken: Iterable[str]) -> tuple[str, ...]:
    """Those of WANTED that a stream with the subjects `taken` may hold messages of."""
    patterns = tuple(taken)
    return tuple(subject for subject in WANTED if any(overlap(subject, pattern) for pattern in patterns))


def uncaught(taken: Iterable[str]) -> tuple[str, ...]:
    """Those of RUNS that none of the patterns takes.

    The platform's own subjects are left to it: a stream of ours on them would stop the platform's start.
    """
    patterns = tuple(taken)
    return tuple(subject for subject in RUNS if not any(overlap(subject, pattern) for pattern in patterns))
