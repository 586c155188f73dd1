"""What a backtest is asked for: a bot's files, its configuration, candles, and what trading costs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.backtest.candles import MarketCandles
from shared.backtest.inside.ledger import Costs as Shares
from shared.sandbox.port import Runtime

_SECRET = re.compile(r"key|secret|passw|token|credential")


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What trading costs: fees in per cent of an order's worth, slippage in basis points against it.

    `volume_share_pct` is the largest part of a candle's volume that one order fills; 0 is no limit.
    """

    maker_pct: float = 0.1
    taker_pct: float = 0.1
    slippage_bps: float = 5.0
    volume_share_pct: float = 10.0

    def shares(self, *, times: float = 1.0, volume_known: bool = True) -> Shares:
        """As the ledger takes them, with fees and slippage multiplied."""
        return Shares(
            self.maker_pct / 100 * times,
            self.taker_pct / 100 * times,
            self.slippage_bps / 10_000 * times,
            self.volume_share_pct / 100 if volume_known else 0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """One backtest; `config` overrides the defaults of the bot's parameters."""

    files: Mapping[str, bytes] = field(repr=False, hash=False)
    candles: MarketCandles = field(repr=False)
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    costs: Costs = Costs()

    @property
    def runtime(self) -> Runtime | None:
        """What runs the bot's strategy; None where it has none of our form."""
        if "strategy.py" in self.files:
            return "python"
        return "node" if "strategy.js" in self.files else None

    @property
    def shown_config(self) -> dict[str, Any]:
        """The configuration as a report may hold it, without what looks like a secret by its name."""
        return {name: "***" if _SECRET.search(name.lower()) else value for name, value in self.config.items()}

    @property
    def volume_known(self) -> bool:
        """Whether the candles have volumes at all; without any, orders are not limited by it."""
        return all(any(row[5] > 0 for row in rows) for rows in self.candles.rows)


def files_sha256(files: Mapping[str, bytes]) -> str:
    """The hash of a set of files: of each name and each content's own hash, in the order of names."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return total.hexdigest()
