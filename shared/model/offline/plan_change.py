"""Changing the session's bot: find out what it is, merge the wish into it, build it again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from shared.model.offline.conversation import Bot
from shared.model.offline.extract_strategy import TITLES
from shared.model.offline.numerals import NUMBER, number
from shared.model.offline.phrases import COMMON_NAMES
from shared.model.offline.plan_build import TOOL, after_build, begin_build, call_build
from shared.model.offline.recover import READ_CALLS, bot_from_files
from shared.model.offline.reply import Reply, bullets, paragraphs
from shared.model.offline.task import Task
from shared.model.offline.utterance import read_utterance, slug
from shared.model.offline.wish import BotWish, read_wish
from shared.model.offline.wording import describe_parameters, list_changes, list_parameters

_MARKET = ("symbol", "exchange", "timeframe")
# Values that a result shows though no one may have asked for them.
_DERIVED = ("schedule", "poll_seconds", "live_trading")
_UNDO = re.compile(r"\b(?:undo|revert|roll ?back|go back|change (?:it|that) back|restore)\b")
_TO = re.compile(rf"(?<![\w.])({NUMBER})%? ?to ({NUMBER})(?![\w.])")


def change_bot(task: Task) -> Reply:
    """The next step of changing the bot."""
    bot = task.conversation.bot or bot_from_files(task.conversation)
    if bot is not None:
        current = replace(task, wish=_by_value(read_wish(task.utterance, bot.strategy), task, bot))
        if current.conversation.of(TOOL):
            return after_build(current, before=bot)
        return _begin(current, bot)
    if task.conversation.of(TOOL):
        return after_build(task, before=None)
    if not task.conversation.of("read_artifact"):
        calls = tuple(call for name, size in READ_CALLS for call in _read(task, name, size))
        if calls:
            return Reply("I look at the bot that this session holds.", calls)
    if task.wish.strategy:
        return begin_build(task)
    return Reply(_no_bot(task))


def _by_value(wish: BotWish, task: Task, bot: Bot) -> BotWish:
    """The wish with `30 to 25` read as a change of the one parameter that has the value 30."""
    match = _TO.search(task.request)
    if match is None or wish.parameters or not set(wish.unread) >= {match[1]}:
        return wish
    old, new = number(match[1]), number(match[2])
    names = [name for name, value in bot.parameters.items() if value == old and name not in _DERIVED]
    if len(names) != 1:
        return wish
    return replace(wish, parameters={names[0]: new}, unread=())


def _read(task: Task, filename: str, size: int) -> Any:
    return task.tools.call("read_artifact", filename=filename, max_chars=size)


def _begin(task: Task, bot: Bot) -> Reply:
    if _UNDO.search(task.request):
        return _undo(task, bot)
    wish = task.wish
    if len(wish.candidates) > 1:
        named = " or ".join(TITLES[name] for name in wish.candidates)
        return Reply(f"A bot follows one strategy. Shall it be {named}?")
    if not wish.says_something:
        return Reply(_not_understood(bot, wish))
    arguments = merged(task, bot)
    lines = list_changes(_comparable(bot.parameters), _comparable(arguments["parameters"]))
    if arguments["strategy_type"] != bot.strategy:
        lines = [f"strategy: {TITLES.get(bot.strategy, bot.strategy)} → {TITLES[arguments['strategy_type']]}"]
        lines += [describe_parameters({k: v}).removeprefix("- ") for k, v in arguments["parameters"].items()]
    if wish.bot_type and wish.bot_type != bot.bot_type:
        lines.append(f"type: {bot.bot_type or 'scheduled'} → {wish.bot_type}")
    if wish.name:
        lines.append(f"name: {bot.name or 'not set'} → {slug(wish.name) or wish.name}")
    said = paragraphs(
        f"I understood: change the bot **{bot.name or 'of this session'}**.",
        bullets(lines) or "These are the values it has already; I build it once more to be sure.",
    )
    return call_build(task, said, arguments)


def _undo(task: Task, bot: Bot) -> Reply:
    """Builds the bot as it was before its last change; its files get a further version."""
    before = next((old for old in reversed(task.conversation.bots) if old != bot), None)
    if before is None:
        return Reply(
            "I do not see an earlier state of this bot in our conversation. Older versions of its files are "
            "kept and "
            "can be read by their number."
        )
    lines = list_changes(_comparable(bot.parameters), _comparable(before.parameters))
    said = paragraphs("I build the bot as it was before the last change.", bullets(lines))
    parameters = {name: value for name, value in before.parameters.items() if name not in _DERIVED}
    parameters |= {name: value for name, value in before.asked.items() if name in _DERIVED}
    return call_build(
        task,
        said,
        {
            "strategy_type": before.strategy,
            "parameters": parameters,
            "bot_type": before.bot_type,
            "name": before.name,
        },
    )


def merged(task: Task, bot: Bot) -> dict[str, Any]:
    """The arguments that build the bot again with the wish in it: all parameters, and the name it has."""
    wish = task.wish
    strategy = wish.strategy or bot.strategy
    bot_type = wish.bot_type or bot.bot_type
    same = strategy == bot.strategy
    kept = _kept(bot, wish) if same else _carried_over(task, bot)
    if {"lower_price", "upper_price"} & set(wish.parameters):
        kept.pop("centre_price", None)
    elif "centre_price" in wish.parameters:
        kept = {name: value for name, value in kept.items() if name not in ("lower_price", "upper_price")}
    parameters = {**kept, **wish.parameters}
    parameters.pop("poll_seconds" if bot_type == "scheduled" else "schedule", None)
    return {
        "strategy_type": strategy,
        "parameters": parameters,
        "bot_type": bot_type,
        "name": wish.name or _kept_name(bot, strategy, parameters),
    }


def _kept(bot: Bot, wish: BotWish) -> dict[str, Any]:
    """The bot's parameters less what follows from others: a schedule by the timeframe is not a wish."""
    kept = {name: value for name, value in bot.parameters.items() if name != "live_trading"}
    if "schedule" not in bot.asked or "timeframe" in wish.parameters:
        kept.pop("schedule", None)
    return kept


def _carried_over(task: Task, bot: Bot) -> dict[str, Any]:
    """What another strategy takes over: the market, and of the limits those that the user once stated."""
    stated = set(_MARKET)
    for text in task.conversation.stated_before:
        stated |= set(read_wish(read_utterance(text), bot.strategy).parameters)
    names = (stated & COMMON_NAMES) - {"schedule", "live_trading"}
    return {name: value for name, value in bot.parameters.items() if name in names}


def _kept_name(bot: Bot, strategy: str, parameters: dict[str, Any]) -> str | None:
    """The name the user gave; a name made of strategy and market follows these when they change."""
    if bot.name is None:
        return None
    derived = bot.name == slug(f"{bot.strategy}-{bot.parameters.get('symbol', '')}")
    moved = strategy != bot.strategy or parameters.get("symbol") != bot.parameters.get("symbol")
    return None if derived and moved else bot.name


def _comparable(parameters: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in parameters.items() if k not in _DERIVED}


def _not_understood(bot: Bot, wish: BotWish) -> str:
    reasons = list(wish.remarks)
    if wish.not_offered:
        reasons.append(f"There is no template for {wish.not_offered}.")
    if wish.unread:
        reasons.append(f"I did not know what these numbers are for: {', '.join(wish.unread[:8])}.")
    return paragraphs(
        "I did not find a change in that which I can make.",
        bullets(reasons) or None,
        f"The bot **{bot.name}** follows {TITLES.get(bot.strategy, bot.strategy)}. You can change any of "
        f"these:",
        list_parameters(bot.parameters, set()),
        'Say it like "buy under 25 and a 2% stop loss", "use 4h candles", "switch to ETH", "call it my-bot" '
        "or "
        '"make it realtime".',
    )


def _no_bot(task: Task) -> str:
    reads = task.conversation.of("read_artifact")
    if not reads and not task.tools.has("read_artifact"):
        reason = f"I know of no bot in this session. {task.tools.missing('read_artifact')}"
    elif any(read.ok for read in reads):
        reason = "The files of this session do not tell me which strategy its bot follows."
    else:
        reason = "There is no bot in this session yet that I could change."
    return paragraphs(
        reason,
        bullets(task.wish.remarks),
        'Tell me what to build, for example "Build me an RSI momentum bot for BTC/USDT on hourly candles, '
        "buy under "
        '30, sell over 70, risk 1% a trade".',
    )
