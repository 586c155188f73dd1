"""The stretch of time that a question is about: "last night", "today", "since Monday". All of it in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SINCE = re.compile(rf"\b(?:since|from|after|on)(?: last)? ({'|'.join(_DAYS)})\b")
_LAST = re.compile(r"\b(?:last|past) (\d{1,4})? ?(minute|hour|day|week|month)s?\b")
_LAST_RUN = re.compile(r"\b(?:last|latest|newest|most recent|previous) (?:run|execution|time|trade)\b")
_UNITS = {"minute": 1 / 60, "hour": 1, "day": 24, "week": 168, "month": 720}
_NIGHT_BEGINS, _NIGHT_ENDS = 18, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From and to, in the user's words; `is_last_run` asks for the newest run alone."""

    words: str
    begin: datetime | None = None
    end: datetime | None = None
    is_last_run: bool = False

    def holds(self, time: datetime) -> bool:
        """Whether the time lies in it."""
        return (self.begin is None or self.begin <= time) and (self.end is None or time < self.end)

    def __str__(self) -> str:
        if self.begin is None:
            return self.words
        to = f"{self.end:%Y-%m-%d %H:%M}" if self.end else "now"
        return f"{self.words} ({self.begin:%Y-%m-%d %H:%M} to {to} UTC)"


def find_stretch(text: str, now: datetime) -> Stretch:
    """The stretch that the canonical text names; without one, everything that is known."""
    if _LAST_RUN.search(text):
        return Stretch(words="the last run", is_last_run=True)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if re.search(r"\b(?:last night|overnight|over night|during the night|tonight)\b", text):
        begin = midnight - timedelta(hours=24 - _NIGHT_BEGINS)
        return Stretch(words="last night", begin=begin, end=min(now, midnight + timedelta(hours=_NIGHT_ENDS)))
    if re.search(r"\byesterday\b", text):
        return Stretch(words="yesterday", begin=midnight - timedelta(days=1), end=midnight)
    if re.search(r"\b(?:today|this morning|this afternoon|this evening)\b", text):
        return Stretch(words="today", begin=midnight)
    if found := _SINCE.search(text):
        return _weekday(found, midnight)
    if re.search(r"\bthis week\b", text):
        return Stretch(words="this week", begin=midnight - timedelta(days=midnight.weekday()))
    if found := _LAST.search(text):
        hours = int(found[1] or 1) * _UNITS[found[2]]
        return Stretch(words=f"the {found[0].strip()}", begin=now - timedelta(hours=hours))
    return Stretch(words="as far as I was told")


def _weekday(found: re.Match[str], midnight: datetime) -> Stretch:
    back = (midnight.weekday() - _DAYS.index(found[1])) % 7
    begin = midnight - timedelta(days=back)
    if found[0].startswith("on "):
        return Stretch(words=f"on {found[1].title()}", begin=begin, end=begin + timedelta(days=1))
    return Stretch(words=f"since {found[1].title()}", begin=begin)
