"""What a bot is made for beside its strategy: exchange, language, live trading, polling."""

from __future__ import annotations

import re

from shared.model.offline.numerals import NUMBER, number

# ccxt's ids of exchanges people name, by what they call them.
_EXCHANGES = {
    "binance us": "binanceus", "binance.us": "binanceus", "binanceus": "binanceus", "binance": "binance",
    "kraken": "kraken", "coinbase pro": "coinbaseexchange", "coinbase": "coinbase", "bybit": "bybit",
    "okx": "okx", "okex": "okx", "kucoin": "kucoin", "bitget": "bitget", "gate.io": "gate", "gateio": "gate",
    "bitfinex": "bitfinex", "bitstamp": "bitstamp", "huobi": "htx", "htx": "htx", "mexc": "mexc",
    "bitmex": "bitmex", "deribit": "deribit", "alpaca": "alpaca", "hyperliquid": "hyperliquid",
    "crypto.com": "cryptocom", "bingx": "bingx", "phemex": "phemex", "upbit": "upbit", "bitvavo": "bitvavo",
    "poloniex": "poloniex",
}  # fmt: skip
_EXCHANGE = re.compile(
    rf"\b({'|'.join(re.escape(name) for name in sorted(_EXCHANGES, key=len, reverse=True))})\b(?! coins?\b)"
)
_ON_EXCHANGE = re.compile(r"\bon (?:the )?(gemini|gate)\b(?! (?:model|api))")
_LEFT_BEHIND = re.compile(r"(?:\bfrom|\binstead of|\brather than|\bnot(?: on)?|\boff) $")

_LANGUAGES = (
    ("typescript", r"typescript|\bts\b"),
    ("nodejs", r"node(?:\.?js)?|javascript|\bjs\b"),
    ("rust", r"rust"),
    ("cpp", r"c\+\+|cpp"),
    ("csharp", r"c#|csharp|c sharp|\.net|dotnet"),
    ("scala", r"scala"),
    ("haskell", r"haskell"),
    ("go", r"golang"),
    ("java", r"java"),
    ("python", r"python(?: ?3(?:\.\d{1,2})?)?|py"),
)
_LANGUAGE = tuple(
    (name, re.compile(rf"(?<![\w.])(?:{words})(?![\w+#])(?! instead of)")) for name, words in _LANGUAGES
)
_IN_GO = re.compile(r"\b(?:in|using|with) go\b(?! (?:to|live))")
# What the tool may call the language of a name above.
_SAME_LANGUAGE = {
    "nodejs": ("nodejs", "javascript", "node", "js"),
    "typescript": ("typescript", "nodejs", "ts"),
    "cpp": ("cpp", "c++"),
    "csharp": ("csharp", "c#"),
}

_LIVE = re.compile(
    r"\b(?:live[ _]trading|trades? live|trading live|go(?:es)? live|real money|real orders?|live orders?"
    r"|live mode)\b"
)
_NOT_LIVE = re.compile(
    r"\b(?:paper(?:[ -]trad\w{1,4})?|dry[ -]?run|simulat\w{1,5}|demo mode)\b"
    r"|\b(?:no|not|without|never|disable|don't|do not)(?: \w{1,10}){0,2} (?:live|real)\b"
    r"|\blive[ _]trading(?: (?:is|to|=|off|:))* ?(?:off|false|disabled)\b"
)
_POLL = re.compile(
    rf"\b(?:poll|check|look|update|refresh)\w{{0,4}}\b[^\d.;!?\n]{{0,30}}?\bevery ({NUMBER}) ?(seconds?"
    rf"|secs?|s|minutes?|mins?|m)\b"
)
_POLL_SETTING = re.compile(
    rf"\bpoll(?:ing)?(?: interval| seconds)?(?: (?:of|to|is|at))*[ :=]{{1,3}}({NUMBER})()"
)


def find_exchange(text: str) -> str | None:
    """ccxt's id of the exchange that the canonical text names."""
    for match in _EXCHANGE.finditer(text):
        if not _LEFT_BEHIND.search(text[max(0, match.start() - 16) : match.start()]):
            return _EXCHANGES[match[1]]
    named = _ON_EXCHANGE.search(text)
    return named[1] if named else None


def find_language(text: str) -> str | None:
    """The programming language that the canonical text names, as this module calls it."""
    for name, pattern in _LANGUAGE:
        if pattern.search(text):
            return name
    return "go" if _IN_GO.search(text) else None


def offered_language(name: str, offered: tuple[str, ...]) -> str | None:
    """What the tool calls the language, None when it does not offer it."""
    return next((word for word in _SAME_LANGUAGE.get(name, (name,)) if word in offered), None)


def find_live_trading(text: str) -> bool | None:
    """True when the text asks for real orders, False when it asks for none."""
    if _NOT_LIVE.search(text):
        return False
    return True if _LIVE.search(text) else None


def find_poll_seconds(text: str) -> tuple[int, tuple[int, int]] | None:
    """Seconds between two looks at the market, with their place in the text."""
    match = _POLL.search(text) or _POLL_SETTING.search(text)
    if not match:
        return None
    seconds = number(match[1]) * (60 if match[2].startswith("m") else 1)
    return max(1, round(seconds)), match.span()
