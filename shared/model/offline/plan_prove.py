"""Backtest, verification and deployment of the session's bot."""

from __future__ import annotations

import re

from shared.model.offline.conversation import Done
from shared.model.offline.extract_schedule import find_history_days
from shared.model.offline.instance_wish import asked_instance
from shared.model.offline.plan_build import how_to_run
from shared.model.offline.plan_documentation import SEARCH, answer_from, look_up
from shared.model.offline.plan_mend import mend_bot, mended
from shared.model.offline.reply import Reply, paragraphs
from shared.model.offline.task import Task
from shared.model.offline.verdicts import describe_verification
from shared.model.offline.wording import facts

# The user's own words for a bot that was not proven.
_UNVERIFIED = re.compile(
    r"\b(?:unverified|not verified|unproven|without (?:a |the )?(?:verification|proof))\b", re.I
)


def backtest_bot(task: Task) -> Reply:
    """Runs the backtest; without the tool, says how to replay the bot by hand."""
    bot = task.conversation.bot
    wanted = task.wish.parameters
    return _run(
        task,
        tool="backtest_bot",
        begin="I run the backtest.",
        failed="The backtest failed",
        arguments={
            "symbol": wanted.get("symbol"),
            "timeframe": wanted.get("timeframe"),
            "days": find_history_days(task.utterance.canonical),
        },
        query="replay candles from a CSV file, honest backtest",
        instead=how_to_run(bot) if bot else None,
    )


def verify_bot(task: Task) -> Reply:
    """Runs the verification and repairs what rules can; without the tool, says what is known of testing."""
    done = task.conversation.last("verify_bot")
    if done is not None:
        return mend_bot(task) or Reply(paragraphs(describe_verification(done), mended(task)))
    return _run(
        task,
        tool="verify_bot",
        begin="I verify the bot.",
        failed="The verification failed",
        arguments={},
        query="test a bot before deployment",
        instead="I can check the code instead: ask me to analyse it.",
    )


def deploy_bot(task: Task) -> Reply:
    """Asks for the deployment; without the tool, says how the user deploys by hand."""
    approval = " It waits for your yes." if task.tools.needs_approval("deploy_bot") else ""
    return _run(
        task,
        tool="deploy_bot",
        begin=f"I ask for the deployment.{approval}",
        failed="The bot was not deployed",
        arguments={
            "name": task.wish.name,
            "instance": asked_instance(task),
            "unverified": True if _UNVERIFIED.search(task.utterance.canonical) else None,
        },
        query="deploy a custom bot and create an instance with the0 command line",
        instead="You can deploy the files yourself; the bot's README holds the commands.",
    )


def _run(
    task: Task,
    *,
    tool: str,
    begin: str,
    failed: str,
    arguments: dict[str, object],
    query: str,
    instead: str | None,
) -> Reply:
    done = task.conversation.last(tool)
    if done is not None:
        return Reply(_outcome(done, failed))
    calls = task.tools.call(tool, **arguments)
    if calls:
        return Reply(begin, calls)
    reason = f"I cannot do that myself. {task.tools.missing(tool)}"
    found = task.conversation.last(SEARCH)
    if found is None and (search := look_up(task.tools, query)):
        return Reply(f"{reason} I look up what you can do instead.", search)
    pages = answer_from(found.value) if found and found.ok else None
    return Reply(paragraphs(None if found else reason, instead, pages))


def _outcome(done: Done, failed: str) -> str:
    if not done.ok:
        return f"{failed}: {done.problem}"
    return paragraphs("Done. The tool reports:", facts(done.value) or "no plain values.")
