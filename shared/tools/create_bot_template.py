"""The tool `create_bot_template`: renders a bot and saves its files to the session."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError

from shared.errors import AppError, ArtifactNotFoundError, SessionNotFoundError, ToolInputError
from shared.keys import ArtifactKey, SessionKey
from shared.tools.port import ToolContext, tool
from shared.tools.templates.catalog import STRATEGIES, BotType, Language, Strategy, StrategyType
from shared.tools.templates.fields import SECRET_FIELDS, as_json
from shared.tools.templates.layouts import LAYOUTS
from shared.tools.templates.parameters import BotParameters
from shared.tools.templates.render import (
    CONFIG_FILE,
    FIRST_VERSION,
    Bot,
    bot_name,
    derived_name,
    render_bot,
)

_RUNTIMES: dict[str, Language] = {"python3.11": "python", "nodejs20": "nodejs"}
_VERSION = re.compile(r"^(\d{1,6})\.(\d{1,6})\.(\d{1,6})$")

_PARAMETERS_HELP = (
    "by name (a wrong one is answered with all there are); those left out take their defaults, so give all "
    "that matter again when changing a bot. "
    "All strategies: "
    + " ".join(BotParameters.model_fields)
    + "; "
    + "; ".join(f"{s.name}: {' '.join(s.own_parameters)}" for s in STRATEGIES.values())
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedFile:
    """What the save of one file did."""

    filename: str
    version: int
    outcome: Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedBot:
    """The bot as it was built; `notes` say what was adjusted or ignored, and why."""

    name: str
    version: str
    strategy_type: str
    bot_type: str
    language: str
    parameters: dict[str, Any]
    files: list[CreatedFile]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Existing:
    """The bot that the session holds already, as its bot-config.yaml says."""

    name: str
    version: str
    strategy: str
    symbol: str
    bot_type: str
    language: Language


@tool(timeout=30.0, read_only=False)
async def create_bot_template(
    context: ToolContext,
    *,
    strategy_type: Annotated[StrategyType, Field(description="the strategy the bot follows")],
    parameters: Annotated[dict[str, Any] | None, Field(description=_PARAMETERS_HELP)] = None,
    language: Annotated[
        Language | None,
        Field(description="nodejs is plain JavaScript; the bot's own, else python, when left out"),
    ] = None,
    bot_type: Annotated[
        BotType, Field(description="scheduled runs once at each cron time, realtime runs on and on")
    ] = "scheduled",
    name: Annotated[
        str | None,
        Field(description="the bot's name, a-z 0-9 and hyphens; from strategy and symbol when left out"),
    ] = None,
) -> CreatedBot:
    """Builds a complete, tested trading bot for the0 and saves its files to the session.

    Use it to create a bot and, called again with changed parameters, to change one: only files whose content
    differs get a new version, and the version in bot-config.yaml goes up. Bots trade on paper by default.
    """
    session = context.require_session()
    if language is not None:
        _check_language(language)
    strategy = _strategy(strategy_type)
    asked = dict(parameters or {})
    model = _read_parameters(strategy, asked)
    existing, hashes = await _existing_bot(context, session)
    chosen, notes = _choose_name(name, strategy, model, existing)
    language = language or (existing.language if existing else "python")
    bot = Bot(name=chosen, strategy=strategy, parameters=model, bot_type=bot_type, language=language)
    bot, files = await asyncio.to_thread(_render_next, bot, existing, hashes)
    saved = [await _save(context, session, filename, data) for filename, data in files.items()]
    notes += await _take_off(context, session, _left_over(existing, files, hashes))
    return CreatedBot(
        name=bot.name,
        version=bot.version,
        strategy_type=strategy.name,
        bot_type=bot_type,
        language=language,
        parameters=_effective(bot),
        files=saved,
        notes=notes + _parameter_notes(bot, asked),
    )


def _check_language(language: str) -> None:
    if language not in get_args(Language):
        raise ToolInputError(
            f"language: bots are built in python and nodejs (plain JavaScript) only, not in {language!r}"
        )


def _strategy(strategy_type: str) -> Strategy:
    strategy = STRATEGIES.get(strategy_type)
    if strategy is None:
        raise ToolInputError(f"strategy_type: must be one of {', '.join(STRATEGIES)}")
    return strategy


def _read_parameters(strategy: Strategy, asked: Mapping[str, Any]) -> BotParameters:
    """The checked parameters; raises ToolInputError that names each wrong field and what it takes."""
    known = strategy.parameters
    if any(field in asked for field in SECRET_FIELDS):
        raise ToolInputError(
            "parameters: API keys never go into a bot's files; the user enters them in the configuration of "
            "the bot's instance. Call again without them and do not repeat their values"
        )
    unknown = [field for field in asked if field not in known]
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.5)
        hint = f" (did you mean {close[0]}?)" if close else ""
        wrong, right = ", ".join(map(repr, unknown)), ", ".join(known)
        raise ToolInputError(f"parameters: {strategy.name} has no {wrong}{hint}; it takes {right}")
    try:
        return strategy.model.model_validate(asked)
    except ValidationError as error:
        problems = [
            _problem(known, details) for details in error.errors(include_url=False, include_input=False)
        ]
        raise ToolInputError("parameters: " + "; ".join(problems)) from error


def _problem(known: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """One validation error in words: the field, what is wrong, what it takes."""
    message = str(details["msg"]).removeprefix("Value error, ")
    if not details["loc"]:
        return message
    name = str(details["loc"][0])
    field = known[name]
    if field.minimum is not None and field.maximum is not None:
        empty = " or null" if field.nullable else ""
        limits = f"from {as_json(field.minimum)} to {as_json(field.maximum)}{empty}"
        return f"{name}: {message} (it takes a {field.kind} {limits}: {field.description})"
    return f"{name}: {message}"


async def _existing_bot(context: ToolContext, session: SessionKey) -> tuple[_Existing | None, dict[str, str]]:
    """The session's bot, None when there is none that can be read, and the hash of each of its files."""
    import yaml

    artifacts = context.services.artifacts
    try:
        hashes = {one.filename: one.sha256 for one in await artifacts.list(session=session)}
    except SessionNotFoundError:
        # A session that has saved nothing yet may not exist for a direct caller of the tool.
        return None, {}
    if CONFIG_FILE not in hashes:
        return None, hashes
    content = await artifacts.read(key=ArtifactKey(session=session, filename=CONFIG_FILE))
    try:
        config = yaml.safe_load(content.data)
        metadata = config.get("metadata") or {}
        existing = _Existing(
            name=str(config["name"]),
            version=str(config["version"]),
            strategy=str(metadata.get("strategy", "")),
            symbol=str(metadata.get("symbol", "")),
            bot_type=str(config.get("type", "")),
            language=_RUNTIMES.get(str(config.get("runtime")), "python"),
        )
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError):
        # A file that the user spoilt is simply replaced.
        return None, hashes
    return existing, hashes


def _choose_name(
    name: str | None, strategy: Strategy, model: BotParameters, existing: _Existing | None
) -> tuple[str, list[str]]:
    """The bot's name, and a note when it is not the one asked for.

    Without a name, a bot of the same strategy keeps the name that its user gave it; a derived name follows
    strategy and symbol.
    """
    if name is not None and name.strip():
        chosen = bot_name(name)
        if chosen == name:
            return chosen, []
        return chosen, [f"the name is {chosen!r}: the0 takes 3 to 50 of a-z, 0-9 and hyphens"]
    if existing is not None and existing.strategy == strategy.name:
        was_derived = existing.name == derived_name(strategy=existing.strategy, symbol=existing.symbol)
        if not was_derived and bot_name(existing.name) == existing.name:
            return existing.name, []
    return derived_name(strategy=strategy.name, symbol=model.symbol), []


def _render_next(
    bot: Bot, existing: _Existing | None, hashes: Mapping[str, str]
) -> tuple[Bot, dict[str, bytes]]:
    """The bot and its files under the version that follows from what the session holds.

    Another name begins at 1.0.0. The same name keeps its version while no byte differs; else the patch
    number goes up, or, with another strategy, type or language, which do not fit what runs, the major number.
    """
    if existing is None or existing.name != bot.name or not _VERSION.match(existing.version):
        bot = replace(bot, version=FIRST_VERSION)
        return bot, render_bot(bot)
    bot = replace(bot, version=existing.version)
    files = render_bot(bot)
    if all(hashes.get(name) == hashlib.sha256(data).hexdigest() for name, data in files.items()):
        return bot, files
    major, minor, patch = (int(number) for number in existing.version.split("."))
    was, becomes = (
        (existing.strategy, existing.bot_type, existing.language),
        (
            bot.strategy.name,
            bot.bot_type,
            bot.language,
        ),
    )
    fits = was == becomes
    bot = replace(bot, version=f"{major}.{minor}.{patch + 1}" if fits else f"{major + 1}.0.0")
    return bot, render_bot(bot)


async def _save(context: ToolContext, session: SessionKey, filename: str, data: bytes) -> CreatedFile:
    try:
        saved = await context.services.artifacts.save(
            key=ArtifactKey(session=session, filename=filename), data=data, turn_id=context.turn_id
        )
    except AppError as error:
        if error.http_status in (413, 422):
            raise ToolInputError(error.message) from error
        raise
    if saved.outcome != "unchanged":
        context.saved.append(saved.artifact.filename)
    return CreatedFile(filename=filename, version=saved.artifact.version, outcome=saved.outcome)


def _left_over(
    existing: _Existing | None, files: Mapping[str, bytes], hashes: Mapping[str, str]
) -> list[str]:
    """The files that the bot which is replaced had from its template, and the new one has not."""
    if existing is None or existing.strategy not in STRATEGIES:
        return []
    had = LAYOUTS[existing.language].forms[STRATEGIES[existing.strategy].form]
    return sorted(name for name in had if name in hashes and name not in files)


async def _take_off(context: ToolContext, session: SessionKey, filenames: list[str]) -> list[str]:
    """Takes the files off the session's list, where they would go into the bot's package; says so."""
    for filename in filenames:
        try:
            await context.services.artifacts.delete(key=ArtifactKey(session=session, filename=filename))
        except ArtifactNotFoundError:
            continue
    if not filenames:
        return []
    return [
        f"taken off the list, as this bot does not use them: {', '.join(filenames)} (their versions stay)"
    ]


def _effective(bot: Bot) -> dict[str, Any]:
    """The parameters as the bot has them, without those of the other bot type."""
    values = {**dict(bot.parameters), "schedule": bot.schedule, "live_trading": False}
    del values["poll_seconds" if bot.bot_type == "scheduled" else "schedule"]
    return {name: as_json(value) for name, value in values.items()}


def _parameter_notes(bot: Bot, asked: Mapping[str, Any]) -> list[str]:
    """What became of the parameters that were not taken as they came."""
    notes = []
    model = bot.parameters
    for name in ("symbol", "second_symbol", "exchange"):
        value = getattr(model, name, None)
        if name in asked and asked[name] != value:
            perpetual = ":" in str(value) and ":" not in str(asked[name])
            why = "the perpetual, which can be sold short" if perpetual else "as ccxt does"
            notes.append(f"{name} {asked[name]!r} is written {value!r}, {why}")
    if model.live_trading:
        notes.append("live_trading stays off in the bot: turn it on in the configuration of an instance")
    if bot.bot_type == "realtime" and model.schedule is not None:
        notes.append("schedule is ignored: a realtime bot runs on and on")
    if bot.bot_type == "scheduled" and "poll_seconds" in asked:
        notes.append("poll_seconds is ignored: a scheduled bot looks at the market once a run")
    if bot.bot_type == "scheduled":
        notes.append(f"the schedule {bot.schedule!r} belongs to the instance: the README shows where it goes")
    return notes + _capped_amount(model)


def _capped_amount(model: BotParameters) -> list[str]:
    """A note when the risk limit lets a buy spend less than its amount at the paper balance."""
    amount = getattr(model, "amount", None)
    if amount is None:
        return []
    share = min(model.risk_per_trade_pct / (model.stop_loss_pct or 100), model.max_position_pct / 100)
    cap = model.paper_balance * share
    if amount <= cap:
        return []
    return [
        f"with a balance of {model.paper_balance:f} the limits let one buy spend {cap:.2f}, not {amount:f}: "
        "raise risk_per_trade_pct or max_position_pct if that is not wanted"
    ]
