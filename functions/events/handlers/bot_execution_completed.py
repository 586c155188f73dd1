"""`bot.execution.completed`: a run of a bot ended well; its results, metrics and view of the market."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from functions.events.data import NamedData
from functions.events.told import Told, kept
from shared.bots.facts import FactKind
from shared.events.envelope import CloudEvent


class BotExecutionCompleted(NamedData):
    """The run: `metrics` and `market_data` have members of the context for themselves."""

    metrics: dict[str, Any] | None = None
    market_data: dict[str, Any] | None = Field(
        default=None, validation_alias=AliasChoices("market_data", "marketData")
    )


def tell_completed(event: CloudEvent, data: BotExecutionCompleted) -> Told:
    """The run as `recent_execution`, `performance_metrics` and `market_conditions` show it."""
    run, metrics, market = kept(data.rest()), kept(data.metrics), kept(data.market_data)
    whole = dict(run)
    facts: dict[FactKind, dict[str, Any]] = {"completed": run}
    if metrics:
        facts["metrics"] = whole["metrics"] = metrics
    if market:
        facts["market"] = whole["market_data"] = market
    return Told(of=data, data=whole, facts=facts)
