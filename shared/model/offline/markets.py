"""Names and tickers of markets that people write, for extract_symbol.py."""

from __future__ import annotations

# The currencies that prices are quoted in, longest first where one ends another.
QUOTES = (
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "JPY", "AUD", "CAD", "CHF", "DAI", "BTC",
    "ETH", "BNB",
)  # fmt: skip

NAMES = {
    "bitcoin": "BTC", "ethereum": "ETH", "ether": "ETH", "solana": "SOL", "ripple": "XRP",
    "cardano": "ADA", "dogecoin": "DOGE", "litecoin": "LTC", "polkadot": "DOT", "chainlink": "LINK",
    "avalanche": "AVAX", "polygon": "MATIC", "tron": "TRX", "shiba inu": "SHIB", "uniswap": "UNI",
    "monero": "XMR", "toncoin": "TON", "binance coin": "BNB", "bitcoin cash": "BCH",
    "ethereum classic": "ETC", "aptos": "APT", "arbitrum": "ARB", "filecoin": "FIL",
    "hedera": "HBAR", "pepe": "PEPE", "bonk": "BONK",
}  # fmt: skip

STOCK_NAMES = {
    "apple": "AAPL", "tesla": "TSLA", "microsoft": "MSFT", "nvidia": "NVDA", "amazon": "AMZN",
    "google": "GOOGL", "alphabet": "GOOGL", "netflix": "NFLX",
}  # fmt: skip

# Tickers that no one writes by accident, in any case.
PLAIN_TICKERS = frozenset((
    "BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "AVAX", "MATIC", "TRX", "SHIB", "PEPE", "BCH",
    "XLM", "XMR", "SUI", "BNB", "HBAR", "WIF", "BONK", "XTZ", "EOS", "ZEC", "AAVE", "ALGO", "KAS",
    "FET", "TAO", "HYPE",
))  # fmt: skip

# Tickers that are also words, or stocks: in capitals only.
CAPITAL_TICKERS = frozenset((
    "DOT", "LINK", "UNI", "ATOM", "NEAR", "APT", "ARB", "OP", "TON", "ETC", "ICP", "FIL", "INJ",
    "VET", "SAND", "MANA", "IMX", "SEI", "LDO", "RUNE", "GRT", "CRV", "ENA", "JUP", "TIA", "TRUMP",
    "WLD", "ONDO", "STX", "RENDER", "QNT", "EGLD", "FLOW", "AXS", "CAKE", "COMP", "MKR", "SNX",
    "DASH", "NEO", "IOTA", "KAVA",
))  # fmt: skip

# Shares and funds, in capitals only.
STOCKS = frozenset((
    "AAPL", "TSLA", "MSFT", "NVDA", "AMZN", "GOOG", "GOOGL", "META", "NFLX", "AMD", "INTC", "SPY",
    "QQQ", "IWM", "DIA", "COIN", "MSTR", "GME", "AMC", "PLTR", "BABA", "JPM", "V", "MA", "KO",
    "DIS", "BA", "NKE", "ORCL", "CRM", "ADBE", "PYPL", "UBER", "SHOP", "SQ", "ARM", "SMCI", "AVGO",
    "TSM", "WMT", "XOM", "BRK.B", "VOO", "VTI", "TQQQ", "GLD", "SLV",
))  # fmt: skip

# Words in capitals that are no ticker.
NOT_TICKERS = frozenset((
    "RSI", "SMA", "EMA", "WMA", "MA", "DCA", "ATR", "MACD", "ADX", "API", "CSV", "PDF", "USD",
    "EUR", "BUY", "SELL", "LONG", "AND", "OR", "NOT", "THE", "BOT", "SDK", "CLI", "JSON", "YAML",
    "HTTP", "URL", "UTC", "AM", "PM", "MCP", "AI", "ML", "OK", "PNL", "TP", "SL", "BB", "STD",
    "HELLO", "HI", "HELP", "PLEASE", "MAKE", "BUILD", "WITH", "FOR", "FROM", "INTO", "GRID", "RISK",
    "STOP", "LOSS", "A", "AN", "I", "IT", "IN", "ON", "OF", "TO", "UP", "MY", "ME", "WE", "DO",
    "SO", "IF", "IS", "BE", "BY", "AT", "GO", "KEY", "ENV", "IDE", "SQL", "NO", "YES", "USE", "SET",
    "ADD", "NEW", "ALL", "ANY", "TS", "JS", "CCXT", "NATS", "GCS", "ROI", "CAGR", "VWAP", "OBV",
    "KDJ", "CCI", "USDT", "USDC", "BUSD", "LLM", "OHLC", "OHLCV", "DRY", "RUN", "LIVE", "PAPER",
    "TRADE", "TRADES", "CROSS", "GOLDEN", "DEATH", "TURTLE",
))  # fmt: skip
