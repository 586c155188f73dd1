"""Building a bot: say what was understood, write the files, check the code, hand over."""

from __future__ import annotations

from typing import Any

from shared.model.offline import verdicts
from shared.model.offline.conversation import (
    LANGUAGE_QUESTION,
    STRATEGY_QUESTION,
    VALUES_QUESTION,
    Bot,
    Done,
    bot_of,
)
from shared.model.offline.extract_options import offered_language
from shared.model.offline.extract_strategy import TITLES
from shared.model.offline.intent import Intent, asks_for
from shared.model.offline.plan_documentation import citations
from shared.model.offline.plan_mend import mend_bot, mended
from shared.model.offline.repair import repaired
from shared.model.offline.reply import Reply, bullets, paragraphs
from shared.model.offline.task import Task
from shared.model.offline.verdicts import describe_verification
from shared.model.offline.wish import BotWish
from shared.model.offline.wording import (
    RULES,
    describe_analysis,
    describe_parameters,
    facts,
    language_name,
    list_changes,
    list_files,
    list_parameters,
    strategy_list,
)

TOOL = "create_bot_template"
_REPLAY_QUERY = "replay candles from a CSV file with data_source and BOT_CONFIG"
_MOST_TRIES = 2
# What installs a bot's packages, starts it, and runs its tests.
_COMMANDS = {
    "python": ("pip install -r requirements.txt pytest", "python main.py", "python -m pytest"),
    "nodejs": ("npm install", "node main.js", "npm test"),
}
_PLAIN_JAVASCRIPT = (
    "Instead of TypeScript I write plain JavaScript, with the types in comments (JSDoc) that `tsc --checkJs` "
    "and editors read: nothing has to be compiled."
)
_SDK_PLACE = (
    "Node.js 20.19 or newer runs it. The platform's SDK is on GitHub Packages: the README says how `npm` "
    "finds it."
)
_LATER = (("verify", Intent.VERIFY), ("deploy", Intent.DEPLOY))


def build_bot(task: Task) -> Reply:
    """The next step of building a new bot."""
    if task.conversation.of(TOOL):
        return after_build(task, before=None)
    return begin_build(task)


def begin_build(task: Task) -> Reply:
    """The first step: a question, a refusal, or what was understood with the call that builds it."""
    wish = task.wish
    if wish.strategy is None:
        return ask_strategy(wish)
    arguments: dict[str, Any] = {
        "strategy_type": wish.strategy,
        "parameters": wish.parameters,
        "bot_type": wish.bot_type,
        "name": wish.name,
    }
    understood = paragraphs(
        f"I understood: **{TITLES[wish.strategy]}**, a bot that {RULES[wish.strategy]}.",
        describe_parameters(wish.parameters),
        _type_and_name(wish),
        "Whatever you did not say takes the template's default.",
    )
    return call_build(task, understood, arguments)


def ask_strategy(wish: BotWish) -> Reply:
    """One question that lists what can be built."""
    if len(wish.candidates) > 1:
        named = " and ".join(TITLES[name] for name in wish.candidates)
        reason = f"You named {named}, and a bot follows one strategy."
    elif wish.not_offered:
        reason = f"There is no template for {wish.not_offered}, and I do not invent one."
    else:
        reason = "I can build that once I know its strategy."
    heard = describe_parameters(wish.parameters)
    return Reply(
        paragraphs(
            reason,
            f"{STRATEGY_QUESTION} I can build these:",
            strategy_list(),
            f"What I noted so far:\n\n{heard}" if heard else None,
        )
    )


def call_build(task: Task, said: str, arguments: dict[str, Any]) -> Reply:
    """The words and the call of create_bot_template, with a look at the documentation beside it."""
    wish, tools = task.wish, task.tools
    if not tools.has(TOOL):
        return Reply(paragraphs(said, f"I cannot write it, though. {tools.missing(TOOL)}"))
    offered = tools.choices(TOOL, "language")
    language = offered_language(wish.language, offered) if wish.language and offered else wish.language
    if wish.language and language is None:
        return Reply(_refuse_language(task, wish.language, offered))
    strategies = tools.choices(TOOL, "strategy_type")
    if strategies and arguments["strategy_type"] not in strategies:
        return Reply(f"This installation builds {', '.join(strategies)} only.")
    calls = tools.call(TOOL, language=language, **arguments)
    if task.intent is Intent.BUILD:
        calls += tools.call("search_documentation", query=_REPLAY_QUERY, limit=3)
    plain = _PLAIN_JAVASCRIPT if wish.language == "typescript" and language == "nodejs" else None
    return Reply(paragraphs(said, _remarks(wish), plain, "I write the files now."), calls)


def _refuse_language(task: Task, language: str, offered: tuple[str, ...]) -> str:
    names = [language_name(name) for name in offered]
    question = LANGUAGE_QUESTION.format(names[0])
    return (
        f"Bots can be written in {', '.join(names)} at present, not in {language_name(language)}. "
        f"{question if task.intent is Intent.BUILD else 'The bot stays as it is.'}"
    )


def after_build(task: Task, *, before: Bot | None) -> Reply:
    """What follows a call of create_bot_template: a repair, the code check, or the handing over."""
    tries = task.conversation.of(TOOL)
    if not tries[-1].ok:
        return _after_failure(task, tries)
    checks = task.tools.call("analyze_code") + task.tools.call(verdicts.TOOL)
    if checks and not task.conversation.of("analyze_code") and not task.conversation.of(verdicts.TOOL):
        return Reply("That is done. Now I check the code and prove the bot in a sandbox.", checks)
    if (repair := mend_bot(task)) is not None:
        return repair
    wanted = asks_for(Intent.BACKTEST, task.request)
    if wanted and not task.conversation.of("backtest_bot") and (more := task.tools.call("backtest_bot")):
        return Reply("You also asked for a backtest, so I run it.", more)
    return Reply(_hand_over(task, tries[-1], before))


def _after_failure(task: Task, tries: tuple[Done, ...]) -> Reply:
    failed = tries[-1]
    reason = f"The bot could not be written: {failed.problem}"
    if len(tries) < _MOST_TRIES and task.tools.has(TOOL):
        if failed.result.error and failed.result.error.retryable:
            return Reply(
                paragraphs(reason, "That may pass, so I try once more."),
                task.tools.call(TOOL, **failed.call.arguments),
            )
        repair = repaired(failed.call.arguments, failed.problem)
        if repair is not None:
            arguments, changes = repair
            said = paragraphs(reason, "I correct what can be corrected:", bullets(changes))
            return Reply(said, task.tools.call(TOOL, **arguments))
    more = VALUES_QUESTION if task.intent is Intent.BUILD else "Tell me other values and I try again."
    return Reply(paragraphs(reason, f"Nothing was changed. {more}"))


def _hand_over(task: Task, built: Done, before: Bot | None) -> str:
    bot = bot_of(built)
    assert bot is not None
    stated, rest = {*task.wish.parameters}, _rest(bot, before)
    analysis = task.conversation.last("analyze_code")
    return paragraphs(
        _headline(
            bot, built.value, before, is_ready=verdicts.is_ready(task.conversation.last(verdicts.TOOL))
        ),
        _what_changed(before, bot) if before else None,
        f"**Files**\n\n{list_files(built.value.get('files', []))}",
        f"**Parameters**\n\n{list_parameters(bot.parameters, stated, rest=rest)}",
        _notes(built.value),
        _corrections(task),
        None if before is None else _remarks(task.wish),
        describe_verification(task.conversation.last(verdicts.TOOL)),
        mended(task),
        _analysis(analysis),
        _backtest(task),
        _further(task),
        how_to_run(bot),
        "**Next steps**: replay it on your own candles, change any value by telling me, and let it trade on "
        "paper "
        "before you think of real orders. Past prices promise nothing.",
        citations(task.conversation),
    )


def _headline(bot: Bot, value: dict[str, Any], before: Bot | None, *, is_ready: bool) -> str:
    version = f" {value['version']}" if value.get("version") else ""
    files = [file for file in value.get("files", []) if isinstance(file, dict)]
    if before is not None and files and all(file.get("outcome") == "unchanged" for file in files):
        return f"**{bot.name}**{version} already was as you asked: no file changed."
    # Only what has been proven is called ready.
    verb = "is changed" if before is not None else "is ready" if is_ready else "is written, but not proven"
    title = TITLES.get(bot.strategy, bot.strategy)
    return f"**{bot.name}**{version} {verb}: {title}, {bot.bot_type or 'scheduled'}."


def _rest(bot: Bot, before: Bot | None) -> str:
    """What the parameters are that the user did not name now."""
    if before is None:
        return "defaults"
    return "as before" if before.strategy == bot.strategy else "the rest"


def _what_changed(before: Bot, bot: Bot) -> str | None:
    """The differences between the bot as it was and as it is."""
    pairs = {
        "strategy": (TITLES.get(before.strategy, before.strategy), TITLES.get(bot.strategy, bot.strategy)),
        "type": (before.bot_type or "scheduled", bot.bot_type or "scheduled"),
        "name": (before.name or "none", bot.name or "none"),
    }
    lines = [f"{what}: {old} → {new}" for what, (old, new) in pairs.items() if old != new]
    common = {name: value for name, value in before.parameters.items() if name in bot.parameters}
    # Another strategy has parameters of its own; the list of all of them shows these.
    after = {name: value for name, value in bot.parameters.items() if name in common}
    lines += list_changes(common, after)
    return f"**Changed**\n\n{bullets(lines)}" if lines else None


def _notes(value: dict[str, Any]) -> str | None:
    notes = value.get("notes")
    if not isinstance(notes, list) or not notes:
        return None
    return f"**Notes**\n\n{bullets([str(note) for note in notes])}"


def _corrections(task: Task) -> str | None:
    """What a repair changed, so that the last answer says it too."""
    tries = task.conversation.of(TOOL)
    repair = repaired(tries[-2].call.arguments, tries[-2].problem) if len(tries) > 1 else None
    return f"**Corrected**\n\n{bullets(repair[1])}" if repair else None


def _analysis(analysis: Done | None) -> str | None:
    if analysis is None:
        return "The code was not checked, as there is no tool for it here."
    return describe_analysis(analysis.value) if analysis.ok else f"The code check failed: {analysis.problem}"


def _backtest(task: Task) -> str | None:
    if not asks_for(Intent.BACKTEST, task.request):
        return None
    run = task.conversation.last("backtest_bot")
    if run is None:
        return (
            f"I could not backtest it. {task.tools.missing('backtest_bot')} The replay below comes nearest."
        )
    return f"**Backtest**\n\n{facts(run.value)}" if run.ok else f"The backtest failed: {run.problem}"


def _further(task: Task) -> str | None:
    """What the message asked for beside the build and waits until the user has seen the bot."""
    wanted = [f'"{word} it"' for word, intent in _LATER if asks_for(intent, task.request)]
    return f"Once you have looked at the bot, say {' and '.join(wanted)}." if wanted else None


def how_to_run(bot: Bot) -> str:
    """The commands that replay the bot on its sample candles and run its tests."""
    install, start, tests = _COMMANDS.get(bot.language, _COMMANDS["python"])
    return paragraphs(
        "**Run it** in the unpacked folder; this replays the sample candles that come with the bot:",
        f"```bash\n{install}\n"
        f'BOT_ID={bot.name or "bot"} BOT_CONFIG=\'{{"data_source": "sample.csv"}}\' CODE_MOUNT_DIR="$PWD" '
        f"{start}\n{tests}\n```",
        _SDK_PLACE if bot.language == "nodejs" else None,
    )


def _type_and_name(wish: BotWish) -> str | None:
    parts = [f"type: {wish.bot_type}"] if wish.bot_type else []
    parts += [f"name: {wish.name}"] if wish.name else []
    return bullets(parts) or None


def _remarks(wish: BotWish) -> str | None:
    lines = list(wish.remarks)
    if wish.not_offered and wish.strategy:
        lines.append(f"There is no template for {wish.not_offered}; that part is left out.")
    if wish.unread:
        lines.append(f"I found no use for these numbers: {', '.join(wish.unread[:8])}.")
    return f"Please note:\n\n{bullets(lines)}" if lines else None
