"""Tries any bot, whatever its form, for what it must not know and what it should not depend on.

The bot runs as the platform would run it on its own candles: whole, cut off at several points, and with
prices after those points that never were. What it tells of the time up to a point must be the same each time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.sandbox.port import Sandbox, SandboxLimits
from shared.verification.bot import TriedBot
from shared.verification.bot_run import RUN_LIMITS, BotRun, Event, run_bot
from shared.verification.candles import CandleTable, moment_of
from shared.verification.port import Finding

_DECIDING = ("signal", "trade", "order", "position", "decision", "alert")
_TOLERANCE = 1e-6
_MOST_SHOWN = 5
# So many tell chance from the marks of a covered run: what is drawn from few values may be alike in two.
_PLAIN_RUNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What was found by running the bot again and again; `first` is the run on all its candles."""

    first: BotRun
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)


async def probe(
    sandbox: Sandbox, bot: TriedBot, first: BotRun, *, cuts: int = 2, limits: SandboxLimits = RUN_LIMITS
) -> Probed:
    """Compares further runs with the first, which must have ended well; `cuts` points and one are tried."""
    table = CandleTable.read(bot.files[bot.data]) if bot.data is not None else None
    if table is None or bot.data is None:
        return Probed(first=first, facts={"runs": 1, "reason": "the bot brings no candles to replay"})
    places = _places(table, first.events, cuts)
    poisoned = [bot.with_candles(table.poisoned_after(place)) for place in places]
    cut = [bot.with_candles(table.until(place)) for place in places]
    later = len(table) // 3
    short = bot.with_candles(table.since(later))
    again, less, *rest = await asyncio.gather(
        run_bot(sandbox, bot, limits=limits, covered=True),
        *(run_bot(sandbox, one, limits=limits) for one in (short, *poisoned, *cut)),
    )
    runs = 3 + len(rest)
    never_ran = again.never_ran
    findings = list(_repeatable(first, again))
    if findings:
        # The run that tells which code ran is not quite the platform's: no bot is accused for that.
        plain = await asyncio.gather(*(run_bot(sandbox, bot, limits=limits) for _ in range(_PLAIN_RUNS)))
        findings = [found for one in plain for found in _repeatable(first, one)]
        runs, never_ran = runs + len(plain), ()
    if not findings:
        # Of a bot that tells something else each time nothing more can be said.
        findings += [
            *_look_ahead(table, places, first, rest[: len(places)], "with other prices after it"),
            *_look_ahead(table, places, first, rest[len(places) :], "with nothing after it"),
            *_same_candle(table, places, first, rest[: len(places)]),
        ]
        # What uses the whole series depends on where it begins, too.
        if not any(one.rule == "look-ahead" for one in findings):
            findings += _warm_up(table, later, first, less)
        findings += _branches(first.events)
    if never_ran:
        findings.append(_never_ran(never_ran))
    facts = {
        "runs": runs,
        "candles": len(table),
        "metrics": len(first.events),
        "points": [table.times[place] for place in places],
        "signals": _signals(first.events),
    }
    return Probed(first=first, findings=_first_of_each(findings), facts=facts)


def _places(table: CandleTable, events: Sequence[Event], count: int) -> list[int]:
    """Candles at which the bot acted, far apart: there what it should not know shows first."""
    moments = {moment_of(time): place for place, time in enumerate(table.times)}
    acted = sorted(
        {
            place
            for event in events
            if event.kind in _DECIDING and event.time is not None
            if (place := moments.get(moment_of(event.time))) is not None
        }
    )
    last = len(table) - 2
    acted = [place for place in acted if len(table) // 10 < place <= last]
    even = [last * (number + 1) // (count + 1) for number in range(count)]
    if not acted:
        return even
    chosen = {acted[(len(acted) - 1) * (number + 1) // count] for number in range(count)}
    # One just before: there shows what trades at an opening and knows the rest of that candle.
    before = [acted[len(acted) // 2] - 1]
    return [*sorted(chosen), *before, *even[: count - len(chosen)]]


def _look_ahead(
    table: CandleTable, places: Sequence[int], first: BotRun, others: Sequence[BotRun], how: str
) -> Iterable[Finding]:
    for place, other in zip(places, others, strict=True):
        if other.run.exit_code != 0 and place > len(table) // 2:
            yield Finding(
                rule="needs-later-candles",
                severity="warning",
                message=f"The bot fails {how}, at the candle of {table.times[place]}.",
                advice="Run it on the first part of its candles and read the error.",
                evidence={"cut": table.times[place], "error": other.errors[-400:]},
            )
            continue
        changed = _differences(first.events, other.events, table, place)
        if changed:
            yield Finding(
                rule="look-ahead",
                severity="failure",
                message=f"What the bot tells about the candle of {changed[0]['time']} changes {how}: "
                f"it uses prices of {table.times[place]} and later before they are known.",
                advice="Decide on closed candles alone: no negative shift, no figure over the whole series, "
                "no value of a candle that is still open, no filling backwards.",
                evidence={"cut": table.times[place], "how": how, "differences": changed},
            )


def _same_candle(
    table: CandleTable, places: Sequence[int], first: BotRun, poisoned: Sequence[BotRun]
) -> Iterable[Finding]:
    """What is traded at a candle's opening must not change with the rest of that candle."""
    openings = table.openings()
    for place, other in zip(places, poisoned, strict=True):
        time = table.times[place + 1]
        moment = moment_of(time)
        opening = openings.get(moment) if moment is not None else None
        if opening is None or other.run.exit_code != 0:
            continue
        before, after = (_priced_at(events, moment, opening) for events in (first.events, other.events))
        if before != after:
            yield Finding(
                rule="look-ahead",
                severity="failure",
                message=f"At the opening of {time} the bot acts on the close of that same candle.",
                advice="Trade what was decided on one candle at the opening of the next one.",
                evidence={"time": time, "opening": opening, "whole": before, "changed": after},
            )


def _priced_at(events: Sequence[Event], moment: float | None, price: float) -> list[str]:
    """What was done at a time for exactly this price."""
    return [
        f"{event.kind} {_direction(event)}"
        for event in events
        if event.kind in _DECIDING
        and event.time is not None
        and moment_of(event.time) == moment
        and _is_equal(event.fields.get("price"), price)
    ]


def _direction(event: Event) -> str:
    """Which way an event goes, in the bot's word for it."""
    names = ("type", "direction", "side", "action")
    return str(next((event.fields[name] for name in names if name in event.fields), "signal")).lower()


def _differences(
    known: Sequence[Event], other: Sequence[Event], table: CandleTable, place: int
) -> list[dict[str, Any]]:
    """What two runs tell differently about the time up to a candle; the evidence of some."""
    until = moment_of(table.times[place])
    found = []
    before, after = _until(known, until), _until(other, until)
    for key in [*before, *(key for key in after if key not in before)]:
        one, two = before.get(key), after.get(key)
        if not _is_same(one, two):
            found.append({"time": key[0], "metric": key[1], **_first_difference(one, two)})
            if len(found) == _MOST_SHOWN:
                break
    return found


def _until(
    events: Sequence[Event], until: float | None
) -> dict[tuple[str, str, str, int], Mapping[str, Any]]:
    """The metrics up to a time, each under its time, kind, market and number among equals.

    Metrics without a time in the market are left out: which candle they are about cannot be known.
    """
    found: dict[tuple[str, str, str, int], Mapping[str, Any]] = {}
    counts: dict[tuple[str, str, str], int] = {}
    for event in events:
        moment = moment_of(event.time) if event.time is not None else None
        if event.time is None or moment is None or (until is not None and moment > until):
            continue
        key = (event.time, event.kind, str(event.fields.get("symbol", "")))
        counts[key] = counts.get(key, 0) + 1
        found[(*key, counts[key])] = event.fields
    return found


def _is_same(one: Mapping[str, Any] | None, two: Mapping[str, Any] | None) -> bool:
    if one is None or two is None:
        return one is two
    return one.keys() == two.keys() and all(_is_equal(one[name], two[name]) for name in one)


def _is_equal(one: Any, two: Any) -> bool:
    if isinstance(one, float) or isinstance(two, float):
        try:
            return math.isclose(one, two, rel_tol=_TOLERANCE, abs_tol=1e-9) or str(one) == str(two) == "nan"
        except TypeError:
            return False
    return bool(one == two)


def _first_difference(one: Mapping[str, Any] | None, two: Mapping[str, Any] | None) -> dict[str, Any]:
    if one is None or two is None:
        return {"field": "", "whole": _short(one), "changed": _short(two)}
    name = next(name for name in [*one, *two] if not _is_equal(one.get(name), two.get(name)))
    return {"field": name, "whole": _short(one.get(name)), "changed": _short(two.get(name))}


def _short(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)[:120]


def _repeatable(first: BotRun, again: BotRun) -> Iterable[Finding]:
    same = first.run.exit_code == again.run.exit_code and len(first.events) == len(again.events)
    pairs = zip(first.events, again.events, strict=False)
    odd = next(
        (
            pair
            for pair in pairs
            if pair[0].kind != pair[1].kind or not _is_same(pair[0].fields, pair[1].fields)
        ),
        None,
    )
    if odd is not None or not same:
        evidence = _first_difference(odd[0].fields, odd[1].fields) if odd is not None else {}
        yield Finding(
            rule="not-repeatable",
            severity="failure",
            message="Two runs on the same candles tell different things.",
            advice="Take clock, chance and the order of sets out of the strategy.",
            evidence={"metrics": [len(first.events), len(again.events)], **evidence},
        )


def _warm_up(table: CandleTable, later: int, first: BotRun, less: BotRun) -> Iterable[Finding]:
    """Measures must not depend on how much history there was; decisions may, by what is held."""
    settled = moment_of(table.times[later + (len(table) - later) // 2])
    known, other = _until(first.events, None), _until(less.events, None)
    for key in known.keys() & other.keys():
        moment = moment_of(key[0])
        if key[1] in _DECIDING or moment is None or settled is None or moment < settled:
            continue
        # Figures that one of the runs does not have yet say nothing.
        common = known[key].keys() & other[key].keys()
        one, two = ({name: fields[name] for name in sorted(common)} for fields in (known[key], other[key]))
        if not _is_same(one, two):
            yield Finding(
                rule="warm-up",
                severity="warning",
                message="Figures depend on how much history was loaded: live they are others.",
                advice="Compute each figure from a fixed number of candles, enough of them, or say in the "
                "README how many the bot must load.",
                evidence={"time": key[0], "metric": key[1], **_first_difference(one, two)},
            )
            return


def _signals(events: Sequence[Event]) -> dict[str, int]:
    """How often each kind of signal was given."""
    found: dict[str, int] = {}
    for event in events:
        if event.kind in ("signal", "decision", "order"):
            word = _direction(event)
            found[word] = found.get(word, 0) + 1
    return found


def _branches(events: Sequence[Event]) -> Iterable[Finding]:
    signals = _signals(events)
    if not signals:
        yield Finding(
            rule="never-signals",
            severity="warning",
            message="On its own candles the bot never gave a signal, so its decisions were not tried.",
            advice="Give it candles on which it acts, or emit a metric `signal` for each decision.",
        )
        return
    for words in (("buy", "long"), ("sell", "short", "close")):
        if not any(word in told for word in words for told in signals):
            yield Finding(
                rule="branch-never-fired",
                severity="note",
                message=f"No {words[0]} was ever signalled on its own candles: that branch was not tried.",
                evidence={"signals": signals},
            )


def _never_ran(places: Sequence[str]) -> Finding:
    shown = ", ".join(places[:_MOST_SHOWN])
    more = len(places) - _MOST_SHOWN
    return Finding(
        rule="code-never-ran",
        severity="note",
        message=f"On its own candles this code never ran: {shown}{f' and {more} more' if more > 0 else ''}.",
        evidence={"places": list(places)},
    )


def _first_of_each(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding of each rule: the same fault shows at every point."""
    found: dict[str, Finding] = {}
    for finding in findings:
        found.setdefault(finding.rule, finding)
    return tuple(found.values())
