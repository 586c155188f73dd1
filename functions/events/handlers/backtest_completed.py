"""`backtest.completed`: the outcome of a backtest, of a bot or of a session's files."""

from __future__ import annotations

from functions.events.data import NamedData
from functions.events.told import Told, kept
from shared.events.envelope import CloudEvent


class BacktestCompleted(NamedData):
    """The outcome, whatever its members; its metrics are no metrics of a bot that runs."""


def tell_backtest(event: CloudEvent, data: BacktestCompleted) -> Told:
    """The outcome as `recent_backtest` shows it."""
    outcome = kept(data.rest())
    return Told(of=data, data=outcome, facts={"backtest": outcome}, needs_bot=False)
