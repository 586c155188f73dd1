"""Markets named in a sentence, as ccxt writes them: `bitcoin` and `BTCUSDT` are both BTC/USDT."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.offline.markets import (
    CAPITAL_TICKERS,
    NAMES,
    NOT_TICKERS,
    PLAIN_TICKERS,
    QUOTES,
    STOCK_NAMES,
    STOCKS,
)

DEFAULT_QUOTE = "USDT"
# One is asked for; a list of tickers is not read to its end.
_MOST = 20

_PAIR = re.compile(
    rf"(?<![\w/.:])\$?([A-Za-z0-9]{{2,15}})[/_-]({'|'.join(QUOTES)})(:[A-Za-z]{{3,5}})?(?![\w/])",
    re.IGNORECASE,
)
_JOINED = re.compile(
    rf"(?<![\w/.-])([A-Za-z0-9]{{2,12}}?)({'|'.join(QUOTES)})(?:\.P|PERP)?(?![\w/-])", re.IGNORECASE
)
_NAME = re.compile(
    rf"\b({'|'.join(sorted((*NAMES, *STOCK_NAMES), key=len, reverse=True))})s?\b", re.IGNORECASE
)
_TICKER = re.compile(r"(?<![\w/.$-])(\$?)([A-Za-z]{2,6}(?:\.[AB])?)(?![\w/]|-(?!pair|based|only)\w)")
_NAMED_TICKER = re.compile(
    r"\b(?:for|on|trade|trades|trading|of|symbol|ticker|to|buy|with|pair|market|stock|coin|use)[ :]{1,2}$",
    re.IGNORECASE,
)
_QUOTE = re.compile(
    r"\b(?:against|vs\.?|versus|priced in|quoted in|paired with|pair with|denominated in|in terms of)"
    r" (?:the )?(usdt|usdc|usd|us dollars?|dollars?|tether|eur|euros?|gbp|pounds?|btc|bitcoin)\b",
    re.IGNORECASE,
)
_QUOTE_NAMES = {"us dollar": "USD", "dollar": "USD", "tether": "USDT", "euro": "EUR", "pound": "GBP",
                "bitcoin": "BTC"}  # fmt: skip
_PERPETUAL = re.compile(r"\b(?:perp|perps|perpetual|perpetuals|perpetual (?:future|swap)s?)\b", re.IGNORECASE)
_SHARES = re.compile(r"(?:'s)? (?:stocks?|shares?|equity)\b", re.IGNORECASE)
_UNWANTED = re.compile(
    r"(?:\bfrom|\binstead of|\brather than|\bnot|\bno longer|\breplace|\bstop trading)\s+$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FoundSymbol:
    """A market and where the text names it; `wanted` is False for `instead of BTC`."""

    symbol: str
    start: int
    end: int
    wanted: bool = True


def find_symbols(text: str) -> tuple[FoundSymbol, ...]:
    """Every market the text names, in its order, each stretch of text once."""
    quote_match = _QUOTE.search(text)
    quote = _quote_of(quote_match[1]) if quote_match else DEFAULT_QUOTE
    taken = [quote_match.span()] if quote_match else []
    found: list[FoundSymbol] = []

    def take(symbol: str | None, start: int, end: int) -> None:
        if symbol and len(found) < _MOST and not any(start < e and s < end for s, e in taken):
            taken.append((start, end))
            found.append(
                FoundSymbol(symbol, start, end, not _UNWANTED.search(text[max(0, start - 20) : start]))
            )

    for match in _PAIR.finditer(text):
        take(_pair(match[1], match[2], match[3]), *match.span())
    for match in _JOINED.finditer(text):
        take(_joined(match[1], match[2]), *match.span())
    for match in _NAME.finditer(text):
        take(_named(match[1].lower(), quote, text, match.end()), *match.span())
    shouted = _is_shouted(text)
    for match in _TICKER.finditer(text):
        take(_ticker(match, quote, shouted), *match.span())
    perpetual = _PERPETUAL.search(text) is not None
    found.sort(key=lambda item: item.start)
    return tuple(_as_perpetual(item) if perpetual else item for item in found)


def _quote_of(words: str) -> str:
    lowered = words.lower().rstrip("s") if words.lower() != "us" else words
    return _QUOTE_NAMES.get(lowered, lowered.upper())


def _pair(base: str, quote: str, settle: str | None) -> str | None:
    if base.isdigit() or base.upper() == quote.upper():
        return None
    return f"{base}/{quote}{settle or ''}".upper()


def _joined(base: str, quote: str) -> str | None:
    known = base.upper() in PLAIN_TICKERS | CAPITAL_TICKERS
    stable = quote.upper() in ("USDT", "USDC", "FDUSD", "BUSD")
    capital = base == base.upper() and quote == quote.upper() and any(c.isalpha() for c in base)
    if known or (stable and capital):
        return f"{base}/{quote}".upper()
    return None


def _named(name: str, quote: str, text: str, end: int) -> str | None:
    if name in STOCK_NAMES:
        # The companies are also makers of phones and of a model; only their shares are markets.
        shares = _SHARES.match(text, end)
        before = _NAMED_TICKER.search(text[max(0, end - len(name) - 12) : end - len(name)])
        return STOCK_NAMES[name] if shares or before else None
    return _against(NAMES[name], quote)


def _is_shouted(text: str) -> bool:
    """Whether the text is in capitals throughout, so that capitals mean nothing."""
    letters = [c for c in text if c.isalpha()]
    return sum(c.isupper() for c in letters) * 2 > len(letters) > 24


def _ticker(match: re.Match[str], quote: str, shouted: bool) -> str | None:
    ticker = match[2].upper()
    capital = match[2] == ticker and not shouted
    if ticker in PLAIN_TICKERS or (ticker in CAPITAL_TICKERS and (capital or match[1])):
        return _against(ticker, quote)
    if ticker in STOCKS and (capital or match[1]) and len(ticker) > 2:
        return ticker
    if ticker in STOCKS and _SHARES.match(match.string, match.end()):
        return ticker
    if not capital or ticker in NOT_TICKERS or ticker in QUOTES or len(ticker) < 3:
        return None
    before = match.string[max(0, match.start() - 12) : match.start()]
    return ticker if match[1] or _NAMED_TICKER.search(before) else None


def _against(base: str, quote: str) -> str:
    return f"{base}/{quote if quote != base else DEFAULT_QUOTE}"


def _as_perpetual(found: FoundSymbol) -> FoundSymbol:
    if "/" not in found.symbol or ":" in found.symbol:
        return found
    settle = found.symbol.split("/")[1]
    return FoundSymbol(f"{found.symbol}:{settle}", found.start, found.end, found.wanted)
