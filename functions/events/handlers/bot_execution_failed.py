"""`bot.execution.failed`: a run of a bot broke; its error and the last lines of its log."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from functions.events.data import NamedData
from functions.events.told import Told, kept, last_lines, text_of
from shared.bots.facts import FactKind
from shared.events.envelope import CloudEvent


class BotExecutionFailed(NamedData):
    """The run: `error` is a text or an object with one, `logs` a text or lines."""

    error: Any = Field(default=None, validation_alias=AliasChoices("error", "error_message", "errorMessage"))
    logs: Any = Field(default=None, validation_alias=AliasChoices("logs", "log", "stderr", "output"))
    market_data: dict[str, Any] | None = Field(
        default=None, validation_alias=AliasChoices("market_data", "marketData")
    )


def tell_failed(event: CloudEvent, data: BotExecutionFailed) -> Told:
    """The run as `recent_execution` shows it; without an error's text the log's last line stands for it."""
    lines = last_lines(data.logs)
    error = text_of(data.error) or (lines[-1] if lines else "")
    run = kept(data.rest())
    if error:
        run["error"] = error
    if lines:
        run["logs"] = lines
    whole = dict(run)
    facts: dict[FactKind, dict[str, Any]] = {"failed": run}
    market = kept(data.market_data)
    if market:
        facts["market"] = whole["market_data"] = market
    return Told(of=data, data=whole, facts=facts)
