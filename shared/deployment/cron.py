"""Cron expressions as the platform takes them: five fields of numbers, lists, ranges and steps, no names.

The rules are those of the validator that the platform's API asks (npm cron-validator, without its options);
its runtime reads the times as UTC.
"""

from __future__ import annotations

import re

# Name, lowest and highest value of each field; Sunday is 0 and never 7.
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_MOST_CHARS = 200
_PART = re.compile(r"(?:\*|(\d{1,4})(?:-(\d{1,4}))?)(?:/(\d{1,4}))?", re.ASCII)


def cron_problem(text: str) -> str | None:
    """What is wrong with a schedule, in words for its writer; None when the platform takes it."""
    fields = text.split()
    if len(fields) != len(_FIELDS) or len(text) > _MOST_CHARS:
        return "takes five fields: minute, hour, day of month, month, weekday, as in `0 9 * * 1-5`"
    for field, (name, low, high) in zip(fields, _FIELDS, strict=True):
        if not all(_is_part(part, low, high) for part in field.split(",")):
            return f"the {name} takes *, numbers from {low} to {high}, ranges and steps, without names"
    return None


def _is_part(part: str, low: int, high: int) -> bool:
    match = _PART.fullmatch(part)
    if match is None or (match[3] is not None and int(match[3]) == 0):
        return False
    if match[1] is None:
        return True
    first = int(match[1])
    last = first if match[2] is None else int(match[2])
    return low <= first <= last <= high
