"""Turns a strategy and its parameters into the files of a bot; the same arguments give the same bytes."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import ToolFailedError
from shared.tools.templates.catalog import BotType, Language, Strategy
from shared.tools.templates.fields import SECRET_FIELDS, as_json, bot_fields, bot_schema, python_kind
from shared.tools.templates.layouts import LAYOUTS, camel, javascript_literal, python_literal
from shared.tools.templates.parameters import TIMEFRAME_MINUTES, BotParameters
from shared.tools.templates.parameters_markets import (
    FundingCarryParameters,
    MomentumRotationParameters,
    PairsArbitrageParameters,
)
from shared.tools.templates.sample import sample_csv
from shared.tools.templates.sample_markets import basket_csv, carry_csv, pair_csv

if TYPE_CHECKING:
    import jinja2

AUTHOR = "the0-agent"
FIRST_VERSION = "1.0.0"
CONFIG_FILE = "bot-config.yaml"
_FORMAT_SECONDS = 10.0
_SAMPLE_PRICE = Decimal(100)

# What the platform takes as a bot's name.
NAME_PATTERN = re.compile(r"^[a-z0-9-]{3,50}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """All that determines a bot's files; `name` satisfies the platform, `version` is x.y.z."""

    name: str
    strategy: Strategy
    parameters: BotParameters
    bot_type: BotType
    version: str = FIRST_VERSION
    language: Language = "python"

    @property
    def schedule(self) -> str:
        """The cron expression for an instance of the bot: the chosen one, or one run a candle."""
        return self.parameters.schedule or default_schedule(self.parameters.timeframe)


def bot_name(text: str) -> str:
    """A name that the platform takes, as near to the text as can be.

    Letters lose their accents, everything but a-z and 0-9 becomes one hyphen; 3 to 50 characters, and
    `bot` where nothing is left.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-")
    return name if len(name) >= 3 else f"{name}-bot".strip("-")


def derived_name(*, strategy: str, symbol: str) -> str:
    """The name of a bot that was given none; it does not depend on any number that is tuned."""
    return bot_name(f"{strategy}-{symbol}")


def default_schedule(timeframe: str) -> str:
    """A cron expression that runs once a candle, one minute after it closes (each minute for 1m)."""
    minutes = TIMEFRAME_MINUTES[timeframe]
    if minutes == 1:
        return "* * * * *"
    if minutes < 60:
        return f"1-59/{minutes} * * * *"
    if minutes < 1440:
        hours = minutes // 60
        return "1 * * * *" if hours == 1 else f"1 */{hours} * * *"
    return {1440: "1 0 * * *", 4320: "1 0 */3 * *"}.get(minutes, "1 0 * * 1")


def render_bot(bot: Bot) -> dict[str, bytes]:
    """The bot's files by name, formatted.

    Blocking (it runs ruff): call it from a thread.

    Raises:
        ToolFailedError: ruff did not format what was rendered.
    """
    fields = bot_fields(strategy=bot.strategy, parameters=bot.parameters, bot_type=bot.bot_type)
    values = {
        "bot": bot,
        "fields": fields,
        "kinds": {field.name: python_kind(bot.strategy, field.name) for field in fields},
        "secrets": SECRET_FIELDS,
        "author": AUTHOR,
        "minutes": TIMEFRAME_MINUTES,
    }
    layout = LAYOUTS[bot.language]
    environment = _environment(layout.folder)
    templates = layout.forms[bot.strategy.form]
    files = {name: environment.get_template(path).render(values) for name, path in templates.items()}
    schema = bot_schema(title=f"{bot.strategy.title} configuration", fields=fields)
    files["bot-schema.json"] = json.dumps(schema, indent=2) + "\n"
    files["sample.csv"] = _sample(bot)
    formatted = {**files, **_format({n: text for n, text in files.items() if n.endswith(".py")})}
    return {name: formatted[name].encode() for name in sorted(formatted)}


def _sample(bot: Bot) -> str:
    """The sample candles that fit what the bot trades."""
    minutes = TIMEFRAME_MINUTES[bot.parameters.timeframe]
    if isinstance(bot.parameters, PairsArbitrageParameters):
        return pair_csv((bot.parameters.symbol, bot.parameters.second_symbol), minutes=minutes)
    if isinstance(bot.parameters, MomentumRotationParameters):
        symbols = (bot.parameters.symbol, *bot.parameters.other_symbols.split(","))
        return basket_csv(symbols, minutes=minutes)
    if isinstance(bot.parameters, FundingCarryParameters):
        return carry_csv(bot.parameters.symbol, minutes=minutes)
    return sample_csv(minutes=minutes, start_price=_sample_price(bot.parameters))


def _sample_price(parameters: BotParameters) -> Decimal:
    """Where the sample candles begin: inside the grid where prices were given, else at 100."""
    lower, upper = getattr(parameters, "lower_price", None), getattr(parameters, "upper_price", None)
    if lower is not None and upper is not None:
        return Decimal(lower + upper) / 2
    centre = getattr(parameters, "centre_price", None)
    return _SAMPLE_PRICE if centre is None else Decimal(centre)


def _format(sources: dict[str, str]) -> dict[str, str]:
    """The Python sources as `ruff format` lays them out, by one run over a temporary folder."""
    # The package only holds the way to its binary, and no types.
    from ruff import find_ruff_bin  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory(prefix="bot-") as folder:
        for name, text in sources.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        try:
            # The command is fixed, its only argument is our own folder.
            subprocess.run(  # noqa: S603
                [find_ruff_bin(), "format", "--isolated", "--no-cache", "--quiet", folder],
                check=True,
                capture_output=True,
                timeout=_FORMAT_SECONDS,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise ToolFailedError(
                "the rendered bot could not be formatted: a fault of the template, not of the arguments"
            ) from error
        return {name: Path(folder, name).read_text(encoding="utf-8") for name in sources}


@cache
def _environment(folder: str) -> jinja2.Environment:
    # Imported on first use: jinja2 costs a cold start 30 ms.
    import jinja2

    root = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([root / folder, root]),
        undefined=jinja2.StrictUndefined,
        # The output is code, YAML and Markdown, not HTML; values enter through the literal filters below.
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["py"] = python_literal
    environment.filters["js"] = javascript_literal
    environment.filters["camel"] = camel
    environment.filters["json"] = lambda value: json.dumps(as_json(value))
    return environment


__all__ = [
    "AUTHOR",
    "Bot",
    "CONFIG_FILE",
    "FIRST_VERSION",
    "NAME_PATTERN",
    "bot_name",
    "default_schedule",
    "derived_name",
    "render_bot",
]
