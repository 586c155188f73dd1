"""Answers that need few or no tools: greetings, help, what a strategy is, what the bot is."""

from __future__ import annotations

from shared.model.offline.conversation import Bot
from shared.model.offline.extract_strategy import TITLES, find_strategies
from shared.model.offline.plan_build import how_to_run
from shared.model.offline.plan_documentation import citations, look_up, question
from shared.model.offline.recover import READ_CALLS, bot_from_files
from shared.model.offline.reply import Reply, bullets, paragraphs
from shared.model.offline.task import Task
from shared.model.offline.wording import RULES, list_parameters, strategy_list

_EXAMPLE = (
    '"Build me an RSI momentum bot for BTC/USDT on hourly candles, buy under 30, sell over 70, '
    'risk 1% a trade"'
)

_LESSONS = {
    "rsi_momentum": "The relative strength index (Wilder, 1978) compares average gains with average losses "
    "of the last "
    "candles and lies between 0 and 100. This strategy takes a low value for a market that was sold too far "
    "and buys, "
    "and sells at a high one. It does well in markets that swing, and badly in a long fall, where the index "
    "stays low.",
    "sma_crossover": "Two moving averages smooth the price, one over few candles and one over many. The "
    "fast one above "
    "the slow one is taken for a rising trend. It follows long moves and loses small amounts, again and "
    "again, "
    "where the price goes sideways.",
    "mean_reversion": "Bollinger bands lie a number of standard deviations around a moving average. A price "
    "below the "
    "lower band is taken for an exaggeration that will return to the average. It does well in quiet ranges, "
    "and badly "
    "when a new trend begins.",
    "breakout": "The Donchian channel is the highest high and the lowest low of the last candles. A price "
    "above it is "
    "taken for the start of a trend. Few large gains have to pay for many false starts.",
    "dca": "A fixed amount is spent at fixed times, whatever the price, so more is bought when it is low; "
    "after a dip "
    "this template buys a multiple. It spreads the risk of a bad moment and does not avoid a long decline.",
    "grid": "The range between two prices is cut into levels: one lot is bought at each level on the way "
    "down and sold "
    "one level higher. It earns from swings inside the range; below the range it is left with all that it "
    "bought.",
    "macd_trend": "The MACD line (Appel) is a fast exponential average of the price less a slow one, and its "
    "signal line an average of that. A crossing is taken for a turn of the trend; this template buys only "
    "above a long average. It follows long moves and pays for false turns in between.",
    "pairs_arbitrage": "Two markets that move together are compared by least squares of their log prices. "
    "When the spread is unusually wide, the dear one is sold short and the cheap one bought, hoping that "
    "it closes. It loses when the two part for good.",
    "market_making": "Two post-only limit orders stand around the price and earn the spread when both are "
    "taken. The more is held, the lower both are set (Avellaneda and Stoikov, 2008). It earns in quiet "
    "markets, and buys all the way down in a fall, up to its inventory limit.",
    "volatility_targeting": "The position is the amount times target volatility over measured volatility, at "
    "most the amount (Moreira and Muir, 2017). It is rebalanced only outside a band, to save fees. It makes "
    "the risk steady; it does not foresee falls.",
    "momentum_rotation": "The markets of a basket are ranked by their rise over some time, and the strongest "
    "are held until the next ranking (Jegadeesh and Titman, 1993). It rides leaders, and suffers when the "
    "leadership changes fast.",
    "funding_carry": "Holders of a perpetual pay each other funding. The coin bought and its perpetual sold "
    "short cancel each other's price, and the short is paid while the rate is positive. It loses when the "
    "rate turns, by fees, and when a short's collateral runs out.",
}


def greet(task: Task) -> Reply:
    """A greeting."""
    return Reply(
        paragraphs(
            "Hello! I build, change and check trading bots for the0.",
            f"Try {_EXAMPLE}, or ask a question about the platform.",
        )
    )


def thank(task: Task) -> Reply:
    """A friendly word, with what could come next."""
    if task.conversation.bot:
        return Reply(
            f"You are welcome. Tell me what to change on **{task.conversation.bot.name}**, or ask about the "
            f"platform."
        )
    return Reply("You are welcome. Tell me what to build when you are ready.")


def decline(task: Task) -> Reply:
    """The user wants nothing of what was offered."""
    return Reply("All right, I do nothing. Tell me what you want instead.")


def help_out(task: Task) -> Reply:
    """What can be asked for here, by the tools that are there."""
    abilities = (
        ("create_bot_template", f"build a bot from one sentence: {_EXAMPLE}"),
        ("create_bot_template", 'change it: "make it buy under 25 and add a 2% stop loss", "use 4h candles"'),
        ("analyze_code", 'check code: "analyse the bot", or paste code between lines of three backticks'),
        ("search_documentation", 'answer from the documentation: "how do I keep state between runs?"'),
        ("list_artifacts", 'list, show and save files: "show me strategy.py"'),
        ("analyze_market", 'look at a market: "how is BTC doing on 4h candles?"'),
        ("backtest_bot", 'backtest: "backtest it over the last 90 days"'),
        ("verify_bot", 'verify the bot: "verify it"'),
        ("deploy_bot", 'deploy: "deploy it"'),
        ("browse_web", 'read a page: "read https://docs.python.org/3/"'),
    )
    lines = [text for tool, text in abilities if task.tools.has(tool)]
    without = f"{task.tools.missing('create_bot_template')}" if not lines else None
    return Reply(
        paragraphs(
            "I make trading bots for the0. I can:" if lines else without,
            bullets(lines) or None,
            "The strategies I can build, in Python:",
            strategy_list(),
        )
    )


def explain(task: Task) -> Reply:
    """What a strategy does, with what the pages say beside it."""
    names = find_strategies(task.request).sure
    if not task.conversation.done:
        calls = look_up(task.tools, question(task))
        if calls:
            return Reply(paragraphs(*(_lesson(name) for name in names)), calls)
        return Reply(paragraphs(*(_lesson(name) for name in names), _offer()))
    return Reply(paragraphs(citations(task.conversation), _offer()))


def describe_bot(task: Task) -> Reply:
    """The session's bot: its parameters, and how to run it."""
    bot = task.conversation.bot or bot_from_files(task.conversation)
    if bot is not None:
        return Reply(_description(bot))
    if not task.conversation.of("read_artifact"):
        calls = tuple(
            call
            for name, size in READ_CALLS
            for call in task.tools.call("read_artifact", filename=name, max_chars=size)
        )
        if calls:
            return Reply("I look at the bot that this session holds.", calls)
    return Reply("I see no bot in this session yet. Tell me what to build.")


def refuse_advice(task: Task) -> Reply:
    """No advice, no prediction; what can be done instead."""
    return Reply(
        paragraphs(
            "I give no investment advice and predict no prices, and no bot can promise a profit.",
            "I can build a bot that follows rules you choose, with limits on every trade, for you to try on "
            "paper.",
        )
    )


def unknown(task: Task) -> Reply:
    """An honest word, and what would be understood."""
    return Reply(
        paragraphs(
            "I did not understand what to do with that: I know bots, their files and the platform's "
            "documentation.",
            f"Say for example {_EXAMPLE}, ask a question about the platform, or say help.",
        )
    )


def _lesson(name: str) -> str:
    return f"**{TITLES[name]}** {RULES[name]}. {_LESSONS[name]}"


def _offer() -> str:
    return "If you want one, name a market and the values: I build it with limits on every trade."


def _description(bot: Bot) -> str:
    return paragraphs(
        f"**{bot.name}** follows {TITLES.get(bot.strategy, bot.strategy)}: it "
        f"{RULES.get(bot.strategy, 'trades')}. "
        f"It is a {bot.bot_type or 'scheduled'} bot.",
        f"**Parameters**\n\n{list_parameters(bot.parameters, set())}",
        how_to_run(bot),
    )
