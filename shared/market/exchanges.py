"""The exchanges that candles come from: a fixed list, each with the only hosts it may be reached at."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Any

from shared.errors import ToolInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An exchange by its ccxt id; `options` keep ccxt to spot markets, so that it asks these hosts only.

    `page` is how many candles one request may ask for.
    """

    id: str
    hosts: tuple[str, ...]
    page: int = 300
    options: dict[str, Any] = field(default_factory=dict)


_SPOT = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}}

EXCHANGES: dict[str, Exchange] = {
    exchange.id: exchange
    for exchange in (
        Exchange(id="binance", hosts=("api.binance.com",), page=1000, options=_SPOT),
        Exchange(id="binanceus", hosts=("api.binance.us",), page=1000, options=_SPOT),
        Exchange(id="bitfinex", hosts=("api-pub.bitfinex.com",), page=1000),
        Exchange(id="bitget", hosts=("api.bitget.com",), page=200, options=_SPOT),
        Exchange(id="bitstamp", hosts=("www.bitstamp.net",), page=1000),
        Exchange(id="bybit", hosts=("api.bybit.com",), page=1000, options=_SPOT),
        Exchange(id="coinbase", hosts=("api.coinbase.com",)),
        Exchange(id="cryptocom", hosts=("api.crypto.com",)),
        Exchange(id="gate", hosts=("api.gateio.ws",), page=1000, options=_SPOT),
        Exchange(id="kraken", hosts=("api.kraken.com",), page=720),
        Exchange(
            id="kucoin",
            hosts=("api.kucoin.com",),
            page=1500,
            options={"fetchMarkets": {"types": ["spot"], "fetchTickersFees": False}},
        ),
        Exchange(id="okx", hosts=("www.okx.com",), options=_SPOT),
    )
}
_ALIASES = {"okex": "okx", "gateio": "gate", "coinbasepro": "coinbase", "coinbaseadvanced": "coinbase"}


def exchange_named(name: str) -> Exchange:
    """The exchange that a person means by `name`; raises ToolInputError that lists what there is."""
    plain = re.sub(r"[^a-z0-9]", "", name[:40].lower())
    found = EXCHANGES.get(_ALIASES.get(plain, plain))
    if found is None:
        near = difflib.get_close_matches(plain, EXCHANGES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ToolInputError(
            f"exchange: {name[:40]!r} is not served{hint} Choose one of {', '.join(EXCHANGES)}, "
            "or give candles of your own as artifact"
        )
    return found
