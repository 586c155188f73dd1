"""Times a year of hourly candles: python -m bench.backtest [--language LANGUAGE] [--walk] [STRATEGY ...].

Prints seconds in the sandbox of the walk alone, less those of an empty job (the interpreter's start), and of
the whole backtest with all checks, report and chart (not with --walk). A bot of several markets has a year of
each. A walk is the least of `--times` runs: what is above it, others on the machine took.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import random
import time
from io import StringIO
from typing import get_args

from shared.backtest.artifacts import backtest_files
from shared.backtest.candles import MarketCandles, read_market_csv
from shared.backtest.protocol import make_job
from shared.backtest.request import BacktestRequest
from shared.backtest.run import run_backtest
from shared.sandbox.port import Sandbox, SandboxRun
from shared.sandbox.select import open_sandbox
from shared.tools.templates.catalog import STRATEGIES, Language
from shared.tools.templates.render import Bot, render_bot

YEAR = 8760
HOUR = 3_600_000
START = 1_704_067_200_000


async def main() -> None:
    """Prints a line for each strategy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strategies", nargs="*", default=list(STRATEGIES))
    parser.add_argument("--language", choices=get_args(Language), default="python")
    parser.add_argument("--walk", action="store_true", help="time the walk alone")
    parser.add_argument("--times", type=int, default=5, help="runs of each walk")
    options = parser.parse_args()
    sandbox = open_sandbox()
    try:
        for name in options.strategies:
            request = await asyncio.to_thread(year_of, name, options.language)
            empty = await _least(sandbox, request, [], options.times)
            walk = await _least(sandbox, request, [{"kind": "run"}], options.times)
            line = (
                f"{name:24} walk {walk.wall_seconds - empty.wall_seconds:5.2f} s "
                f"(cpu {walk.cpu_seconds - empty.cpu_seconds:.2f} s), start {empty.wall_seconds:.2f} s"
            )
            if not options.walk:
                line += f", all checks and the report {await _whole(sandbox, request, name):.1f} s"
            print(line, flush=True)
    finally:
        await sandbox.close()


async def _whole(sandbox: Sandbox, request: BacktestRequest, title: str) -> float:
    began = time.perf_counter()
    backtest = await run_backtest(sandbox, request)
    await asyncio.to_thread(backtest_files, backtest, title=title)
    return time.perf_counter() - began


async def _least(
    sandbox: Sandbox, request: BacktestRequest, tasks: list[dict[str, str]], times: int
) -> SandboxRun:
    runs = [await _run(sandbox, request, tasks) for _ in range(times)]
    return min(runs, key=lambda run: run.wall_seconds)


async def _run(sandbox: Sandbox, request: BacktestRequest, tasks: list[dict[str, str]]) -> SandboxRun:
    run = await sandbox.run(job=make_job(request, tasks, seconds=60))
    if run.exit_code:
        raise RuntimeError(run.stderr.decode(errors="replace")[-500:])
    return run


def year_of(name: str, language: Language) -> BacktestRequest:
    """The template's bot with a year of candles of each market that its own sample has."""
    strategy = STRATEGIES[name]
    title, values = name.replace("_", "-"), strategy.model()
    bot = Bot(name=title, strategy=strategy, parameters=values, bot_type="scheduled", language=language)
    files = render_bot(bot)
    return BacktestRequest(files=files, candles=year_like(files["sample.csv"].decode()))


def year_like(sample: str) -> MarketCandles:
    """A seeded random walk of a year, hour by hour, of each market and with each column of a sample."""
    lines = csv.DictReader(StringIO(sample))
    columns = tuple(lines.fieldnames or ())
    symbols = tuple(dict.fromkeys(line.get("symbol", "") for line in lines))
    written = StringIO()
    year = csv.DictWriter(written, columns)
    year.writeheader()
    for seed, symbol in enumerate(symbols, start=1):
        source, price = random.Random(seed), 100.0
        for place in range(YEAR):
            opening = price
            price *= 1 + source.gauss(0, 0.006)
            high, low = max(opening, price) * 1.002, min(opening, price) * 0.998
            cells = {"time": START + place * HOUR, "volume": 1000, "symbol": symbol, "funding_rate": 0.0001}
            prices = {"open": opening, "high": high, "low": low, "close": price}
            cells |= {name: f"{value:.4f}" for name, value in prices.items()}
            year.writerow({name: cells[name] for name in columns})
    return read_market_csv(written.getvalue().encode(), source="a year")


if __name__ == "__main__":
    asyncio.run(main())
