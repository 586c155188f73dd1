"""Times a year of hourly candles: python -m bench.backtest [STRATEGY ...].

Prints seconds in the sandbox of the walk alone, less those of an empty job (the interpreter's start), and of
the whole backtest with every check, its report and its chart.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time

from shared.backtest.artifacts import backtest_files
from shared.backtest.candles import MarketCandles, read_market_csv
from shared.backtest.protocol import make_job
from shared.backtest.request import BacktestRequest
from shared.backtest.run import run_backtest
from shared.sandbox.port import Sandbox, SandboxRun
from shared.sandbox.select import open_sandbox
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.render import Bot, render_bot

YEAR = 8760
HOUR = 3_600_000
START = 1_704_067_200_000


async def main() -> None:
    """Prints a line for each strategy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strategies", nargs="*", default=["rsi_momentum", "sma_crossover", "grid"])
    sandbox = open_sandbox()
    candles = await asyncio.to_thread(year_of_candles)
    try:
        for name in parser.parse_args().strategies:
            strategy = STRATEGIES[name]
            values, title = strategy.model(), name.replace("_", "-")
            bot = Bot(name=title, strategy=strategy, parameters=values, bot_type="scheduled")
            request = BacktestRequest(files=await asyncio.to_thread(render_bot, bot), candles=candles)
            empty, walk = await _run(sandbox, request, []), await _run(sandbox, request, [{"kind": "run"}])
            began = time.perf_counter()
            backtest = await run_backtest(sandbox, request)
            await asyncio.to_thread(backtest_files, backtest, title=name)
            whole = time.perf_counter() - began
            print(
                f"{name:24} walk {walk.wall_seconds - empty.wall_seconds:5.2f} s "
                f"(cpu {walk.cpu_seconds - empty.cpu_seconds:.2f} s), start {empty.wall_seconds:.2f} s, "
                f"all checks and the report {whole:.1f} s"
            )
    finally:
        await sandbox.close()


async def _run(sandbox: Sandbox, request: BacktestRequest, tasks: list[dict[str, str]]) -> SandboxRun:
    run = await sandbox.run(job=make_job(request, tasks, seconds=60))
    if run.exit_code:
        raise RuntimeError(run.stderr.decode(errors="replace")[-500:])
    return run


def year_of_candles() -> MarketCandles:
    """A seeded random walk of a year, hour by hour."""
    source, price = random.Random(1), 100.0
    lines = ["time,open,high,low,close,volume"]
    for place in range(YEAR):
        opening = price
        price *= 1 + source.gauss(0, 0.006)
        high, low = max(opening, price) * 1.002, min(opening, price) * 0.998
        lines.append(f"{START + place * HOUR},{opening:.4f},{high:.4f},{low:.4f},{price:.4f},1000")
    return read_market_csv("\n".join(lines).encode(), source="a year")


if __name__ == "__main__":
    asyncio.run(main())
