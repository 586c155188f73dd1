"""Starting, changing and stopping a deployed bot's instance; "running" is never said without evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.model.offline.conversation import Done
from shared.model.offline.instance_wish import is_no_schedule, wanted_instance
from shared.model.offline.reply import Reply, paragraphs
from shared.model.offline.task import Task
from shared.model.offline.wording import facts

_TOOL = "deploy_bot"
_NO_CRON = (
    "I cannot turn that rhythm into a schedule: say it as times of day or of the hour, or as the five fields "
    "of cron (UTC), as in `0 */6 * * *`."
)
_NOT_YET = (
    "The platform has accepted it; that is not yet a run. I say that it runs once an event of the platform "
    "shows it."
)


def run_bot(task: Task) -> Reply:
    """Starts an instance, or changes the one that there is; both wait for the user's yes."""
    there = task.conversation.instance
    if is_no_schedule(task):
        return Reply(_NO_CRON)
    wanted = wanted_instance(task, is_new=there is None)
    if there is not None and not wanted:
        return Reply(
            paragraphs(f"There is an instance already: {_name(there)}.", facts(there), _claim(there))
        )
    if there is not None:
        wanted["bot_id"] = there["bot_id"]
    begin = f"I ask to change {_name(there)}." if there else "I ask to start the bot."
    return _asked(
        task, wanted, begin=begin, failed="The bot was not started" if there is None else "Not changed"
    )


def stop_bot(task: Task) -> Reply:
    """Stops the instance that there is, once the user said yes."""
    there = task.conversation.instance
    if there is None and task.conversation.last(_TOOL) is None:
        return Reply("I know of no instance that could be stopped: none was started in this conversation.")
    wanted = {"bot_id": there["bot_id"], "stop": True} if there else {}
    return _asked(task, wanted, begin=f"I ask to stop {_name(there)}.", failed="It was not stopped")


def tell_status(task: Task) -> Reply:
    """What is known of the bot from this conversation, and where more is told."""
    there = task.conversation.instance or task.conversation.deployed or {}
    more = "`GET /artifacts/deploy/{session_id}/instances` tells what the platform's events have shown since."
    return Reply(paragraphs("This is what I was last told:", facts(there), _claim(there), more))


def _asked(task: Task, wanted: dict[str, Any], *, begin: str, failed: str) -> Reply:
    done = task.conversation.last(_TOOL)
    if done is not None:
        return Reply(_outcome(done, failed))
    if not task.tools.accepts(_TOOL, "instance"):
        return Reply(f"I cannot do that myself. {task.tools.missing(_TOOL)}")
    calls = task.tools.call(_TOOL, instance=wanted)
    approval = " It waits for your yes." if task.tools.needs_approval(_TOOL) else ""
    return Reply(f"{begin}{approval}" if calls else task.tools.missing(_TOOL), calls)


def _outcome(done: Done, failed: str) -> str:
    if not done.ok:
        return f"{failed}: {done.problem}"
    told = done.value.get("instance")
    there = told if isinstance(told, dict) else done.value
    return paragraphs("Done. The tool reports:", facts(there), _claim(there))


def _claim(there: Mapping[str, Any]) -> str | None:
    return _NOT_YET if there.get("status") == "accepted, not started" else None


def _name(there: Mapping[str, Any] | None) -> str:
    return f"**{there.get('name') or there.get('bot_id')}**" if there else "it"
