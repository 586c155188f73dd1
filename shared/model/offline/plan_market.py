"""Looking at a market."""

from __future__ import annotations

from shared.model.offline.extract_schedule import find_history_days
from shared.model.offline.reply import Reply, paragraphs
from shared.model.offline.task import Task
from shared.model.offline.wording import facts

TOOL = "analyze_market"


def analyze_market(task: Task) -> Reply:
    """Calls the analysis, then gives its numbers."""
    done = task.conversation.last(TOOL)
    if done is not None:
        if not done.ok:
            return Reply(f"The market could not be analysed: {done.problem}")
        return Reply(
            paragraphs(
                f"**{done.call.arguments.get('symbol', 'The market')}**, as the tool reports it:",
                facts(done.value) or "The tool gave no plain values.",
                "This describes the past and is no advice to buy or sell.",
            )
        )
    bot = task.conversation.bot
    known = bot.parameters if bot else {}
    wanted = task.wish.parameters
    symbol = wanted.get("symbol") or known.get("symbol") or "BTC/USDT"
    calls = task.tools.call(
        TOOL,
        symbol=symbol,
        timeframe=wanted.get("timeframe") or known.get("timeframe"),
        exchange=wanted.get("exchange") or known.get("exchange"),
        days=find_history_days(task.utterance.canonical),
    )
    if not calls:
        return Reply(
            paragraphs(
                f"I cannot look at {symbol}. {task.tools.missing(TOOL)} I do not know prices by myself and "
                f"will not "
                "make any up.",
                "I can build a bot that trades it, and you can replay the bot on candles of your own.",
            )
        )
    return Reply(f"I look at {symbol}.", calls)
