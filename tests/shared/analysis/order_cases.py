"""Code that orders, loops or compares prices carelessly, and its clean twins."""

from __future__ import annotations

from tests.shared.analysis.trading_cases import Case

ORDERS = (
    Case(
        "no-limit",
        "no-position-limit",
        3,
        """def f(exchange, live_trading, balance, price):
    if live_trading:
        exchange.create_market_buy_order("BTC/USDT", balance / price)
""",
    ),
    Case(
        "limit",
        "no-position-limit",
        0,
        """def f(exchange, live_trading, size, maxPosition):
    if live_trading:
        exchange.create_market_buy_order("BTC/USDT", min(size, maxPosition))
""",
    ),
    Case(
        "held-position-asked",
        "no-position-limit",
        0,
        """def f(exchange, live_trading, position):
    if live_trading and not position:
        exchange.create_order('BTC/USDT', 'market', 'buy', 1)
""",
    ),
    Case(
        "limit-that-is-never-read",
        "no-position-limit",
        4,
        """def f(exchange, live_trading):
    max_position = 5
    if live_trading:
        exchange.create_order('BTC/USDT', 'market', 'buy', 1)
""",
    ),
    Case(
        "no-guard",
        "no-live-guard",
        2,
        """def f(exchange, max_position):
    exchange.createOrder('BTC/USDT', 'market', 'buy', max_position)
""",
    ),
    Case(
        "guard-of-the-wrong-branch",
        "no-live-guard",
        5,
        """def f(client, config, order_size):
    if config["live_trading"]:
        print("live")
    else:
        client.submit_order(symbol="SPY", qty=order_size)
""",
    ),
    Case(
        "guard-of-something-else",
        "no-live-guard",
        3,
        """def f(client, order_size):
    if order_size != 0 and order_size > 0:
        client.place_order('SPY', order_size)
""",
    ),
    Case(
        "early-return",
        "no-live-guard",
        0,
        """def f(client, config, order_size):
    if not config.get("live_trading", False):
        return None
    return client.submit_order(symbol="SPY", qty=order_size)
""",
    ),
    Case(
        "dry-run",
        "no-live-guard",
        0,
        """def f(client, dry_run, order_size):
    if dry_run:
        print('would buy')
    else:
        client.place_order('SPY', order_size)
""",
    ),
    Case(
        "mode",
        "no-live-guard",
        0,
        """def f(client, mode, order_size):
    if mode != 'live':
        return
    client.place_order('SPY', order_size)
""",
    ),
    Case(
        "alias",
        "no-live-guard",
        0,
        """def f(client, config, order_size):
    armed_now = config['live_trading'] is True and order_size
    if armed_now:
        client.place_order('SPY', order_size)
""",
    ),
    Case(
        "environment",
        "no-live-guard",
        0,
        """import os

def f(client, order_size):
    if os.environ.get('LIVE_TRADING') == 'true':
        client.place_order('SPY', order_size)
""",
    ),
    Case(
        "live-broker-chosen",
        "no-live-guard",
        0,
        """class LiveBroker:
    def __init__(self, exchange):
        self.exchange = exchange

    def buy(self, order_size):
        return self.exchange.create_order("BTC/USDT", "market", "buy", order_size)

class PaperBroker:
    def buy(self, order_size):
        return order_size

def broker(config, exchange):
    return LiveBroker(exchange) if config.live_trading else PaperBroker()
""",
    ),
    Case(
        "paper-broker-of-its-own",
        "no-live-guard",
        0,
        """class Paper:
    def create_order(self, symbol, amount):
        return {"symbol": symbol, "amount": amount}

def f(paper, amount):
    return paper.create_order("BTC/USDT", amount)
""",
    ),
    Case(
        "order-book",
        "no-live-guard",
        0,
        """def f(exchange):
    return exchange.fetch_order_book('BTC/USDT')
""",
    ),
    Case(
        "bare-except",
        "swallowed-order-error",
        5,
        """def f(exchange, live, order_size):
    if live:
        try:
            exchange.create_order("BTC/USDT", "market", "buy", order_size)
        except:
            print("no luck")
""",
    ),
    Case(
        "except-pass",
        "swallowed-order-error",
        5,
        """def f(exchange, live, order_size):
    if live:
        try:
            exchange.create_order("BTC/USDT", "market", "buy", order_size)
        except Exception:
            pass
""",
    ),
    Case(
        "except-logged",
        "swallowed-order-error",
        0,
        """def f(exchange, live, order_size, log):
    if live:
        try:
            exchange.create_order("BTC/USDT", "market", "buy", order_size)
        except Exception:
            log.exception("order failed")
            raise
""",
    ),
    Case(
        "except-one-kind",
        "swallowed-order-error",
        0,
        """import ccxt

def f(exchange, live, order_size):
    if live:
        try:
            exchange.create_order("BTC/USDT", "market", "buy", order_size)
        except ccxt.DuplicateOrderId:
            pass
""",
    ),
    Case(
        "busy",
        "busy-loop",
        2,
        """def f(exchange, seen):
    while True:
        seen.append(exchange.fetch_ticker('BTC/USDT'))
""",
    ),
    Case(
        "busy-with-inner-break",
        "busy-loop",
        2,
        """def f(exchange, seen):
    while 1:
        for trade in exchange.fetch_trades("BTC/USDT"):
            if trade in seen:
                break
            seen.append(trade)
""",
    ),
    Case(
        "sleeps",
        "busy-loop",
        0,
        """import time

def f(step):
    while True:
        step()
        time.sleep(5)
""",
    ),
    Case(
        "awaits",
        "busy-loop",
        0,
        """async def f(step):
    while True:
        await step()
""",
    ),
    Case(
        "stops",
        "busy-loop",
        0,
        """def f(step):
    while True:
        if not step():
            break
""",
    ),
    Case(
        "event",
        "busy-loop",
        0,
        """def f(step, stop):
    while not stop.is_set():
        step()
""",
    ),
    Case(
        "queue",
        "busy-loop",
        0,
        """def f(queue, step):
    while True:
        step(queue.get())
""",
    ),
    Case(
        "generator",
        "busy-loop",
        0,
        """def f(step):
    while True:
        yield step()
""",
    ),
    Case(
        "two-prices",
        "float-equality",
        2,
        """def f(price, last):
    return price == last.stop_price
""",
    ),
    Case(
        "fraction",
        "float-equality",
        2,
        """def f(bar):
    return bar["close"] != 100.5
""",
    ),
    Case(
        "zero",
        "float-equality",
        0,
        """def f(price):
    return price == 0 or price != 0.0
""",
    ),
    Case(
        "side",
        "float-equality",
        0,
        """def f(side, price):
    return side == 'buy' and price > 1.5
""",
    ),
    Case(
        "decimals",
        "float-equality",
        0,
        """from decimal import Decimal

def f(price: Decimal, stop_price: Decimal) -> bool:
    return price == stop_price
""",
    ),
    Case(
        "iterrows",
        "slow-frame-loop",
        2,
        """def f(df):
    return [row for _, row in df.iterrows()]
""",
    ),
    Case(
        "growing-frame",
        "slow-frame-loop",
        6,
        """import pandas as pd

def f(parts):
    whole = pd.DataFrame()
    for part in parts:
        whole = pd.concat([whole, part])
    return whole
""",
    ),
    Case(
        "apply-column",
        "slow-frame-loop",
        0,
        """def f(df, g):
    return df.apply(g)
""",
    ),
    Case(
        "concat-once",
        "slow-frame-loop",
        0,
        """import pandas as pd

def f(parts):
    for part in parts:
        both = pd.concat([part, part])
        print(both)
""",
    ),
)
