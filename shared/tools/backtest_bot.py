"""The tool `backtest_bot`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from shared.backtest.artifacts import backtest_files
from shared.backtest.bot_files import default_of, is_of_bot, own_candles, symbol_of, title_of
from shared.backtest.candles import LEAST_CANDLES, MarketCandles, market_candles, read_market_csv
from shared.backtest.crashes import no_form
from shared.backtest.measures import Measures
from shared.backtest.request import BacktestRequest, Costs
from shared.backtest.result import Backtest
from shared.backtest.run import run_backtest
from shared.errors import (
    AppError,
    ArtifactNotFoundError,
    SandboxUnavailableError,
    SessionNotFoundError,
    ToolFailedError,
    ToolInputError,
)
from shared.keys import ArtifactKey
from shared.market.candles import DAY_MS, TIMEFRAMES, timeframe_ms
from shared.market.ccxt_source import source_of
from shared.market.exchanges import exchange_named
from shared.tools.port import ToolContext, tool

MAX_BYTES = 16 * 1024 * 1024
MAX_EXCHANGE_CANDLES = 10_000
DEFAULT_EXCHANGE_CANDLES = 2_000
MOST_FEE_PCT, MOST_SLIPPAGE_BPS = 5.0, 500.0
_MESSAGE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One check that did not simply pass."""

    check: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSummary:
    """The figures, the checks that did not pass, and where the report is. Null figures are not defined."""

    verdict: str
    candles: str
    return_pct: float | None
    buy_and_hold_pct: float | None
    annual_return_pct: float | None
    max_drawdown_pct: float | None
    sharpe: float | None
    win_rate_pct: float | None
    profit_factor: float | None
    exposure_pct: float | None
    trades: int
    fees: float
    checks: tuple[CheckLine, ...]
    passed: tuple[str, ...]
    files: tuple[str, ...]
    notes: tuple[str, ...]


@tool(timeout=110.0, read_only=False)
async def backtest_bot(
    context: ToolContext,
    *,
    config: dict[str, Any] | None = None,
    candles: Annotated[str | None, Field(description="CSV file; else the bot's own")] = None,
    symbol: Annotated[str | None, Field(description="an exchange's candles")] = None,
    timeframe: str | None = None,
    exchange: str | None = None,
    days: Annotated[int | None, Field(ge=1)] = None,
    fee_pct: Annotated[float | None, Field(ge=0)] = None,
    slippage_bps: Annotated[float | None, Field(ge=0)] = None,
) -> BacktestSummary:
    """Backtests the session's bot on past candles, with costs and honesty checks, and saves a report."""
    sandbox = context.services.sandbox
    if sandbox is None:
        raise ToolFailedError("no sandbox is configured here, so no bot is run")
    market = {"symbol": symbol, "timeframe": timeframe, "exchange": exchange}
    named = {name: value for name, value in market.items() if value}
    config = config or {}
    costs = _costs(fee_pct, slippage_bps)
    files = await _bot_files(context)
    if not {"strategy.py", "strategy.js"} & files.keys():
        raise no_form()
    if candles:
        series = await _artifact_candles(context, candles, symbol_of(files, config))
    elif named or days is not None:
        series = await _exchange_candles(context, files, {**config, **named}, days)
    else:
        series = await asyncio.to_thread(own_candles, files, config)
    if len(series) < LEAST_CANDLES:
        raise ToolInputError(f"{series.source} has {len(series)} candles, and {LEAST_CANDLES} are the least")
    request = BacktestRequest(files=files, candles=series, config=config, costs=costs)
    try:
        backtest = await run_backtest(sandbox, request)
    except SandboxUnavailableError as error:
        raise ToolFailedError(error.message) from error
    saved, notes = await _save(context, backtest, title_of(files))
    return _summary(backtest, saved, notes)


def _costs(fee_pct: float | None, slippage_bps: float | None) -> Costs:
    usual = Costs()
    fee = usual.taker_pct if fee_pct is None else fee_pct
    slippage = usual.slippage_bps if slippage_bps is None else slippage_bps
    if fee > MOST_FEE_PCT or slippage > MOST_SLIPPAGE_BPS:
        raise ToolInputError(
            f"fee_pct is at most {MOST_FEE_PCT:g}, slippage_bps at most {MOST_SLIPPAGE_BPS:g}"
        )
    return Costs(maker_pct=fee, taker_pct=fee, slippage_bps=slippage)


async def _bot_files(context: ToolContext) -> dict[str, bytes]:
    session = context.require_session()
    try:
        found = [
            one for one in await context.services.artifacts.list(session=session) if is_of_bot(one.filename)
        ]
    except SessionNotFoundError as error:
        raise ToolInputError(f"{error.message}; create_bot_template begins one") from error
    if sum(one.size for one in found) > MAX_BYTES:
        raise ToolInputError(f"the session's files have over {MAX_BYTES:,} bytes; a bot's are fewer")
    contents = await asyncio.gather(*(context.services.artifacts.read(key=one.key) for one in found))
    return {one.filename: content.data for one, content in zip(found, contents, strict=True)}


async def _artifact_candles(context: ToolContext, filename: str, symbol: str) -> MarketCandles:
    key = ArtifactKey(session=context.require_session(), filename=filename)
    try:
        content = await context.services.artifacts.read(key=key)
    except (ArtifactNotFoundError, SessionNotFoundError) as error:
        raise ToolInputError(f"candles: {error.message}; list_artifacts tells what there is") from error
    return await asyncio.to_thread(read_market_csv, content.data, source=filename, symbol=symbol)


async def _exchange_candles(
    context: ToolContext, files: Mapping[str, bytes], asked: Mapping[str, Any], days: int | None
) -> MarketCandles:
    """Candles of an exchange: of the market that the call, the configuration or the bot's schema names."""

    def chosen(name: str, default: str) -> str:
        return str(asked.get(name) or default_of(files, name) or default).strip()

    frame = chosen("timeframe", "1h").lower()
    if frame not in TIMEFRAMES:
        raise ToolInputError(f"timeframe: choose one of {', '.join(TIMEFRAMES)}")
    name = exchange_named(chosen("exchange", "binance")).id
    count = days * DAY_MS // timeframe_ms(frame) if days is not None else DEFAULT_EXCHANGE_CANDLES
    if not LEAST_CANDLES <= count <= MAX_EXCHANGE_CANDLES:
        raise ToolInputError(
            f"days: {days} days hold {count:,} {frame} candles; "
            f"take {LEAST_CANDLES} to {MAX_EXCHANGE_CANDLES:,}"
        )
    services = context.services
    source = source_of(services.resolver, services.dialer, services.shared_cache)
    market, found = await source.candles(
        exchange=name,
        symbol=chosen("symbol", "BTC/USDT"),
        timeframe=frame,
        count=count,
        now=round(services.clock().timestamp() * 1000),
    )
    return await asyncio.to_thread(market_candles, {market: found}, source=f"{name} {market} {frame}")


async def _save(
    context: ToolContext, backtest: Backtest, title: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the report's files, and a note where one could not be saved."""
    saved: list[str] = []
    try:
        for name, data in (await asyncio.to_thread(backtest_files, backtest, title=title)).items():
            key = ArtifactKey(session=context.require_session(), filename=name)
            one = await context.services.artifacts.save(key=key, data=data, turn_id=context.turn_id)
            saved.append(one.artifact.filename)
            if one.outcome != "unchanged":
                context.saved.append(one.artifact.filename)
    except AppError as error:
        return tuple(saved), (f"The report could not be saved: {error.message}.",)
    return tuple(saved), ()


def _summary(backtest: Backtest, files: tuple[str, ...], notes: tuple[str, ...]) -> BacktestSummary:
    mine = backtest.outcome.measures if backtest.outcome else None
    hold = backtest.outcome.hold if backtest.outcome else None
    series = backtest.request.candles
    return BacktestSummary(
        verdict=backtest.verdict,
        candles=f"{len(series)} of {series.source}",
        return_pct=_figure(mine, "return_pct"),
        buy_and_hold_pct=_figure(hold, "return_pct"),
        annual_return_pct=_figure(mine, "annual_return_pct"),
        max_drawdown_pct=_figure(mine, "max_drawdown_pct"),
        sharpe=_figure(mine, "sharpe"),
        win_rate_pct=_figure(mine, "win_rate_pct"),
        profit_factor=_figure(mine, "profit_factor"),
        exposure_pct=_figure(mine, "exposure_pct"),
        trades=mine.trades if mine else 0,
        fees=round(mine.fees, 4) if mine else 0.0,
        checks=tuple(
            CheckLine(check=one.check, severity=one.severity, message=one.message[:_MESSAGE])
            for one in backtest.checks
            if one.severity in ("finding", "warning")
        ),
        passed=tuple(one.check for one in backtest.checks if one.severity in ("passed", "note")),
        files=files,
        notes=notes,
    )


def _figure(measures: Measures | None, name: str) -> float | None:
    value: float | None = getattr(measures, name, None)
    return None if value is None else round(value, 4)
