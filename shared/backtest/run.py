"""A whole backtest: walk, book again outside, measure, check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.backtest.booking import Booking, book_orders
from shared.backtest.checks.calendar import SHIFT_MS, judge_calendar
from shared.backtest.checks.costs import MULTIPLES, judge_costs
from shared.backtest.checks.decisions import (
    acted_by_candle,
    judge_look_ahead,
    judge_repeatable,
    judge_warm_up,
    probe_points,
    probe_task,
)
from shared.backtest.checks.over_fitting import Variation, judge_over_fitting
from shared.backtest.checks.parameters import combinations, tunable_parameters
from shared.backtest.checks.trading import (
    judge_account,
    judge_number,
    judge_one_trade,
    judge_survivorship,
)
from shared.backtest.crashes import judge_crash
from shared.backtest.findings import CheckResult
from shared.backtest.measures import buy_and_hold, measures_of
from shared.backtest.protocol import ANSWER_FILE, Crash, TaskAnswer, make_job, read_answers
from shared.backtest.request import BacktestRequest
from shared.backtest.result import Backtest, Outcome
from shared.backtest.trades import trades_of
from shared.errors import ToolInputError
from shared.sandbox.port import Sandbox

WALK_SECONDS, CHECK_SECONDS = 30.0, 45.0
# Candles times variations of the map of parameters: about two seconds of an ordinary strategy.
MAP_STEPS = 40_000
_LEAST_MAP = 400

NO_FORM = (
    "this bot has no strategy.py (or strategy.js) of the form that a backtest runs, with decide or "
    "decide_all and candles_needed; verify_bot probes bots of any form, create_bot_template writes bots of "
    "this one"
)


async def run_backtest(
    sandbox: Sandbox, request: BacktestRequest, *, decisions_only: bool = False
) -> Backtest:
    """The backtest of a bot of our form; a bot that fails is a result, not an error.

    `decisions_only` leaves out what takes most walks: the map of parameters and other costs.

    Raises:
        ToolInputError: the bot has no strategy of our form (its details then hold `no_form`), refuses the
            configuration, or needs candles that are not there.
        SandboxUnavailableError: nothing here isolates code well enough.
    """
    if request.runtime is None:
        raise _no_form()
    started = time.perf_counter()
    (walk,) = await _answers(sandbox, request, [{"kind": "run"}], seconds=WALK_SECONDS)
    if walk.crash is not None and walk.form is None:
        said = walk.crash.error.partition(": ")[2]
        if walk.crash.kind == "config":
            raise ToolInputError(f"config: the bot refuses it: {said}")
        if walk.crash.kind == "candles":
            raise ToolInputError(f"{request.candles.source}: {said}")
        if walk.crash.kind == "form":
            raise _no_form(said)
    if walk.form is None:
        return _failed(sandbox, request, walk, time.perf_counter() - started)
    account = _Account.of(request, walk)
    if decisions_only:
        variations: list[Variation] | None = None
        tasks = account.decision_tasks()
        checks = await _answers(sandbox, request, tasks, seconds=CHECK_SECONDS)
    else:
        tasks = [*account.decision_tasks(), *account.cost_tasks()]
        checks, variations = await asyncio.gather(
            _answers(sandbox, request, tasks, seconds=CHECK_SECONDS),
            _variations(sandbox, request, account),
        )
    outcome = await asyncio.to_thread(account.outcome)
    results = await asyncio.to_thread(account.judge, outcome, checks, variations)
    return Backtest(
        request=request,
        symbols=account.symbols,
        needed=account.needed,
        outcome=outcome,
        crash=walk.crash,
        checks=results,
        isolation=sandbox.isolation,
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """The walk, booked again: what the checks and the measures are made from."""

    request: BacktestRequest
    walk: TaskAnswer
    booking: Booking
    symbols: tuple[str, ...]
    needed: int
    cash: float
    points: tuple[int, ...]

    @classmethod
    def of(cls, request: BacktestRequest, walk: TaskAnswer) -> _Account:
        """Books the orders of a walk; what the bot says of itself is checked first."""
        symbols, needed, cash = _checked_form(request, walk.form or {})
        count = len(request.candles)
        points = tuple(probe_points(walk.orders, candles=count, needed=needed))
        booking = book_orders(
            request.candles,
            walk.orders,
            costs=request.costs.shares(volume_known=request.volume_known),
            cash=cash,
            symbols=symbols,
            told=walk.end,
            watch=frozenset(points),
        )
        return cls(
            request=request,
            walk=walk,
            booking=booking,
            symbols=symbols,
            needed=needed,
            cash=cash,
            points=points,
        )

    def decision_tasks(self) -> list[dict[str, Any]]:
        """The probe, and the walk at other dates."""
        return [
            probe_task(self.points, self.booking.holdings),
            {"kind": "run", "shift_ms": SHIFT_MS},
        ]

    def cost_tasks(self) -> list[dict[str, Any]]:
        """The walks at other costs."""
        known = self.request.volume_known
        return [
            {"kind": "run", "costs": list(self.request.costs.shares(times=times, volume_known=known))}
            for times in MULTIPLES
        ]

    def book(self, answer: TaskAnswer, *, times: float = 1.0, candles: int | None = None) -> Booking | None:
        """The orders of another walk, booked; None where it did not come to its end."""
        if answer.end is None:
            return None
        costs = self.request.costs.shares(times=times, volume_known=self.request.volume_known)
        series = self.request.candles if candles is None else self.request.candles.last(candles)
        return book_orders(series, answer.orders, costs=costs, cash=self.cash, symbols=self.symbols)

    def outcome(self) -> Outcome:
        """The measures of the account and of buying and holding."""
        candles = self.request.candles
        rows = candles.of_symbols(self.symbols)
        times, step = candles.times, candles.step_ms
        trades = trades_of(self.booking.fills, rows, self.symbols)
        costs = self.request.costs.shares()
        hold = tuple(buy_and_hold(rows, cash=self.cash, taker=costs.taker, slippage=costs.slippage))
        held = Booking.of_holding(hold, self.cash)
        return Outcome(
            booking=self.booking,
            trades=trades,
            measures=measures_of(self.booking, trades, times, step),
            hold=measures_of(held, (), times, step),
            hold_equity=hold,
        )

    def judge(
        self, outcome: Outcome, answers: Sequence[TaskAnswer], variations: list[Variation] | None
    ) -> tuple[CheckResult, ...]:
        """Every check's result, the gravest kinds first; without variations the decisions' alone."""
        probe, moved, *dearer = answers
        times, orders = self.request.candles.times, self.walk.orders
        crash = judge_crash(self.walk, times)
        decisions = (
            *((crash,) if crash is not None else ()),
            judge_account(self.booking, self.walk.malformed if self.walk.crash is None else 0),
            judge_look_ahead(probe, times),
            judge_repeatable(probe.probes, acted_by_candle(orders), times),
            judge_warm_up(probe.probes, times),
            judge_calendar(orders, moved.orders if moved.end is not None else None),
        )
        if variations is None:
            return decisions
        return (
            *decisions,
            judge_over_fitting(variations, candles=_map_length(self.request, len(variations))),
            self._judge_costs(outcome, dearer),
            judge_number(outcome.trades),
            judge_one_trade(outcome.trades),
            judge_survivorship(self.symbols),
        )

    def _judge_costs(self, outcome: Outcome, answers: Sequence[TaskAnswer]) -> CheckResult:
        returns: dict[float, float] = {1: outcome.measures.return_pct}
        for multiple, answer in zip(MULTIPLES, answers, strict=True):
            booked = self.book(answer, times=multiple)
            if booked is not None:
                returns[multiple] = 100 * (booked.equity[-1] / booked.start - 1)
        return judge_costs(
            returns,
            fills=len(self.booking.fills),
            candles=len(self.request.candles),
            fees_pct=100 * outcome.measures.fees / self.cash,
        )


async def _variations(sandbox: Sandbox, request: BacktestRequest, account: _Account) -> list[Variation]:
    """The map of parameters, on the newest candles that its bound allows."""
    configs = combinations(tunable_parameters(request.files, request.config))
    if len(configs) < 2:
        return []
    count = _map_length(request, len(configs))
    start = len(request.candles) - count
    tasks = [{"kind": "run", "from": start, "config": config} for config in configs]
    answers = await _answers(sandbox, request, tasks, seconds=CHECK_SECONDS)

    def booked() -> list[Variation]:
        made = []
        for config, answer in zip(configs, answers, strict=True):
            booking = account.book(answer, candles=count)
            made.append(Variation(config=config, equity=booking.equity if booking else None))
        return made

    return await asyncio.to_thread(booked)


def _map_length(request: BacktestRequest, variations: int) -> int:
    return min(len(request.candles), max(_LEAST_MAP, MAP_STEPS // max(1, variations)))


async def _answers(
    sandbox: Sandbox, request: BacktestRequest, tasks: Sequence[dict[str, Any]], *, seconds: float
) -> list[TaskAnswer]:
    """The answers of the tasks; one that the sandbox ended has a crash that says so."""
    job = await asyncio.to_thread(make_job, request, tasks, seconds=seconds)
    run = await sandbox.run(job=job)
    answers = await asyncio.to_thread(read_answers, run.files.get(ANSWER_FILE, b""), len(tasks))
    if run.exit_code != 0 or run.limit is not None:
        said = run.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        reason = f"the {run.limit} limit of the sandbox" if run.limit else (said or f"exit {run.exit_code}")
        for answer in answers:
            if answer.end is None and answer.crash is None:
                answer.crash = Crash(reason, "", None, limit=run.limit)
    return answers


def _no_form(said: str = "") -> ToolInputError:
    error = ToolInputError(f"{said}; {NO_FORM}" if said else NO_FORM)
    error.details["no_form"] = True
    return error


def _failed(sandbox: Sandbox, request: BacktestRequest, walk: TaskAnswer, seconds: float) -> Backtest:
    crash = judge_crash(walk, request.candles.times)
    assert crash is not None
    return Backtest(
        request=request,
        symbols=request.candles.symbols,
        needed=0,
        outcome=None,
        crash=walk.crash,
        checks=(crash,),
        isolation=sandbox.isolation,
        seconds=seconds,
    )


def _checked_form(request: BacktestRequest, form: dict[str, Any]) -> tuple[tuple[str, ...], int, float]:
    """The bot's markets, how many candles it needs and its cash, as it tells them.

    Raises:
        ToolInputError: they are not what a bot of our form has.
    """
    try:
        symbols = tuple(str(symbol) for symbol in form["symbols"])
        needed, cash = int(form["needed"]), float(form["cash"])
    except (KeyError, TypeError, ValueError) as error:
        raise _no_form() from error
    known = set(request.candles.symbols)
    if not symbols or not 0 < cash < 1e15 or (len(known) > 1 and not known.issuperset(symbols)):
        raise _no_form()
    return symbols, max(1, needed), cash
