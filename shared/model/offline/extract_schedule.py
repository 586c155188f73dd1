"""How often and how a bot runs: cron schedule, hours between buys, scheduled or realtime, days of history.

Works on canonical text (utterance.py); times are UTC, as the platform's schedules are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_DAY_NUMBERS = {day: number for number, day in enumerate(_DAYS)} | {
    day[:3]: number for number, day in enumerate(_DAYS)
}
_DAY = rf"({'|'.join(_DAYS)}|mon|tue|wed|thu|fri|sat|sun)s?"
_TIME = re.compile(
    r"\b(?:at|@) (?:(noon|midnight)|(\d{1,2})(?:[:.h](\d{2}))? ?(am|pm|a\.m\.?|p\.m\.?|o'?clock|utc"
    r"|h)?)(?![\w.%])"
)
_CRON = re.compile(r"(?<!\S)[\d*][\d*,/-]{0,20}(?: [\d*][\d*,/-]{0,20}){4}(?![\w*/])")
_NOT_TRADES = r"(?<!trades )(?<!trade )(?<!buys )(?<!orders )(?<!times )(?<!positions )(?<!entries )(?<!\d )"
_EVERY = rf"{_NOT_TRADES}\b(?:every|each|once an?|once per|1 times a|1 times per|1 times each|1 times every)"
_EVERY_N = re.compile(
    rf"{_NOT_TRADES}\bevery (\d{{1,4}})[ -]?(minutes?|mins?|m|hours?|hrs?|h|days?|weeks?|months?)\b"
)
_EVERY_DAYNAME = re.compile(rf"\b(?:every|each|on|weekly on)(?: other)? {_DAY}\b")
_ON_DAYS = re.compile(r"\b(?:on|every|all) (?:(weekdays|workdays|working days)|weekends?)\b")
_TIMES_PER = re.compile(r"\b(\d{1,2}) times (?:a|per|each|every) (hour|day|week|month)\b")
_PER = re.compile(
    r"(?<!trades )(?<!trade )(?<!buys )(?<!orders )(?<!times )\b(?:per|a) (hour|day|week|month)\b"
)
_ADVERBS = {"hourly": 1, "daily": 24, "nightly": 24, "weekly": 168, "biweekly": 336, "bi-weekly": 336,
            "fortnightly": 336, "monthly": 720, "quarterly": 2160, "yearly": 8760,
            "annually": 8760}  # fmt: skip
_PERIODS = {"minute": 0, "min": 0, "m": 0, "hour": 1, "hr": 1, "h": 1, "day": 24, "night": 24, "morning": 24,
            "evening": 24, "weekday": 24, "week": 168, "fortnight": 336, "month": 720, "payday": 720,
            "quarter": 2160, "year": 8760}  # fmt: skip
_EVERY_ONE = re.compile(rf"{_EVERY} (other )?(minute|hour|day|night|morning|evening|weekday|week|fortnight"
                        rf"|month"
                        r"|quarter|year|payday)\b")  # fmt: skip
_ADVERB = re.compile(rf"\b({'|'.join(_ADVERBS)})\b(?! (?:candles?|bars?|charts?|timeframe|trades?|limit))")
_RUNS_ADVERB = re.compile(
    r"\b(?:runs?|running|scheduled?|execute[sd]?|triggers?|triggered|check(?:s|ing)?) (?:it |to run )?"
    r"(hourly|daily|weekly|monthly)\b|\b(hourly|daily|weekly|monthly) (?:schedule|at)\b"
)
_REALTIME = re.compile(
    r"\b(?:real[ -]?time|continuous(?:ly)?|24/7|24 / 7|always[ -]on|around the clock|non[ -]?stop|event "
    r"loop)\b"
)
_SCHEDULED = re.compile(r"\bscheduled\b|\b(?:on|by|as) (?:a )?(?:cron|schedule)\b|\bcron\b")
_NEGATED = re.compile(r"(?:\bnot|\bno longer|n't(?: be)?|\binstead of|\brather than|\bfrom)(?: an?)? $")
_HISTORY = re.compile(
    r"\b(?:last|past|previous|over|for|on)(?: the)?(?: last| past| previous)? (\d{1,4} |a |one )?(days?"
    r"|weeks?|months?|years?)\b"
)
_HISTORY_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a bot acts: `cron` when the words fix times, `hours` between two actions where they say."""

    cron: str | None = None
    hours: int | None = None
    span: tuple[int, int] = (0, 0)


def find_cron(text: str) -> tuple[str, tuple[int, int]] | None:
    """A cron expression written out in the text, with its place."""
    for match in _CRON.finditer(text):
        if "*" in match.group():
            return match.group(), match.span()
    return None


def find_rhythm(text: str, *, loose: bool) -> Rhythm | None:
    """The rhythm the text asks for; `loose` also takes words such as `weekly` that may mean candles."""
    named = _EVERY_DAYNAME.search(text)
    if named:
        day = _DAY_NUMBERS[named[1]]
        hours = 336 if " other " in named.group() else 168
        return Rhythm(_cron(_clock(text), str(day)), hours, named.span())
    some_days = _ON_DAYS.search(text)
    if some_days:
        return Rhythm(_cron(_clock(text), "1-5" if some_days[1] else "0,6"), 24, some_days.span())
    counted = _EVERY_N.search(text)
    if counted:
        return _every_n(int(counted[1]), counted[2].rstrip("s"), text, counted.span())
    times = _TIMES_PER.search(text)
    if times and loose and int(times[1]) > 1:
        return Rhythm(None, max(1, round(_PERIODS[times[2]] / max(1, int(times[1])))), times.span())
    single = _EVERY_ONE.search(text)
    if single:
        return _every_one(single[2], bool(single[1]), text, single.span())
    per = _PER.search(text) if loose else None
    if per:
        return Rhythm(None, _PERIODS[per[1]], per.span())
    adverb = (_ADVERB if loose else _RUNS_ADVERB).search(text)
    if adverb:
        word = next(group for group in adverb.groups() if group)
        return _adverb(word, text, adverb.span())
    return None


def find_bot_type(text: str) -> str | None:
    """`realtime` or `scheduled` where the words say so."""
    for pattern, kind, other in ((_REALTIME, "realtime", "scheduled"), (_SCHEDULED, "scheduled", "realtime")):
        for match in pattern.finditer(text):
            if not _NEGATED.search(text[max(0, match.start() - 20) : match.start()]):
                return kind
            if not (_SCHEDULED if kind == "realtime" else _REALTIME).search(text):
                return other
    return None


def find_history_days(text: str) -> int | None:
    """How many days of history the text asks for (`last 90 days`, `the past year`)."""
    match = _HISTORY.search(text)
    if not match:
        return None
    count = int(match[1]) if match[1] and match[1].strip().isdigit() else 1
    return min(count * _HISTORY_DAYS[match[2].rstrip("s")], 3650) or None


def _every_n(count: int, unit: str, text: str, span: tuple[int, int]) -> Rhythm | None:
    if count < 1:
        return None
    if unit in ("minute", "min", "m"):
        return Rhythm(f"*/{count} * * * *" if 60 % count == 0 and count < 60 else None, None, span)
    hours = count * _PERIODS[unit]
    cron = None
    if unit.startswith("h") and 24 % count == 0 and count < 24:
        cron = "0 * * * *" if count == 1 else f"0 */{count} * * *"
    elif hours == 24:
        cron = _cron(_clock(text), "*")
    return Rhythm(cron, hours, span)


def _every_one(period: str, other: bool, text: str, span: tuple[int, int]) -> Rhythm:
    hours = _PERIODS[period] * (2 if other else 1)
    if period == "minute":
        return Rhythm("*/2 * * * *" if other else "* * * * *", None, span)
    if period == "hour":
        return Rhythm("0 */2 * * *" if other else "0 * * * *", hours, span)
    clock = _clock(text)
    crons = {
        "weekday": _cron(clock, "1-5"),
        "day": _cron(clock, "*"),
        "night": _cron(clock, "*"),
        "morning": _cron(clock or (0, 9), "*"),
        "evening": _cron(clock or (0, 18), "*"),
        "week": _cron(clock, "1"),
        "month": _cron(clock, "*", month_day="1"),
    }
    return Rhythm(None if other else crons.get(period), hours, span)


def _adverb(word: str, text: str, span: tuple[int, int]) -> Rhythm:
    clock = _clock(text)
    crons = {
        "hourly": "0 * * * *",
        "daily": _cron(clock, "*"),
        "nightly": _cron(clock, "*"),
        "weekly": _cron(clock, "1"),
        "monthly": _cron(clock, "*", month_day="1"),
    }
    return Rhythm(crons.get(word), _ADVERBS[word], span)


def _clock(text: str) -> tuple[int, int] | None:
    """Minute and hour that the text names, None when it names none."""
    match = _TIME.search(text)
    if not match:
        return None
    if match[1]:
        return (0, 12) if match[1] == "noon" else (0, 0)
    hour, minute, half = int(match[2]), int(match[3] or 0), (match[4] or "")[:1]
    if half == "p" and hour < 12:
        hour += 12
    if half == "a" and hour == 12:
        hour = 0
    return (minute, hour) if hour < 24 and minute < 60 else None


def _cron(clock: tuple[int, int] | None, week_day: str, *, month_day: str = "*") -> str:
    minute, hour = clock or (0, 0)
    return f"{minute} {hour} {month_day} * {week_day}"
