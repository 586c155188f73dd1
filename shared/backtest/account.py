"""A walk, booked again: what the measures and the checks of a backtest are made from."""

from __future__ import annotations

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
from shared.backtest.checks.trading import (
    judge_account,
    judge_number,
    judge_one_trade,
    judge_survivorship,
)
from shared.backtest.crashes import judge_crash, no_form
from shared.backtest.findings import CheckResult
from shared.backtest.measures import buy_and_hold, measures_of
from shared.backtest.protocol import TaskAnswer
from shared.backtest.request import BacktestRequest
from shared.backtest.result import Outcome
from shared.backtest.trades import trades_of

# Candles times variations of the map of parameters: about two seconds of an ordinary strategy.
MAP_STEPS = 40_000
_LEAST_MAP = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The walk, booked again: what the checks and the measures are made from."""

    request: BacktestRequest
    walk: TaskAnswer
    booking: Booking
    symbols: tuple[str, ...]
    needed: int
    cash: float
    points: tuple[int, ...]

    @classmethod
    def of(cls, request: BacktestRequest, walk: TaskAnswer) -> Account:
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
            judge_over_fitting(variations, candles=map_length(self.request, len(variations))),
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


def map_length(request: BacktestRequest, variations: int) -> int:
    """How many of the newest candles a map of so many variations walks over."""
    return min(len(request.candles), max(_LEAST_MAP, MAP_STEPS // max(1, variations)))


def _checked_form(request: BacktestRequest, form: dict[str, Any]) -> tuple[tuple[str, ...], int, float]:
    """The bot's markets, how many candles it needs and its cash, as it tells them.

    Raises:
        ToolInputError: they are not what a bot of our form has.
    """
    try:
        symbols = tuple(str(symbol) for symbol in form["symbols"])
        needed, cash = int(form["needed"]), float(form["cash"])
    except (KeyError, TypeError, ValueError) as error:
        raise no_form() from error
    known = set(request.candles.symbols)
    if not symbols or not 0 < cash < 1e15 or (len(known) > 1 and not known.issuperset(symbols)):
        raise no_form()
    return symbols, max(1, needed), cash
