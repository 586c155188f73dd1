"""What goes into the sandbox and what comes out of it: jobs as JSON, answers checked message by message.

What comes out is data of an unknown bot: what is not in the protocol's form is counted, not believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from shared.backtest.inside.walk import Order
from shared.backtest.request import BacktestRequest
from shared.sandbox.port import SandboxJob, SandboxLimits

ANSWER_FILE = "decisions.jsonl"
_INSIDE = Path(__file__).parent / "inside"
_PROGRAM = "_backtest"
_ACTIONS = ("buy", "short", "reduce", "exit", "rest")
_MEMORY = 1024 * 1024 * 1024
_OUTPUT = 96 * 1024 * 1024
_DATA_NAME = "sample.csv"


@dataclass(slots=True)
class Crash:
    """Why a task ended early: what was raised, where in the bot's files, at which candle.

    `kind` is what the bot lacks: the `form` of a strategy that can be run, a `config` that it takes,
    `candles` of a market; empty for any other error. `limit` is the limit of the sandbox that ended it.
    """

    error: str
    place: str
    index: int | None
    kind: str = ""
    limit: str | None = None


@dataclass(slots=True)
class TaskAnswer:
    """What came of one task; `form` and `end` are None where it did not get so far."""

    form: dict[str, Any] | None = None
    orders: list[Order] = field(default_factory=list)
    probes: list[tuple[int, str, int, list[Any]]] = field(default_factory=list)
    crash: Crash | None = None
    end: dict[str, Any] | None = None
    malformed: int = 0


def make_job(request: BacktestRequest, tasks: Sequence[Mapping[str, Any]], *, seconds: float) -> SandboxJob:
    """The sandbox's job that runs these tasks on the bot."""
    assert request.runtime is not None
    candles = request.candles
    stdin = orjson.dumps(
        {
            "config": request.config,
            "columns": candles.columns,
            "costs": list(request.costs.shares(volume_known=request.volume_known)),
            "data_files": data_files(request),
            "markets": [
                {"symbol": symbol, "rows": cells}
                for symbol, cells in zip(candles.symbols, candles.cells, strict=True)
            ],
            "tasks": tasks,
        },
        default=str,
    )
    hidden = data_files(request)
    bot = {f"bot/{name}": data for name, data in request.files.items() if name not in hidden}
    script = "main.py" if request.runtime == "python" else "main.mjs"
    return SandboxJob(
        runtime=request.runtime,
        files={**bot, **_program(request.runtime)},
        arguments=(f"{_PROGRAM}/shared/backtest/inside/{script}", "bot"),
        environment={},
        stdin=stdin,
        limits=SandboxLimits(
            wall_seconds=seconds,
            cpu_seconds=math.ceil(seconds),
            memory_bytes=_MEMORY,
            output_bytes=_OUTPUT,
            disk_bytes=_OUTPUT * 2,
        ),
    )


def data_files(request: BacktestRequest) -> list[str]:
    """The bot's files of candles: inside, each holds the candles of the task and no others."""
    names = [name for name in request.files if name.lower().endswith(".csv")]
    source = request.config.get("data_source")
    if isinstance(source, str) and source.lower().endswith(".csv") and source not in names:
        names.append(source)
    return names or [_DATA_NAME]


def read_answers(data: bytes, count: int) -> list[TaskAnswer]:
    """The answers of the tasks, from the lists of messages that the driver wrote, one a line."""
    answers = [TaskAnswer() for _ in range(count)]
    for line in data.splitlines():
        try:
            messages = orjson.loads(line)
        except orjson.JSONDecodeError:
            messages = None
        if not isinstance(messages, list):
            # A line cut off at a limit, or not of ours; every task is the poorer for it.
            answers[0].malformed += 1
            continue
        for message in messages:
            _enter(answers, message)
    return answers


def _enter(answers: list[TaskAnswer], message: Any) -> None:
    try:
        number, tag, *rest = message
        answer = answers[number]
    except (ValueError, TypeError, IndexError):
        answers[0].malformed += 1
        return
    if not _take(answer, tag, rest):
        answer.malformed += 1


def _take(answer: TaskAnswer, tag: Any, rest: list[Any]) -> bool:
    """Enters a message; whether it had the form."""
    if tag == "order":
        order = _order(rest)
        if order is not None:
            answer.orders.append(order)
        return order is not None
    if tag == "probe":
        if not _is_probe(rest):
            return False
        answer.probes.append((rest[0], rest[1], rest[2], rest[3]))
        return True
    if tag in ("form", "end", "crash") and len(rest) == 1 and isinstance(rest[0], dict):
        if tag == "crash":
            answer.crash = _crash(rest[0])
        else:
            setattr(answer, tag, rest[0])
        return True
    return False


def _crash(told: Mapping[str, Any]) -> Crash:
    index = told.get("index")
    return Crash(
        str(told.get("error"))[:300],
        str(told.get("place") or "")[:100],
        index if isinstance(index, int) else None,
        str(told.get("kind"))[:10],
    )


def _order(rest: list[Any]) -> Order | None:
    if len(rest) != 5:
        return None
    index, market, action, number, reason = rest
    if type(index) is not int or type(market) is not int or action not in _ACTIONS:
        return None
    if not isinstance(reason, str):
        return None
    if action == "rest":
        if not isinstance(number, list) or not all(_is_quote(quote) for quote in number):
            return None
        return (index, market, action, [tuple(quote) for quote in number], reason[:80])
    return (index, market, action, float(number), reason[:80]) if _is_number(number) else None


def _is_probe(rest: list[Any]) -> bool:
    return (
        len(rest) == 4
        and type(rest[0]) is int
        and isinstance(rest[1], str)
        and type(rest[2]) is int
        and isinstance(rest[3], list)
        and all(one is None or _is_signal(one) for one in rest[3])
    )


def _is_signal(signal: Any) -> bool:
    """Whether it is what `probe.signal_form` makes: action, amount, share, quotes, values."""
    if not isinstance(signal, list) or len(signal) != 5 or not isinstance(signal[0], str):
        return False
    _, amount, share, quotes, values = signal
    return (
        (amount is None or _is_number(amount))
        and _is_number(share)
        and isinstance(quotes, list)
        and all(_is_quote(quote) for quote in quotes)
        and isinstance(values, dict)
        and all(value is None or type(value) in (int, float) for value in values.values())
    )


def _is_quote(quote: Any) -> bool:
    return (
        isinstance(quote, list)
        and len(quote) == 3
        and quote[0] in ("buy", "sell")
        and _is_number(quote[1])
        and _is_number(quote[2])
        and quote[1] > 0
    )


def _is_number(value: Any) -> bool:
    """A finite number that is not negative."""
    return type(value) in (int, float) and 0 <= value < math.inf


@cache
def _program(runtime: str) -> dict[str, bytes]:
    """The driver's files by their places in the sandbox."""
    ending = ".py" if runtime == "python" else ".mjs"
    files = {
        f"{_PROGRAM}/shared/backtest/inside/{path.name}": path.read_bytes()
        for path in sorted(_INSIDE.glob(f"*{ending}"))
    }
    if runtime == "python":
        files[f"{_PROGRAM}/shared/__init__.py"] = files[f"{_PROGRAM}/shared/backtest/__init__.py"] = b""
    return files
