"""From a request to the next reply: reads the conversation, classifies the message, asks the plan for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.bots.crash_message import LEAD, is_crash_message
from shared.model.offline.conversation import Conversation
from shared.model.offline.intent import Intent, Situation, agrees, bare_request, classify
from shared.model.offline.plan_answer import (
    decline,
    describe_bot,
    explain,
    greet,
    help_out,
    refuse_advice,
    thank,
    unknown,
)
from shared.model.offline.plan_build import build_bot
from shared.model.offline.plan_change import change_bot
from shared.model.offline.plan_code import analyze_code
from shared.model.offline.plan_diagnose import diagnose
from shared.model.offline.plan_documentation import list_documentation, search_documentation
from shared.model.offline.plan_files import list_files, save_file, show_file
from shared.model.offline.plan_market import analyze_market
from shared.model.offline.plan_prove import backtest_bot, deploy_bot, verify_bot
from shared.model.offline.plan_report import OFFER, report_bots
from shared.model.offline.plan_restore import asks_to_restore, restore_file
from shared.model.offline.plan_run import run_bot, stop_bot, tell_status
from shared.model.offline.plan_web import browse
from shared.model.offline.reply import Reply, paragraphs
from shared.model.offline.session_context import bots_in, context_in, named_bots
from shared.model.offline.task import Task
from shared.model.offline.toolbox import Toolbox
from shared.model.offline.utterance import Utterance, read_utterance
from shared.model.offline.wish import BotWish, complete_wish, read_wish
from shared.model.port import ModelRequest

INTRODUCTION = (
    "I am the offline planner: there is no language model behind me, only rules that know this platform's "
    "tools. "
    "Set `GEMINI_API_KEY` for the full agent."
)
# A turn of ours needs three rounds at most, and a few more where a rejected bot is repaired; more means that
# the tools do not answer as expected.
_MOST_ROUNDS = 12

Plan = Callable[[Task], Reply]

PLANS: dict[Intent, Plan] = {
    Intent.BUILD: build_bot,
    Intent.CHANGE: change_bot,
    Intent.DESCRIBE: describe_bot,
    Intent.EXPLAIN: explain,
    Intent.SEARCH_DOCS: search_documentation,
    Intent.LIST_DOCS: list_documentation,
    Intent.ANALYZE_CODE: analyze_code,
    Intent.ANALYZE_MARKET: analyze_market,
    Intent.BACKTEST: backtest_bot,
    Intent.VERIFY: verify_bot,
    Intent.DEPLOY: deploy_bot,
    Intent.RUN: run_bot,
    Intent.STOP: stop_bot,
    Intent.RUNS: tell_status,
    Intent.REPORT: report_bots,
    Intent.DIAGNOSE: diagnose,
    Intent.LIST_FILES: list_files,
    Intent.SHOW_FILE: show_file,
    Intent.SAVE_FILE: save_file,
    Intent.RESTORE_FILE: restore_file,
    Intent.BROWSE: browse,
    Intent.ADVICE: refuse_advice,
    Intent.GREET: greet,
    Intent.THANK: thank,
    Intent.DECLINE: decline,
    Intent.HELP: help_out,
    Intent.UNKNOWN: unknown,
}


def next_reply(request: ModelRequest) -> Reply:
    """What the planner says and calls next; the same request gives the same reply."""
    conversation = Conversation(request.messages)
    allowed = request.allow_tools and conversation.rounds < _MOST_ROUNDS
    task = _task(conversation, Toolbox(request.tools, allowed=allowed), context_in(request.system))
    reply = PLANS[task.intent](task)
    if not conversation.is_first_answer:
        return reply
    return Reply(paragraphs(INTRODUCTION, reply.text), reply.calls)


def _task(conversation: Conversation, tools: Toolbox, context: dict[str, Any]) -> Task:
    is_crash = is_crash_message(conversation.text)
    # Of a crash's message nothing else is read: what follows in it are a bot's words.
    utterance = read_utterance(LEAD if is_crash else conversation.text)
    bot = conversation.bot
    wish = read_wish(utterance, bot.strategy if bot else None)
    pending = conversation.pending_requests
    intent = classify(
        utterance,
        Situation(
            has_bot=bot is not None,
            has_deployed=conversation.deployed is not None,
            asked_strategy=bool(pending),
            has_details=bool(set(wish.parameters) - {"symbol"} or wish.name or wish.bot_type),
            names_other_strategy=bot is not None and wish.strategy is not None,
            has_heard=bool(context.get("recent_execution") or context.get("bots")),
            names_heard=bool(named_bots(conversation.text, bots_in(context))),
        ),
    )
    if is_crash or (agrees(utterance.canonical) and OFFER in conversation.last_words):
        intent = Intent.DIAGNOSE
    if not is_crash and asks_to_restore(utterance):
        intent = Intent.RESTORE_FILE
    if pending and _answers(intent, utterance.canonical) and not _begins_anew(intent, wish, pending):
        intent, wish = Intent.BUILD, _completed(pending, utterance)
    elif intent is Intent.BUILD and bot is not None:
        wish = read_wish(utterance)
    return Task(
        intent=intent,
        utterance=utterance,
        request=bare_request(utterance.canonical),
        wish=wish,
        conversation=conversation,
        tools=tools,
        context=context,
    )


def _answers(intent: Intent, text: str) -> bool:
    """Whether a message after one of our questions is its answer, and not something else."""
    return agrees(text) or intent in (Intent.BUILD, Intent.CHANGE, Intent.UNKNOWN)


def _begins_anew(intent: Intent, wish: BotWish, pending: tuple[str, ...]) -> bool:
    """Whether the message asks for another bot than the one that our question was about."""
    asked = complete_wish(tuple(map(read_utterance, pending))).strategy
    return intent is Intent.BUILD and None not in (asked, wish.strategy) and asked != wish.strategy


def _completed(pending: tuple[str, ...], utterance: Utterance) -> BotWish:
    """The request that our question was about, with the answer."""
    wish = complete_wish((*map(read_utterance, pending), utterance))
    # A plain yes is to the question whether the language that there is will do.
    return replace(wish, language=None) if agrees(utterance.canonical) else wish
