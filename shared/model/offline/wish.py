"""What a message asks of a bot: strategy, parameters, name, language, type; and what could not be taken."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import Any

from shared.model.offline.extract_options import (
    find_exchange,
    find_language,
    find_live_trading,
    find_poll_seconds,
)
from shared.model.offline.extract_parameters import count_own, extract_parameters
from shared.model.offline.extract_schedule import Rhythm, find_bot_type, find_rhythm
from shared.model.offline.extract_strategy import choose_from_list, find_strategies
from shared.model.offline.extract_timeframe import TIMEFRAMES, FoundTimeframe, find_timeframe
from shared.model.offline.utterance import Utterance

_CLOCK = re.compile(r"\bat \d{1,2}(?:[:.]\d{2})? ?(?:am|pm|utc|o'?clock)?(?![\w.%])")
_FIXED_TIME = re.compile(
    r"(?:sun|mon|tue|tues|wed|wednes|thu|thurs|fri|sat|satur)days?\b|\b(?:mon|tue|wed|thu|fri|sat|sun)\b"
    r"|weekday"
    r"|\bat (?:\d|noon|midnight)|morning|evening"
)
_BUYS_A_DAY = 5
# Strategies for which `weekly` says how often they act, not how long a candle is.
_REGULAR = ("dca", "momentum_rotation")


@dataclass(frozen=True, slots=True, kw_only=True)
class BotWish:
    """What one message says about a bot.

    `candidates` are the strategies it names when they are several; `not_offered` is the name of one that
    does not exist here. `parameters` holds only what was said. `remarks` are sentences for the user,
    `unread` the numbers that found no place.
    """

    strategy: str | None
    candidates: tuple[str, ...] = ()
    not_offered: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    language: str | None = None
    bot_type: str | None = None
    remarks: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether there is anything in it that a bot could be changed by."""
        return bool(self.strategy or self.parameters or self.name or self.bot_type or self.language)


@dataclass(slots=True)
class _Draft:
    text: str
    parameters: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def blank(self, span: tuple[int, int]) -> None:
        self.text = f"{self.text[: span[0]]}{' ' * (span[1] - span[0])}{self.text[span[1] :]}"


def read_wish(utterance: Utterance, current: str | None = None) -> BotWish:
    """The wish in a message; `current` is the strategy of the bot that it may be about."""
    text = utterance.canonical
    named = find_strategies(text)
    strategy, candidates = _resolve(text, named.sure, named.weight, current)
    if named.not_offered and named.weight < 2 and not current:
        strategy = None
    chosen = strategy or current
    draft = _Draft(text)
    if utterance.symbol:
        draft.parameters["symbol"] = utterance.symbol
    _read_time(draft, utterance, chosen)
    _read_options(draft)
    found = extract_parameters(draft.text, chosen)
    parameters = {**draft.parameters, **found.values}
    _keep_consistent(parameters, chosen, draft)
    if named.exponential and chosen == "sma_crossover":
        draft.remarks.append("The crossover template uses simple moving averages, not exponential ones.")
    _read_further_markets(draft, utterance, chosen)
    parameters |= draft.parameters
    return BotWish(
        strategy=strategy if strategy != current else None,
        candidates=candidates,
        not_offered=named.not_offered,
        parameters=parameters,
        name=utterance.name,
        language=find_language(text),
        bot_type=find_bot_type(text),
        remarks=(*draft.remarks, *found.notes),
        unread=found.unread,
    )


def _read_further_markets(draft: _Draft, utterance: Utterance, strategy: str | None) -> None:
    """The markets beside the first: another leg, the rest of a basket, or more than one bot can trade."""
    others = utterance.other_symbols
    if not others:
        return
    if strategy == "momentum_rotation":
        draft.parameters["other_symbols"] = ",".join(others)
        return
    if strategy == "pairs_arbitrage":
        draft.parameters["second_symbol"], others = others[0], others[1:]
    elif strategy == "funding_carry":
        # The perpetual of the spot market is its other leg, whether it is named or not.
        coin = (utterance.symbol or "").split(":")[0]
        others = tuple(one for one in others if one.split(":")[0] != coin)
    if others:
        kept = " and ".join(draft.parameters[n] for n in ("symbol", "second_symbol") if n in draft.parameters)
        draft.remarks.append(
            f"One bot of this kind trades no more markets: I take {kept} and leave {', '.join(others)}."
        )


def _resolve(
    text: str, named: tuple[str, ...], weight: int, current: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """The one strategy that is meant, or the several that may be."""
    if not named:
        return choose_from_list(text), ()
    if current and (weight < 3 or current in named):
        # Words such as `oversold` or `new high` also describe a bot that follows another strategy.
        return current, ()
    if len(named) == 1:
        return named[0], ()
    counts = {name: count_own(text, name) for name in named}
    best = max(counts.values())
    leaders = [name for name, count in counts.items() if count == best]
    return (leaders[0], ()) if len(leaders) == 1 else (None, named)


def _read_time(draft: _Draft, utterance: Utterance, strategy: str | None) -> None:
    saves = strategy in _REGULAR
    frame = find_timeframe(draft.text, of_bot=not saves)
    if frame and not (frame.implied and saves):
        _take_timeframe(draft, frame)
    rhythm = find_rhythm(draft.text, loose=saves)
    if utterance.cron:
        draft.parameters["schedule"] = utterance.cron
    elif rhythm and rhythm.cron and (not saves or _FIXED_TIME.search(draft.text)):
        draft.parameters["schedule"] = rhythm.cron
    if rhythm:
        if saves and rhythm.hours:
            draft.parameters["interval_hours"] = rhythm.hours
        _note_rhythm(draft, rhythm, saves)
        draft.blank(rhythm.span)
        for match in _CLOCK.finditer(draft.text):
            draft.blank(match.span())


def _take_timeframe(draft: _Draft, frame: FoundTimeframe) -> None:
    if frame.offered:
        draft.parameters["timeframe"] = frame.value
    else:
        draft.remarks.append(
            f"Candles of {frame.value} are not offered; there are {', '.join(TIMEFRAMES)}. I left the "
            f"timeframe."
        )
    if not frame.implied:
        draft.blank(frame.span)


def _note_rhythm(draft: _Draft, rhythm: Rhythm, saves: bool) -> None:
    if saves and rhythm.hours == 720:
        draft.remarks.append("A month counts as 30 days.")
    elif saves and rhythm.hours is None:
        draft.remarks.append("The savings plan buys at most once an hour.")
    elif not saves and not rhythm.cron:
        draft.remarks.append("I could not turn that rhythm into a schedule; the bot runs once a candle.")


def _read_options(draft: _Draft) -> None:
    exchange = find_exchange(draft.text)
    if exchange:
        draft.parameters["exchange"] = exchange
    poll = find_poll_seconds(draft.text)
    if poll:
        draft.parameters["poll_seconds"] = poll[0]
        draft.blank(poll[1])
    if find_live_trading(draft.text):
        draft.remarks.append(
            "Real orders stay off in the files I write: an instance's configuration turns them on with "
            "`live_trading: true`, once you have watched the bot trade on paper."
        )


def _keep_consistent(parameters: dict[str, Any], strategy: str | None, draft: _Draft) -> None:
    """What follows from the values that were given."""
    if {"lower_price", "upper_price"} <= set(parameters):
        parameters.pop("centre_price", None)
    hours = parameters.get("interval_hours")
    if strategy == "dca" and hours and "max_trades_per_day" not in parameters:
        buys = math.ceil(24 / hours)
        if buys > _BUYS_A_DAY:
            parameters["max_trades_per_day"] = buys
            draft.remarks.append(f"I raised the limit of trades a day to {buys}, so that every buy fits.")


def complete_wish(utterances: tuple[Utterance, ...]) -> BotWish:
    """The wish that several messages make together: what comes later counts where they differ."""
    strategies = [read_wish(utterance).strategy for utterance in utterances]
    strategy = next((name for name in reversed(strategies) if name), None)
    wishes = [read_wish(utterance, strategy) for utterance in utterances]
    parameters: dict[str, Any] = {}
    for wish in wishes:
        parameters.update(wish.parameters)
    latest = wishes[-1]
    return replace(
        latest,
        strategy=strategy,
        parameters=parameters,
        name=_latest([wish.name for wish in wishes]),
        language=_latest([wish.language for wish in wishes]),
        bot_type=_latest([wish.bot_type for wish in wishes]),
        remarks=tuple(dict.fromkeys(remark for wish in wishes for remark in wish.remarks)),
        # The reply to a numbered list is a number too.
        unread=tuple(dict.fromkeys(item for wish in wishes[:-1] for item in wish.unread)),
    )


def _latest(values: list[str | None]) -> str | None:
    return next((value for value in reversed(values) if value), None)
