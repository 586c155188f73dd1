"""Bots, files and findings in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.model.offline.extract_strategy import TITLES
from shared.model.offline.reply import bullets

RULES = {
    "rsi_momentum": "buys when the relative strength index is low and sells when it is high",
    "sma_crossover": "buys when a fast moving average crosses above a slow one and sells when it crosses "
    "below",
    "mean_reversion": "buys below the lower Bollinger band and sells at the middle or the upper one",
    "breakout": "buys above the highest high of the Donchian channel and sells below its lowest low",
    "dca": "buys a fixed amount at regular times, and more after a dip",
    "grid": "buys one lot at each price level down and sells one at each level up",
    "macd_trend": "buys when the MACD line crosses above its signal line and sells when it crosses below",
    "pairs_arbitrage": "buys the cheap and shorts the dear one of two perpetuals whose prices go together",
    "market_making": "quotes a buy below and a sell above the price, within a limit of inventory",
    "volatility_targeting": "holds more while the market is calm and less while it swings",
    "momentum_rotation": "holds the strongest markets of a basket and changes them at regular times",
    "funding_carry": "buys the coin and shorts its perpetual while shorts are paid funding",
}

_NAMES = {
    "symbol": "market", "exchange": "exchange", "timeframe": "candles",
    "risk_per_trade_pct": "risk per trade",
    "stop_loss_pct": "stop loss", "take_profit_pct": "take profit", "max_position_pct": "largest position",
    "max_trades_per_day": "most trades a day", "paper_balance": "paper balance",
    "poll_seconds": "seconds between looks",
    "schedule": "schedule (UTC)", "rsi_period": "RSI period", "buy_below": "buy when the RSI is below",
    "sell_above": "sell when the RSI is above", "fast_period": "fast average", "slow_period": "slow average",
    "bollinger_period": "Bollinger period", "bollinger_std": "band width in standard deviations",
    "exit_band": "sell at the band", "entry_period": "entry channel in "
        "candles", "exit_period": "exit channel in candles",
    "amount": "amount of one buy", "interval_hours": "hours between buys or rotations",
    "dip_pct": "dip below the recent "
        "high",
    "dip_multiplier": "times the amount in a dip", "dip_lookback": "candles of the recent high",
    "lower_price": "lowest level", "upper_price": "highest level", "centre_price": "centre of the grid",
    "signal_period": "signal line", "trend_period": "average that a buy must be above",
    "second_symbol": "second market", "lookback": "candles of the comparison",
    "entry_z": "open at standard deviations", "exit_z": "close within standard deviations",
    "stop_z": "give up beyond standard deviations", "spread_pct": "spread between the quotes",
    "max_inventory": "most inventory", "inventory_skew": "skew by inventory",
    "target_volatility_pct": "volatility a year", "volatility_period": "candles of the volatility",
    "rebalance_band_pct": "band without trades", "other_symbols": "further markets",
    "momentum_period": "candles of the momentum", "top_count": "markets held",
    "min_momentum_pct": "least momentum", "entry_funding_pct": "open when funding is above",
    "exit_funding_pct": "close when funding is below", "funding_period": "candles of the mean funding",
    "spacing_pct": "distance between levels", "grid_levels": "number of levels",
}  # fmt: skip
_MOST_FINDINGS = 8


_LANGUAGES = {"typescript": "TypeScript", "nodejs": "Node.js", "cpp": "C++", "csharp": "C#"}


def language_name(language: str) -> str:
    """The programming language as it is written."""
    return _LANGUAGES.get(language, language.capitalize())


def strategy_list() -> str:
    """The strategies as a numbered list, in the order that choose_from_list reads."""
    return "\n".join(f"{i}. **{title}** {RULES[name]}." for i, (name, title) in enumerate(TITLES.items(), 1))


def describe_parameters(parameters: Mapping[str, Any]) -> str:
    """The parameters as a list in words."""
    return bullets([f"{_NAMES.get(name, name)}: {show(name, value)}" for name, value in parameters.items()])


def list_parameters(parameters: Mapping[str, Any], stated: set[str], *, rest: str = "defaults") -> str:
    """The effective parameters by their names, those that the user gave first, then the `rest`."""

    def line(names: list[str]) -> str:
        return ", ".join(f"`{name}` {show(name, parameters[name])}" for name in names)

    yours = [name for name in parameters if name in stated]
    others = [name for name in parameters if name not in stated and name != "live_trading"]
    lines = [f"from you: {line(yours)}"] if yours else []
    lines += [f"{rest if yours else 'values'}: {line(others)}"] if others else []
    return bullets(lines)


def list_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs between two sets of parameters, one line each."""
    names = [*after, *(name for name in before if name not in after)]
    return [
        f"`{name}`: {show(name, before.get(name))} → {show(name, after.get(name))}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def show(name: str, value: Any) -> str:
    """One value as a person writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value}%" if name.endswith("_pct") else str(value)


def list_files(files: Sequence[Any]) -> str:
    """The files a build saved, by what happened to them."""
    groups: dict[str, list[str]] = {"created": [], "updated": [], "unchanged": []}
    for file in files:
        if isinstance(file, str):
            groups["created"].append(f"`{file}`")
        elif isinstance(file, dict) and isinstance(file.get("filename"), str):
            version = file.get("version")
            outcome = file.get("outcome", "created")
            label = f"`{file['filename']}`" + (f" (version {version})" if outcome != "unchanged" else "")
            groups.setdefault(str(outcome), []).append(label)
    lines = [f"{outcome}: {', '.join(names)}" for outcome, names in groups.items() if names]
    return bullets(lines)


def describe_analysis(value: Mapping[str, Any]) -> str:
    """The score of an analysis and its worst findings."""
    score = value.get("quality_score")
    lines = [
        f"Code check: quality score **{score}** of 100." if score is not None else "The code was checked."
    ]
    security = value.get("security_issues")
    if isinstance(security, list) and not security:
        lines.append("No security issue was found.")
    found = [line for line in map(_finding, _findings(value)) if line]
    if found:
        lines.append("Findings:")
        lines.append(bullets(found[:_MOST_FINDINGS]))
        omitted = value.get("omitted")
        more = len(found) - _MOST_FINDINGS + (omitted if isinstance(omitted, int) else 0)
        if more > 0:
            lines.append(f"… and {more} more.")
    return "\n\n".join(lines)


def facts(value: Any, *, most: int = 18) -> str:
    """The plain values of a tool's answer as a list, one level deep."""
    lines: list[str] = []
    if not isinstance(value, dict):
        return ""
    for key, item in value.items():
        if isinstance(item, dict):
            inner = [f"{_words(k)} {_short(v)}" for k, v in item.items() if _is_plain(v)]
            lines += [f"{_words(key)}: {', '.join(inner[:12])}"] if inner else []
        elif isinstance(item, list) and item and all(_is_plain(one) for one in item):
            lines.append(f"{_words(key)}: {', '.join(_short(one) for one in item[:12])}")
        elif _is_plain(item) and item != "":
            lines.append(f"{_words(key)}: {_short(item)}")
    return bullets(lines[:most])


def _findings(value: Mapping[str, Any]) -> list[Any]:
    """All findings; the lists by purpose only repeat them, and stand in where there is no list of all."""
    listed = value.get("findings")
    if isinstance(listed, list):
        return listed
    lists = [value.get(key) for key in ("security_issues", "optimizations", "performance_tips")]
    return [item for items in lists if isinstance(items, list) for item in items]


def _finding(item: Any) -> str:
    if isinstance(item, str):
        return _short(item)
    if not isinstance(item, dict):
        return ""
    place = ":".join(str(item[key]) for key in ("file", "line") if item.get(key))
    rule = f" [{item['rule']}]" if item.get("rule") else ""
    advice = f" {_short(item['advice'])}" if item.get("advice") else ""
    severity = f"**{item['severity']}** " if item.get("severity") else ""
    return f"{severity}{f'`{place}` ' if place else ''}{_short(item.get('message', ''))}{rule}{advice}"


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool))


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 300 else f"{text[:300]}…"


def _words(key: Any) -> str:
    return str(key).replace("_", " ")
