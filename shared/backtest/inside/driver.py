"""Runs tasks on a bot inside the sandbox and writes what it decided.

The job comes by standard input, so that no file of the sandbox holds candles that a task has cut off. Every
line of the answer is a JSON list of messages; a message begins with the task's number and a tag:

    [task, "form", {mode, symbols, needed, cash}]        the bot's form, before anything is decided
    [task, "order", index, market, action, number, reason]
    [task, "probe", point, variant, index, [signal]]     one decision on a variant of the candles
    [task, "crash", {error, place, index, kind}]         why the task ended early
    [task, "end", {candles, cash, quantities}]           where the task ended; {points} of a probe
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from shared.backtest.inside.bot import Bot, Cells, MissingCandlesError, forget_modules
from shared.backtest.inside.ledger import Costs, Ledger, Row
from shared.backtest.inside.probe import probe
from shared.backtest.inside.variants import csv_text
from shared.backtest.inside.walk import Walk

Emit = Callable[[int, str, Any], None]
# `json.dumps` makes an encoder a call.
_encoded = json.JSONEncoder(separators=(",", ":")).encode
_MESSAGES_A_LINE = 256


class Driver:
    """The job's candles and the bot's folder, in which files of candles follow the task."""

    def __init__(self, job: Mapping[str, Any], folder: str, output: Any) -> None:
        self.job = job
        self.folder = folder
        self._output = output
        self._messages: list[tuple[Any, ...]] = []
        self._laid_out: list[list[Cells]] | None = None
        self.symbols: list[str] = [market["symbol"] for market in job["markets"]]

    def emit(self, *message: Any) -> None:
        """Tells one message; many make a line, because each call of the encoder has its price."""
        self._messages.append(message)
        if len(self._messages) >= _MESSAGES_A_LINE:
            self._write()

    def _write(self) -> None:
        if self._messages:
            self._output.write(_encoded(self._messages) + "\n")
            self._messages = []

    def run(self) -> None:
        """Every task in turn; one that fails does not end the others."""
        for number, task in enumerate(self.job["tasks"]):
            position = {"index": None}
            try:
                if task["kind"] == "run":
                    self._walk(number, task, position)
                else:
                    probe(self, number, task)
                    self.emit(number, "end", {"points": len(task["points"])})
            # The border of the bot: what it raises is what we are here to tell.
            except BaseException as error:  # noqa: BLE001
                self.emit(number, "crash", _crash(error, self.folder, position["index"]))
            self._write()
            self._output.flush()

    def bot(self, task: Mapping[str, Any], markets: list[list[Cells]]) -> Bot:
        """The bot with the task's configuration, in a folder whose candles are these.

        Other candles make another process of it, as far as modules can: each is imported anew.
        """
        if self._laid_out != markets:
            self._lay_out(markets)
            forget_modules(self.folder)
            self._laid_out = markets
        os.chdir(self.folder)
        return Bot(self.folder, {**self.job["config"], **task.get("config", {})}, self.symbols)

    def markets(self, task: Mapping[str, Any]) -> list[list[Cells]]:
        """The task's candles: a stretch of the job's, with times moved where it asks for it."""
        start, end, shift = task.get("from", 0), task.get("to"), task.get("shift_ms", 0)
        series = [market["rows"][start:end] for market in self.job["markets"]]
        if not shift:
            return series
        return [[[row[0] + shift, *row[1:]] for row in rows] for rows in series]

    def ordered(self, bot: Bot, markets: list[list[Cells]]) -> list[list[Cells]]:
        """The candles of the bot's markets in its own order; those of a single market go by any name."""
        if len(markets) == 1 and not bot.several:
            return markets
        by_symbol = dict(zip(self.symbols, markets, strict=True))
        missing = [symbol for symbol in bot.symbols if symbol not in by_symbol]
        if missing:
            raise MissingCandlesError(f"there are no candles of {', '.join(missing)}")
        return [by_symbol[symbol] for symbol in bot.symbols]

    def _walk(self, number: int, task: Mapping[str, Any], position: dict[str, Any]) -> None:
        markets = self.markets(task)
        bot = self.bot(task, markets)
        markets = self.ordered(bot, markets)
        form = {"mode": "several" if bot.several else "one", "symbols": bot.symbols, "needed": bot.needed}
        self.emit(number, "form", {**form, "cash": bot.cash})
        rows: list[list[Row]] = [[_numbers(cells) for cells in series] for series in markets]
        shortable = [":" in symbol for symbol in bot.symbols]
        costs = Costs(*task.get("costs", self.job["costs"]))
        ledger = Ledger(markets=rows, shortable=shortable, costs=costs, cash=bot.cash, keeps_fills=False)
        candles = [bot.candles(series) for series in markets]
        # They stay until the walk's end: the collector of cycles need not look through them again and again.
        gc.freeze()
        walk = Walk(bot, ledger, candles, partial(self.emit, number, "order"))
        try:
            walk.run()
        finally:
            gc.unfreeze()
            position["index"] = walk.at
        quantities = [one.quantity for one in ledger.positions]
        self.emit(number, "end", {"candles": len(rows[0]), "cash": ledger.cash, "quantities": quantities})

    def _lay_out(self, markets: list[list[Cells]]) -> None:
        """Writes the candles over the bot's files of candles."""
        text = ""
        for name in self.job["data_files"]:
            text = text or csv_text(self.symbols, markets, self.job["columns"])
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


def _numbers(cells: Cells) -> Row:
    time, opening, high, low, close, volume, funding = cells
    return (int(time), float(opening), float(high), float(low), float(close), float(volume), float(funding))


def _crash(error: BaseException, folder: str, index: int | None) -> dict[str, Any]:
    """What was raised and where in the bot's own files."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(folder + os.sep):
            place = f"{os.path.relpath(frame.filename, folder)}:{frame.lineno}"
    return {
        "error": f"{type(error).__name__}: {error}"[:300],
        "place": place,
        "index": index,
        "kind": getattr(error, "kind", ""),
    }


def main(bot_folder: str, out_folder: str) -> None:
    """Reads the job from standard input and runs it on a copy of the bot that may be written to."""
    job = json.load(sys.stdin)
    folder = os.path.join(tempfile.mkdtemp(), "bot")
    shutil.copytree(bot_folder, folder)
    # A bot is imported many times: its compiled form is worth keeping.
    sys.dont_write_bytecode = False
    # The bot finds its own modules, not ours.
    sys.path[0] = folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "shared"]:
        del sys.modules[name]
    os.makedirs(out_folder, exist_ok=True)
    with open(os.path.join(out_folder, "decisions.jsonl"), "w", encoding="utf-8") as output:
        Driver(job, folder, output).run()
