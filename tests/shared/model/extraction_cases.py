"""Requests for bots in people's words: each with the strategy and the parameters that are in them."""

from __future__ import annotations

from typing import Any

REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "I'd like a bot which buys Bitcoin when the RSI dips below 28 and sells once it climbs above 72, "
        "using fifteen minute candles on Kraken",
        "rsi_momentum",
        {"symbol": "BTC/USDT", "timeframe": "15m", "exchange": "kraken", "buy_below": 28, "sell_above": 72},
    ),
    (
        "rsi bot eth 5m 20/80",
        "rsi_momentum",
        {"symbol": "ETH/USDT", "timeframe": "5m", "buy_below": 20, "sell_above": 80},
    ),
    (
        "RSI strategy on TSLA daily, 21-period, entry below 35, exit above 65, stop loss 4 %, take profit "
        "12 %",
        "rsi_momentum",
        {
            "symbol": "TSLA",
            "timeframe": "1d",
            "stop_loss_pct": 4,
            "take_profit_pct": 12,
            "buy_below": 35,
            "sell_above": 65,
            "rsi_period": 21,
        },
    ),
    (
        "create an rsi bot for BTCUSDT; buy at 25; sell at 75; risk 0.5% per trade; max 2 trades per day",
        "rsi_momentum",
        {
            "symbol": "BTC/USDT",
            "risk_per_trade_pct": 0.5,
            "max_trades_per_day": 2,
            "buy_below": 25,
            "sell_above": 75,
        },
    ),
    (
        "make me a momentum trader for solana: oversold at 20, overbought at 80",
        "rsi_momentum",
        {"symbol": "SOL/USDT", "buy_below": 20, "sell_above": 80},
    ),
    (
        "Please write a strategy that goes long when relative strength index(10) < 30 and exits when > 60 "
        "on the 30m chart of XRP",
        "rsi_momentum",
        {"symbol": "XRP/USDT", "timeframe": "30m", "rsi_period": 10, "buy_below": 30, "sell_above": 60},
    ),
    (
        "rsi (14) oversold 30 overbought 70 for AAPL",
        "rsi_momentum",
        {"symbol": "AAPL", "rsi_period": 14, "buy_below": 30, "sell_above": 70},
    ),
    (
        "build a bot: buy under thirty, sell over seventy, RSI, risk one and a half percent",
        "rsi_momentum",
        {"risk_per_trade_pct": 1.5, "buy_below": 30, "sell_above": 70},
    ),
    (
        "SMA bot: 5/20 on ETH/EUR hourly",
        "sma_crossover",
        {"symbol": "ETH/EUR", "timeframe": "1h", "fast_period": 5, "slow_period": 20},
    ),
    (
        "moving average crossover with a short period of 8 and a long period of 21 for bnb",
        "sma_crossover",
        {"symbol": "BNB/USDT", "fast_period": 8, "slow_period": 21},
    ),
    (
        "50 and 200 day moving averages on SPY",
        "sma_crossover",
        {"symbol": "SPY", "timeframe": "1d", "fast_period": 50, "slow_period": 200},
    ),
    (
        "when the 20 day average crosses above the 50 day average buy BTC",
        "sma_crossover",
        {"symbol": "BTC/USDT", "timeframe": "1d", "fast_period": 20, "slow_period": 50},
    ),
    (
        "ema 12/26 cross on the 4h for avax, 3% stop",
        "sma_crossover",
        {"symbol": "AVAX/USDT", "timeframe": "4h", "stop_loss_pct": 3, "fast_period": 12, "slow_period": 26},
    ),
    (
        "golden cross bot for ether",
        "sma_crossover",
        {"symbol": "ETH/USDT", "fast_period": 50, "slow_period": 200},
    ),
    (
        "fast=9, slow=30, sma crossover, LTC/USDT",
        "sma_crossover",
        {"symbol": "LTC/USDT", "fast_period": 9, "slow_period": 30},
    ),
    (
        "10 fast 30 slow sma crossover on doge",
        "sma_crossover",
        {"symbol": "DOGE/USDT", "fast_period": 10, "slow_period": 30},
    ),
    (
        "trade the crossover of the 7-hour and 25-hour averages",
        "sma_crossover",
        {"timeframe": "1h", "fast_period": 7, "slow_period": 25},
    ),
    (
        "mean reversion on ADA/USDT 1h with bollinger bands (20, 2)",
        "mean_reversion",
        {"symbol": "ADA/USDT", "timeframe": "1h", "bollinger_period": 20, "bollinger_std": 2},
    ),
    (
        "bollinger bot 30 period 2.5 sigma sell at the middle band",
        "mean_reversion",
        {"exit_band": "middle", "bollinger_std": 2.5, "bollinger_period": 30},
    ),
    (
        "buy below the lower bollinger band and sell at the upper band, 20 candles, two standard "
        "deviations, LINK/USDT",
        "mean_reversion",
        {"symbol": "LINK/USDT", "exit_band": "upper", "bollinger_std": 2, "bollinger_period": 20},
    ),
    (
        "bb mean reversion with period 50 and std 3 on msft stock",
        "mean_reversion",
        {"symbol": "MSFT", "bollinger_std": 3, "bollinger_period": 50},
    ),
    (
        "donchian breakout with a 40 candle entry and a 15 candle exit on BTC 4h",
        "breakout",
        {"symbol": "BTC/USDT", "timeframe": "4h", "entry_period": 40, "exit_period": 15},
    ),
    (
        "turtle bot, enter on 55 day highs and exit on 20 day lows, for GOOGL",
        "breakout",
        {"symbol": "GOOGL", "timeframe": "1d", "entry_period": 55, "exit_period": 20},
    ),
    (
        "break-out bot: buy new highs of the last 30 candles, exit period 12",
        "breakout",
        {"entry_period": 30, "exit_period": 12},
    ),
    ("52-week high breakout for NVDA", "breakout", {"symbol": "NVDA", "timeframe": "1w", "entry_period": 52}),
    (
        "breakout of the 20-day channel on SOL with 1% risk",
        "breakout",
        {"symbol": "SOL/USDT", "timeframe": "1d", "risk_per_trade_pct": 1, "entry_period": 20},
    ),
    (
        "dollar cost average $100 into bitcoin every week",
        "dca",
        {"symbol": "BTC/USDT", "interval_hours": 168, "amount": 100},
    ),
    (
        "DCA 25 USDT of ETH every 3 days, double the amount when it drops 8%",
        "dca",
        {"symbol": "ETH/USDT", "interval_hours": 72, "dip_pct": 8, "dip_multiplier": 2, "amount": 25},
    ),
    (
        "invest €50 in BTC on the first of every month",
        "dca",
        {"symbol": "BTC/USDT", "interval_hours": 720, "amount": 50},
    ),
    (
        "buy 10 dollars of doge every hour",
        "dca",
        {"symbol": "DOGE/USDT", "interval_hours": 1, "amount": 10, "max_trades_per_day": 24},
    ),
    (
        "put $20 into bitcoin every day at 9am",
        "dca",
        {"symbol": "BTC/USDT", "schedule": "0 9 * * *", "interval_hours": 24, "amount": 20},
    ),
    (
        "dca bot: amount 75, interval 12 hours, dip of 15% triples the buy, high of the last 96 candles",
        "dca",
        {"dip_pct": 15, "dip_multiplier": 3, "dip_lookback": 96, "amount": 75, "interval_hours": 12},
    ),
    (
        "buy $1,000 of ETH every other Friday at 14:30",
        "dca",
        {"symbol": "ETH/USDT", "schedule": "30 14 * * 5", "interval_hours": 336, "amount": 1000},
    ),
    (
        "recurring buy of 40 usdc of sol twice a day",
        "dca",
        {"symbol": "SOL/USDT", "interval_hours": 12, "amount": 40},
    ),
    (
        "grid bot BTC/USDT lower price 50000 upper price 60000 15 levels 200 dollars per level",
        "grid",
        {"symbol": "BTC/USDT", "grid_levels": 15, "amount": 200, "lower_price": 50000, "upper_price": 60000},
    ),
    (
        "grid trading for ETH from $2,500 to $3,500, 25 grids, spend 40 per level",
        "grid",
        {"symbol": "ETH/USDT", "grid_levels": 25, "lower_price": 2500, "upper_price": 3500, "amount": 40},
    ),
    (
        "a grid on ada 0.35-0.55 with 30 levels",
        "grid",
        {"symbol": "ADA/USDT", "grid_levels": 30, "lower_price": 0.35, "upper_price": 0.55},
    ),
    (
        "grid bot around 3000 for eth, levels 2% apart, 6 levels",
        "grid",
        {"symbol": "ETH/USDT", "spacing_pct": 2, "grid_levels": 6, "centre_price": 3000},
    ),
    (
        "grid 50-60k 10 levels btc",
        "grid",
        {"symbol": "BTC/USDT", "grid_levels": 10, "lower_price": 50000, "upper_price": 60000},
    ),
    (
        "grid bot between 1.05 and 1.15 on EUR/USD twenty levels",
        "grid",
        {"symbol": "EUR/USD", "grid_levels": 20, "lower_price": 1.05, "upper_price": 1.15},
    ),
    (
        "build a grid bot for 1000PEPE/USDT:USDT, spacing 0.8%",
        "grid",
        {"symbol": "1000PEPE/USDT:USDT", "spacing_pct": 0.8},
    ),
    ("bitcoin perp grid bot, 12 levels", "grid", {"symbol": "BTC/USDT:USDT", "grid_levels": 12}),
    ("rsi bot for btc, realtime", "rsi_momentum", {"symbol": "BTC/USDT"}),
    ("continuous grid bot", "grid", {}),
    ("scheduled rsi bot running every 15 minutes", "rsi_momentum", {"schedule": "*/15 * * * *"}),
    ('rsi bot cron "*/30 * * * *"', "rsi_momentum", {"schedule": "*/30 * * * *"}),
    ("rsi bot no stop loss no take profit", "rsi_momentum", {"stop_loss_pct": None, "take_profit_pct": None}),
    ("bolinger bnads for bitcion", "mean_reversion", {"symbol": "BTC/USDT"}),
    ("donchain brekout on etherum daly candels", "breakout", {"symbol": "ETH/USDT"}),
    (
        "momemtum bot solana overbougt 75 oversld 25",
        "rsi_momentum",
        {"symbol": "SOL/USDT", "buy_below": 25, "sell_above": 75},
    ),
    (
        "grid bot for BTC with 50 levels between sixty thousand and seventy thousand",
        "grid",
        {"symbol": "BTC/USDT", "grid_levels": 50, "lower_price": 60000, "upper_price": 70000},
    ),
    (
        "rsi bot for BTC with a starting balance of $5,000 and position size of 15%",
        "rsi_momentum",
        {"symbol": "BTC/USDT", "max_position_pct": 15, "paper_balance": 5000},
    ),
    ("use 14 day rsi on gold", "rsi_momentum", {"timeframe": "1d", "rsi_period": 14}),
    (
        "Crée un bot RSI pour BTC/USDT, acheter sous 30, vendre au-dessus de 70",
        "rsi_momentum",
        {"symbol": "BTC/USDT"},
    ),
    (
        "🚀🚀 rsi bot BTC 🚀 buy<30 sell>70",
        "rsi_momentum",
        {"symbol": "BTC/USDT", "buy_below": 30, "sell_above": 70},
    ),
    (
        "BUILD AN RSI BOT FOR BTC/USDT BUY UNDER 30 SELL OVER 70",
        "rsi_momentum",
        {"symbol": "BTC/USDT", "buy_below": 30, "sell_above": 70},
    ),
    (
        "rsi bot   for\nBTC/USDT\n- buy below: 27\n- sell above: 73\n- stop loss: 2.5%\n- take profit: "
        "6%\n- timeframe: 2h\n- exchange: okx",
        "rsi_momentum",
        {
            "symbol": "BTC/USDT",
            "timeframe": "2h",
            "exchange": "okx",
            "stop_loss_pct": 2.5,
            "take_profit_pct": 6,
            "buy_below": 27,
            "sell_above": 73,
        },
    ),
)


FURTHER_REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("I want to accumulate ETH, $200 per week", "dca",
     {"symbol": "ETH/USDT", "interval_hours": 168, "amount": 200}),
    ("weekly BTC purchases of 75 dollars", "dca",
     {"symbol": "BTC/USDT", "interval_hours": 168, "amount": 75}),
    ("please make RSI bot, BTC/USDT, hourly, 25 75", "rsi_momentum",
     {"symbol": "BTC/USDT", "timeframe": "1h", "buy_below": 25, "sell_above": 75}),
    ("rsi 14 30/70 on btc", "rsi_momentum",
     {"symbol": "BTC/USDT", "rsi_period": 14, "buy_below": 30, "sell_above": 70}),
    ("I have $5000, build an RSI bot for BTC risking 2% per trade with max 3 positions per day",
     "rsi_momentum",
     {"symbol": "BTC/USDT", "risk_per_trade_pct": 2, "max_trades_per_day": 3, "paper_balance": 5000}),
    ("Create a moving average crossover bot (20/100) for SOL/USDT with a 5% stop-loss and 10% take-profit",
     "sma_crossover",
     {"symbol": "SOL/USDT", "stop_loss_pct": 5, "take_profit_pct": 10, "fast_period": 20,
      "slow_period": 100}),
    ("donchian 50/25 on AVAX daily, risk half a percent, no more than one trade a day", "breakout",
     {"symbol": "AVAX/USDT", "timeframe": "1d", "risk_per_trade_pct": 0.5, "max_trades_per_day": 1,
      "entry_period": 50, "exit_period": 25}),
)  # fmt: skip


MORE_STRATEGIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("build a pairs bot on ETH/USDT:USDT and BTC/USDT:USDT, enter at 2 standard deviations",
     "pairs_arbitrage",
     {"symbol": "ETH/USDT:USDT", "second_symbol": "BTC/USDT:USDT", "entry_z": 2}),
    ("Pairs trading bot for SOL and AVAX perpetuals on 15m: open at 2.5 sigma, close at 0.3, stop at 5 "
     "standard deviations, 200 candle lookback, $500 per leg",
     "pairs_arbitrage",
     {"symbol": "SOL/USDT:USDT", "second_symbol": "AVAX/USDT:USDT", "timeframe": "15m", "entry_z": 2.5,
      "exit_z": 0.3, "stop_z": 5, "lookback": 200, "amount": 500}),
    ("make markets on SOL/USDT with 0.2% spread and at most 500 USDT of inventory", "market_making",
     {"symbol": "SOL/USDT", "spread_pct": 0.2, "max_inventory": 500}),
    ("market making bot for ETH: spread 0.5%, 50 USDT per quote, inventory limit 1000", "market_making",
     {"symbol": "ETH/USDT", "spread_pct": 0.5, "amount": 50, "max_inventory": 1000}),
    ("rotate monthly into the top 3 of BTC, ETH, SOL, ADA by 90-day momentum", "momentum_rotation",
     {"symbol": "BTC/USDT", "other_symbols": "ETH/USDT,SOL/USDT,ADA/USDT", "top_count": 3,
      "interval_hours": 720, "momentum_period": 90}),
    ("momentum rotation bot: every week hold the best 2 of BTC, ETH, SOL and XRP, momentum over 30 days",
     "momentum_rotation",
     {"symbol": "BTC/USDT", "other_symbols": "ETH/USDT,SOL/USDT,XRP/USDT", "top_count": 2,
      "interval_hours": 168, "momentum_period": 30}),
    ("target 20% volatility on BTC", "volatility_targeting",
     {"symbol": "BTC/USDT", "target_volatility_pct": 20}),
    ("Build a volatility targeting bot on ETH with a target of 15%, 20-day volatility, rebalance band 5%",
     "volatility_targeting",
     {"symbol": "ETH/USDT", "target_volatility_pct": 15, "volatility_period": 20, "rebalance_band_pct": 5}),
    ("collect funding on BTC when it is above 0.01%", "funding_carry",
     {"symbol": "BTC/USDT", "entry_funding_pct": 0.01}),
    ("funding carry on ETH/USDT: enter when funding is above 0.02% and exit below 0.005%, 5000 USDT per leg",
     "funding_carry",
     {"symbol": "ETH/USDT", "entry_funding_pct": 0.02, "exit_funding_pct": 0.005, "amount": 5000}),
    ("MACD 12/26/9 on 4h", "macd_trend",
     {"timeframe": "4h", "fast_period": 12, "slow_period": 26, "signal_period": 9}),
    ("build a macd bot for SOL: fast 8, slow 21, signal 5, no trend filter, stop loss 4%", "macd_trend",
     {"symbol": "SOL/USDT", "fast_period": 8, "slow_period": 21, "signal_period": 5, "trend_period": None,
      "stop_loss_pct": 4}),
)  # fmt: skip
REQUESTS += FURTHER_REQUESTS + MORE_STRATEGIES
