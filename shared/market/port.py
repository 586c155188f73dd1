"""What the analysis asks of a source of candles."""

from __future__ import annotations

from typing import Protocol

from shared.market.candles import Candles


class CandleSource(Protocol):
    """Closed candles of a market, by exchange and symbol."""

    async def candles(
        self, *, exchange: str, symbol: str, timeframe: str, count: int, now: int
    ) -> tuple[str, Candles]:
        """The symbol as the exchange writes it, and up to `count` candles closed by `now` (ms), the newest.

        Fewer come when the exchange has no more. `exchange` is a name of exchanges.py, `timeframe` one of
        `TIMEFRAMES`; the symbol is taken as people write it (BTC/USDT, btcusdt, BTC-USDT).

        Raises:
            ToolInputError: the exchange does not know the symbol, or has no candles of the timeframe.
            ToolFailedError: the exchange cannot be reached, limits us or does not answer sensibly.
        """
        ...
