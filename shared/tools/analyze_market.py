"""The tool `analyze_market`."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from shared.errors import AppError, ArtifactNotFoundError, SessionNotFoundError, ToolInputError
from shared.keys import ArtifactKey
from shared.market.candles import (
    DAY_MS,
    TIMEFRAMES,
    Candles,
    moment_text,
    spacing_ms,
    timeframe_ms,
    timeframe_name,
)
from shared.market.ccxt_source import source_of
from shared.market.correlation import correlation_of
from shared.market.csv_file import read_candles_csv, write_candles_csv
from shared.market.exchanges import exchange_named
from shared.market.measures import Measure, percent, price
from shared.market.port import CandleSource
from shared.market.report import MIN_CANDLES, WARM_UP, MarketReport, report_of
from shared.tools.port import ToolContext, tool

DEFAULT_CANDLES = 300
MAX_CANDLES = 5000
MAX_SYMBOLS = 10
MAX_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketAnalysis:
    """The measures of a window of closed candles; null values have their reason in the sentence."""

    symbol: str
    source: str
    timeframe: str
    candles: int
    first_candle: str
    last_candle: str
    last_close: float
    change_pct: float
    trend: Measure
    regime: Measure
    volatility: Measure
    drawdown: Measure
    rsi: Measure
    macd: Measure
    bollinger: Measure
    adx: Measure
    volume: Measure
    levels: Measure
    correlation: Measure | None
    files: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Market:
    """Candles to analyse: those from `start` on are the window."""

    symbol: str
    source: str
    timeframe: str
    candles: Candles
    start: int
    notes: tuple[str, ...] = ()


@tool(timeout=90.0, read_only=False)
async def analyze_market(
    context: ToolContext,
    *,
    symbol: Annotated[
        str | None,
        Field(description="such as BTC/USDT; with artifact a label"),
    ] = None,
    timeframe: Annotated[str | None, Field(description="such as 15m, 4h, 1d; default 1h")] = None,
    exchange: Annotated[str, Field(description="such as okx")] = "binance",
    days: Annotated[
        int | None,
        Field(description="days to look back; default 300 candles", ge=1, le=MAX_DAYS),
    ] = None,
    artifact: Annotated[
        str | None,
        Field(description="CSV file of the session: time,open,high,low,close,volume"),
    ] = None,
    symbols: Annotated[
        list[str] | None,
        Field(description="further markets to correlate, 10 in all", max_length=MAX_SYMBOLS),
    ] = None,
) -> MarketAnalysis:
    """Measures a market from closed candles of an exchange, or of a saved CSV file.

    Trend, regime, volatility, drawdown, RSI, MACD, Bollinger, ADX, volume, support and resistance,
    correlation; saves a chart (PNG) and its data (CSV) in the session. It predicts nothing.
    """
    now = round(context.services.clock().timestamp() * 1000)
    correlation = None
    if artifact is not None:
        if symbols:
            raise ToolInputError("symbols: correlation is of exchange markets; leave artifact out for it")
        market = await _from_artifact(context, artifact, symbol, days, now)
    else:
        source = source_of(context.services.resolver, context.services.dialer, context.services.shared_cache)
        wanted = _wanted(symbol, symbols or [])
        name = exchange_named(exchange).id
        market, others = await _from_exchange(
            source, exchange=name, wanted=wanted, timeframe=_frame(timeframe), days=days, now=now
        )
        correlation = await asyncio.to_thread(correlation_of, others) if len(wanted) > 1 else None
    if len(market.candles) - market.start < MIN_CANDLES:
        raise ToolInputError(
            f"{market.symbol} has {len(market.candles) - market.start} closed {market.timeframe} candles in "
            f"that time, and {MIN_CANDLES} are the least; look further back or take a shorter timeframe"
        )
    report = await asyncio.to_thread(report_of, market.candles, start=market.start)
    files, note = await _save(context, market, report)
    return _analysis(replace(market, notes=(*market.notes, *note)), report, correlation, files)


def _wanted(symbol: str | None, symbols: list[str]) -> list[str]:
    """The markets asked for, the one to analyse first, each once."""
    asked = [one for one in (symbol, *symbols) if one is not None and one.strip()]
    wanted = list({one.strip().upper(): one.strip() for one in asked}.values())
    if not wanted:
        raise ToolInputError("symbol: give a market such as BTC/USDT, or a CSV file as artifact")
    if len(wanted) > MAX_SYMBOLS:
        raise ToolInputError(f"symbols: at most {MAX_SYMBOLS} markets in all, and {len(wanted)} were given")
    return wanted


def _frame(timeframe: str | None) -> str:
    frame = (timeframe or "1h").strip().lower()
    if frame not in TIMEFRAMES:
        raise ToolInputError(f"timeframe: choose one of {', '.join(TIMEFRAMES)}")
    return frame


def _count(timeframe: str, days: int | None) -> int:
    """How many candles the window spans."""
    if days is None:
        return DEFAULT_CANDLES
    step = timeframe_ms(timeframe)
    count = days * DAY_MS // step
    if count < MIN_CANDLES:
        raise ToolInputError(
            f"days: {days} days hold {count} {timeframe} candles and {MIN_CANDLES} are the least; "
            "take more days or a shorter timeframe"
        )
    if count > MAX_CANDLES:
        raise ToolInputError(
            f"days: {days} days hold {count:,} {timeframe} candles and {MAX_CANDLES:,} are the most; take "
            f"{max(1, MAX_CANDLES * step // DAY_MS)} days or a longer timeframe"
        )
    return count


async def _from_exchange(
    source: CandleSource, *, exchange: str, wanted: list[str], timeframe: str, days: int | None, now: int
) -> tuple[_Market, dict[str, Candles]]:
    """The first market, and the window's candles of every one by its symbol."""
    count, step = _count(timeframe, days), timeframe_ms(timeframe)
    answers = await asyncio.gather(
        *(
            source.candles(
                exchange=exchange,
                symbol=one,
                timeframe=timeframe,
                count=count if place else count + WARM_UP,
                now=now,
            )
            for place, one in enumerate(wanted)
        ),
        # All end before the first failure is told, so that nothing goes on behind our back.
        return_exceptions=True,
    )
    found: list[tuple[str, Candles]] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        found.append(answer)
    begin = (now // step - count) * step
    symbol, candles = found[0]
    start = candles.index_from(begin)
    notes: tuple[str, ...] = ()
    if len(candles) - start < count * 0.9:
        notes = (f"{exchange} gave {len(candles) - start:,} of the {count:,} candles of that time.",)
    market = _Market(
        symbol=symbol, source=exchange, timeframe=timeframe, candles=candles, start=start, notes=notes
    )
    return market, {name: series.part(series.index_from(begin)) for name, series in found}


async def _from_artifact(
    context: ToolContext, filename: str, symbol: str | None, days: int | None, now: int
) -> _Market:
    key = ArtifactKey(session=context.require_session(), filename=filename)
    try:
        content = await context.services.artifacts.read(key=key)
    except (ArtifactNotFoundError, SessionNotFoundError) as error:
        raise ToolInputError(f"artifact: {error.message}; list_artifacts tells what there is") from error
    candles = await asyncio.to_thread(read_candles_csv, content.data)
    step = spacing_ms(candles)
    candles = candles.part(0, candles.index_from(now - step + 1))
    begin = len(candles) - MAX_CANDLES
    if days is not None and len(candles):
        begin = max(begin, candles.index_from(candles.times[-1] + step - days * DAY_MS))
    notes = (
        (f"Of the file, the last {MAX_CANDLES:,} candles are analysed.",)
        if begin > 0 and days is None
        else ()
    )
    begin = max(0, begin)
    cut = max(0, begin - WARM_UP)
    stem = filename.rsplit("/", 1)[-1].removesuffix(".csv")
    return _Market(
        symbol=(symbol or stem).strip()[:80],
        source=filename,
        timeframe=timeframe_name(step),
        candles=candles.part(cut),
        start=begin - cut,
        notes=notes,
    )


async def _save(
    context: ToolContext, market: _Market, report: MarketReport
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the chart and its data in the session, and a note where they could not be saved."""
    if context.session is None:
        return (), ("No chart was drawn: that needs a session_id.",)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", market.symbol).strip("-.")[:80] or "market"
    stem = f"analysis/{stem}-{market.timeframe}"
    files = []
    try:
        contents = await asyncio.to_thread(_files, market, report)
        for ending, data in contents.items():
            key = ArtifactKey(session=context.session, filename=f"{stem}.{ending}")
            saved = await context.services.artifacts.save(key=key, data=data, turn_id=context.turn_id)
            files.append(saved.artifact.filename)
            if saved.outcome != "unchanged":
                context.saved.append(saved.artifact.filename)
    except AppError as error:
        return tuple(files), (f"The chart could not be saved: {error.message}.",)
    return tuple(files), ()


def _files(market: _Market, report: MarketReport) -> dict[str, bytes]:
    from shared.market.chart import draw_chart

    made, count = report.indicators, len(report.window)
    columns = {
        "ema20": made.ema[20],
        "ema50": made.ema[50],
        "ema200": made.ema[200],
        "bollinger_upper": made.band_upper,
        "bollinger_lower": made.band_lower,
        "rsi14": made.rsi,
    }
    title = f"{market.symbol}  {market.timeframe}  {market.source}"
    return {
        "png": draw_chart(report.window, made, title=title),
        "csv": write_candles_csv(report.window, {name: series[-count:] for name, series in columns.items()}),
    }


def _analysis(
    market: _Market, report: MarketReport, correlation: Measure | None, files: tuple[str, ...]
) -> MarketAnalysis:
    window, measures = report.window, report.measures
    return MarketAnalysis(
        symbol=market.symbol,
        source=market.source,
        timeframe=market.timeframe,
        candles=len(window),
        first_candle=moment_text(window.times[0]),
        last_candle=moment_text(window.times[-1]),
        last_close=price(window.closes[-1]),
        change_pct=percent(window.closes[-1] / window.closes[0] - 1),
        trend=measures["trend"],
        regime=measures["regime"],
        volatility=measures["volatility"],
        drawdown=measures["drawdown"],
        rsi=measures["rsi"],
        macd=measures["macd"],
        bollinger=measures["bollinger"],
        adx=measures["adx"],
        volume=measures["volume"],
        levels=measures["levels"],
        correlation=correlation,
        files=files,
        notes=market.notes,
    )
