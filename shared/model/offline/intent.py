"""What a message wants of us: an ordered list of rules over the canonical text, first match wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.model.offline import intent_patterns as words
from shared.model.offline.extract_strategy import find_strategies
from shared.model.offline.utterance import Utterance


class Intent(StrEnum):
    """What a message wants."""

    BUILD = "build"
    CHANGE = "change"
    DESCRIBE = "describe"
    EXPLAIN = "explain"
    SEARCH_DOCS = "search_docs"
    LIST_DOCS = "list_docs"
    ANALYZE_CODE = "analyze_code"
    ANALYZE_MARKET = "analyze_market"
    BACKTEST = "backtest"
    VERIFY = "verify"
    DEPLOY = "deploy"
    RUN = "run"
    STOP = "stop"
    RUNS = "runs"
    REPORT = "report"
    DIAGNOSE = "diagnose"
    LIST_FILES = "list_files"
    SHOW_FILE = "show_file"
    SAVE_FILE = "save_file"
    RESTORE_FILE = "restore_file"
    BROWSE = "browse"
    ADVICE = "advice"
    GREET = "greet"
    THANK = "thank"
    DECLINE = "decline"
    HELP = "help"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known beside the words.

    The session's bot, whether one is deployed, our last question, what the message would change, whether
    events have told of bots and of one that the message names.
    """

    has_bot: bool = False
    has_deployed: bool = False
    asked_strategy: bool = False
    has_details: bool = False
    names_other_strategy: bool = False
    has_heard: bool = False
    names_heard: bool = False


_FURTHER = {Intent.BACKTEST: words.BACKTEST, Intent.DEPLOY: words.DEPLOY, Intent.VERIFY: words.VERIFY}


def bare_request(text: str) -> str:
    """The canonical text without greetings and polite openings, and without what it forbids."""
    return words.NEGATED.sub(" ", words.POLITE.sub("", text, count=1)).strip()


def classify(utterance: Utterance, situation: Situation) -> Intent:
    """The intent of the message."""
    full = utterance.canonical
    text = bare_request(full)
    for rule in (_small_talk, _past, _attachments, _instances, _questions, _commands, _bots):
        intent = rule(utterance, full if rule is _small_talk else text, situation)
        if intent is not None:
            return intent
    return Intent.SEARCH_DOCS if full.endswith("?") or words.QUESTION.match(text) else Intent.UNKNOWN


def _small_talk(utterance: Utterance, text: str, situation: Situation) -> Intent | None:
    if not text and not utterance.snippets and not utterance.urls and not utterance.filenames:
        return Intent.CHANGE if utterance.name else Intent.HELP
    if words.GREET.match(text):
        return Intent.GREET
    if words.THANK.match(text):
        return Intent.THANK
    if words.NO.match(text):
        return Intent.DECLINE
    if words.ADVICE.search(text) and not words.BUILD.search(text):
        return Intent.ADVICE
    return Intent.HELP if words.HELP.search(text) and not words.BUILD.search(bare_request(text)) else None


def _past(utterance: Utterance, text: str, situation: Situation) -> Intent | None:
    """What is asked of what a bot has done."""
    if utterance.snippets or words.BUILD.search(text):
        return None
    is_named = situation.names_heard or words.MY_BOT.search(text) is not None
    if words.WHY_CRASHED.search(text) and (is_named or situation.has_heard):
        return Intent.DIAGNOSE
    if words.DID_WELL.search(text) or (is_named and words.DID.search(text) and words.WHEN.search(text)):
        return Intent.REPORT
    is_about_it = is_named or words.WHEN.search(text) is not None or text.startswith("any ")
    return Intent.REPORT if situation.has_heard and is_about_it and words.DID.search(text) else None


def _attachments(utterance: Utterance, text: str, situation: Situation) -> Intent | None:
    building = bool(words.BUILD.search(text)) and find_strategies(text).weight > 0
    if utterance.filenames and words.SAVE.search(text) and (utterance.snippets or ":" in text):
        return Intent.SAVE_FILE
    if utterance.snippets and not building:
        return Intent.ANALYZE_CODE
    if (
        utterance.urls
        and not building
        and (words.BROWSE.search(text) or len(text) < 40 or words.QUESTION.match(text))
    ):
        return Intent.BROWSE
    if words.DOCS.search(text) and any(name.endswith(".md") for name in utterance.filenames):
        return Intent.SEARCH_DOCS
    if utterance.filenames and not building:
        if re.search(rf"\b{words.ANALYZE}\b", text):
            return Intent.ANALYZE_CODE
        if words.SHOW.search(text) or text == "filename":
            return Intent.SHOW_FILE
    return None


def _instances(utterance: Utterance, text: str, situation: Situation) -> Intent | None:
    """What is asked of a bot that is deployed: elsewhere the same words are of what is built."""
    if not situation.has_deployed:
        return None
    if words.RUNS.search(text):
        return Intent.RUNS
    if words.QUESTION.match(text) or words.DEPLOY.search(text):
        return None
    if words.STOP.search(text):
        return Intent.STOP
    return Intent.RUN if words.RUN.search(text) else None


def _questions(utterance: Utterance, text: str, situation: Situation) -> Intent | None:
    asking = words.QUESTION.match(text) is not None
    if not (asking or utterance.canonical.endswith("?")):
        return None
    about_platform = words.ABOUT_PLATFORM.search(text) is not None
    if words.LIST_FILES.search(text) and not about_platform:
        return Intent.LIST_FILES
    if words.BACKTEST.search(text) and not words.ASKS_HOW.match(text):
        return Intent.BACKTEST
    if words.DESCRIBE.search(text) and (situation.has_bot or not about_platform):
        return Intent.DESCRIBE
    if words.IS_IT_GOOD.search(text):
        return Intent.ANALYZE_CODE
    return _topics(utterance, text, situation) or (Intent.SEARCH_DOCS if asking else None)


def _topics(utterance: Utterance, text: str, situation: Situation) -> Intent | None:
    """What a question is about, when it is about a market, a strategy or a change that it suggests."""
    if utterance.symbol and words.MARKET.search(text) and not words.BUILD.search(text):
        return Intent.ANALYZE_MARKET
    if words.TO_DOCS.search(text):
        return Intent.SEARCH_DOCS
    if find_strategies(text).weight and words.EXPLAIN.search(text) and not words.ABOUT_PLATFORM.search(text):
        return Intent.EXPLAIN
    suggested = words.CHANGE.search(text) or situation.has_details
    return Intent.CHANGE if situation.has_bot and suggested and words.SUGGESTS.match(text) else None


def _commands(utterance: Utterance, text: str, situation: Situation) -> Intent | None:
    described = words.BUILD.search(text) or words.STARTS_WITH_BOT.match(text)
    if described and find_strategies(text).weight > 1 and not words.STARTS_WITH_WORK.match(text):
        return _build_or_change(text, situation)
    table = (
        (words.DEPLOY, Intent.DEPLOY),
        (words.VERIFY, Intent.VERIFY),
        (words.BACKTEST, Intent.BACKTEST),
        (words.TO_DOCS, Intent.SEARCH_DOCS),
        (words.LIST_DOCS, Intent.LIST_DOCS),
        (words.LIST_FILES, Intent.LIST_FILES),
    )
    for pattern, intent in table:
        if pattern.search(text):
            return intent
    if words.SHOW.search(text) and words.THE_CODE.search(text):
        return Intent.SHOW_FILE
    if words.DESCRIBE.search(text) and not words.CHANGE.search(text):
        return Intent.DESCRIBE
    if (words.THE_MARKET.search(text) and words.MARKET.search(text)) or _analyzes_symbol(utterance, text):
        return Intent.ANALYZE_MARKET
    return Intent.ANALYZE_CODE if words.ANALYZE_CODE.search(text) and not words.BUILD.search(text) else None


def _analyzes_symbol(utterance: Utterance, text: str) -> bool:
    about = utterance.symbol and words.ABOUT_SYMBOL.search(text)
    return bool(about and not words.BUILD.search(text) and not words.BOT.search(text))


def _bots(utterance: Utterance, text: str, situation: Situation) -> Intent | None:
    named = find_strategies(text)
    changing = words.CHANGE.search(text) is not None
    if (
        words.BUILD_ONE.match(text)
        or words.BUILD.search(text)
        or (words.BUILD_ANY.match(text) and (named.weight or utterance.symbol))
    ):
        return _build_or_change(text, situation)
    if _describes_new_bot(utterance, text, situation):
        return Intent.BUILD
    if changing or (utterance.name and situation.has_bot):
        return Intent.CHANGE
    if situation.asked_strategy and (named.weight or named.not_offered):
        return Intent.BUILD
    if words.BOT.search(text) and (named.weight or named.not_offered):
        return Intent.BUILD
    if situation.has_details or (situation.has_bot and (utterance.symbol or words.A_TO_B.search(text))):
        return Intent.CHANGE
    return (
        Intent.BUILD if (utterance.symbol or re.search(r"\d", text)) and words.TRADES.search(text) else None
    )


def _describes_new_bot(utterance: Utterance, text: str, situation: Situation) -> bool:
    """Whether a bot is described without a verb that asks for it: `rsi bot for ETH`."""
    named = find_strategies(text)
    if words.CHANGE.match(text) or words.SWITCH.search(text) or not named.weight:
        return False
    if words.STARTS_WITH_BOT.match(text) or situation.names_other_strategy:
        return True
    concrete = (
        re.search(r"\d", text)
        or utterance.symbol
        or words.BOT.search(text)
        or words.BARE_NAME.match(text)
        or words.TRADES.search(text)
    )
    return bool(named.weight >= 2 and concrete and not situation.has_bot)


def _build_or_change(text: str, situation: Situation) -> Intent:
    if situation.has_bot and words.CHANGE.search(text) and not words.NEW_BOT.search(text):
        return Intent.CHANGE
    return Intent.BUILD


def asks_for(intent: Intent, text: str) -> bool:
    """Whether the request names this further wish beside its main one."""
    return _FURTHER[intent].search(text) is not None


def agrees(text: str) -> bool:
    """Whether the canonical text is a plain yes."""
    return words.YES.match(text) is not None
