"""How people say the parameters of MACD, pairs, quotes, volatility, rotation and funding strategies."""

from __future__ import annotations

import re

from shared.model.offline.phrase_signs import Constant, Labels, Phrase, entry

_NO = r"\b(?:no|without(?: an?| any| the)?|remove the|disable(?: the)?|turn off(?: the)?)"
_IS = r"(?: (?:of|at|to|is|are|be|by|about|exactly|limit|=|:))*[ :=]{1,3}"
_SD = r" ?(?:x )?(?:standard[ -])?(?:deviations?|std(?:[ -]?devs?)?|sds?|sigmas?|stdevs?|z(?:-?scores?)?)\b"
_MONEY = r"[ -]?(?:usd[tc]?|dollars?|bucks?|euros?|eur)"
_SPAN = r"(?:period|candle|bar|day|hour|week|minute)s?"
_AMOUNT = (
    entry("amount", r"[$€£] ?#n(?! ?(?:balance|account|capital))"),
    entry(
        "amount",
        rf"#n{_MONEY}\b(?! ?(?:of |worth of )?(?:paper |starting )?(?:balance|account|capital|inventory))",
    ),
    entry("amount", rf"\bamount{_IS}#n"),
)

PHRASES: dict[str, tuple[Phrase, ...]] = {
    "macd_trend": (
        entry("fast_period slow_period signal_period", r"#n ?[/,-] ?#n ?[/,-] ?#n", 1, 1000),
        entry("fast_period slow_period signal_period", r"\bmacd #n #n #n", 1, 1000),
        entry("trend_period", rf"#n[ -]?(?:{_SPAN}[ -])?"
                              rf"(?:trend|filter|moving average|average|sma|ma)\b", 2, 1000),
        entry("trend_period", rf"\btrend(?: filter| average| period)?{_IS}#n", 2, 1000),
    ),
    "pairs_arbitrage": (
        entry("stop_z", rf"\b(?:stops?(?: out)?|give up|bail(?: out)?)\b[^\d.,;!?\n]{{0,30}}?#n"
                        rf"(?={_SD}|$|[,.;])", 0, 50),
        entry("exit_z", rf"\b(?:exit|exits|close|closes|closing|get out)\b[^\d.,;!?\n]{{0,30}}?#n"
                        rf"(?={_SD}|$|[,.;]| and)", 0, 50),
        entry("entry_z", r"\b(?:enter|enters|entry|entries|opens?|opening|buy|trade)\b[^\d.,;!?\n]{0,40}?#n"
                         rf"(?={_SD}|$|[,.;]| and)", 0, 50),
        entry("entry_z", rf"#n(?={_SD})", 0, 50),
        entry("entry_z", rf"\bz(?:-?score)?{_IS}#n", 0, 50),
        entry("lookback", rf"#n[ -]?{_SPAN}(?: lookback| window| history)?\b", 2, 10_000),
        entry("lookback", rf"\b(?:lookback|window){_IS}#n", 2, 10_000),
        *_AMOUNT,
    ),
    "market_making": (
        entry("max_inventory", rf"#n(?:{_MONEY})?(?: of| worth of| in)?(?: xsymbol)? ?inventory\b"),
        entry("max_inventory", rf"\binventory(?: limit| cap| max(?:imum)?)?(?: "
                               rf"(?:at most|up to|under|below))?{_IS}[$€£]?#n"),
        entry("inventory_skew", rf"\bskew{_IS}#n", 0, 1),
        entry("amount", rf"#n(?:{_MONEY})? (?:per|each|a|on each|at each) (?:quote|order|side)\b"),
        entry("amount", rf"\b(?:quote|order)s?(?: size)?{_IS}[$€£]?#n(?!%)"),
        *_AMOUNT,
    ),
    "volatility_targeting": (
        entry("volatility_period", rf"#n[ -]?{_SPAN}[ -](?:realized |realised |historical )?(?:vol"
                                   rf"(?:atility)?|window|lookback)\b", 2, 10_000),
        entry("volatility_period", r"\b(?:over|measured over|lookback|window|last|past)(?: of)? (?:the )?"
                                   r"(?:last |past )?#n\b", 2, 10_000),
        entry("target_volatility_pct", rf"\b(?:volatility|vol){_IS}#n(?! ?(?:{_SPAN}))", 1, 1000),
        *_AMOUNT,
    ),
    "momentum_rotation": (
        entry("top_count", r"\b(?:top|best|strongest|leading) #n\b(?!%)", 1, 100),
        entry("top_count", r"#n (?:strongest|best|top|leaders|winners)\b", 1, 100),
        entry("momentum_period", rf"#n[ -]?{_SPAN}[ -]"
                                 rf"(?:momentum|returns?|performance|rise|lookback|gain)", 2, 10_000),
        entry("momentum_period", r"\b(?:momentum|returns?|performance|rise|lookback)(?: "
                                 r"(?:over|of|in|for|the|last|past))*"
                                 r"[ :=]{1,3}#n\b(?!%)", 2, 10_000),
        entry("interval_hours", r"\b(?:every|interval(?: of)?) #n hours?\b", 1, 10_000),
    ),
    "funding_carry": (
        entry("funding_period", r"#n[ -]?(?:candle|period|settlement|payment)s?(?: "
                                r"(?:average|mean))?\b", 1, 1000),
        entry("funding_period", r"\b(?:average|mean|averaged)(?: (?:of|over|the|last|past))*[ :=]{1,3}"
                                r"#n\b(?!%)", 1, 1000),
        *_AMOUNT,
    ),
}  # fmt: skip

LABELS: dict[str, tuple[Labels, ...]] = {
    "macd_trend": (
        Labels(
            words=(
                ("fast_period", r"fast(?:er)?|short(?:er)?"),
                ("slow_period", r"slow(?:er)?|long(?:er)?"),
                ("signal_period", r"signal(?: line| period)?"),
            ),
            limits=(1, 1000),
        ),
    ),
    "pairs_arbitrage": (),
    "market_making": (Labels(words=(("spread_pct", r"spreads?|wide|apart"),), per_cent=True),),
    "volatility_targeting": (
        Labels(
            words=(
                ("target_volatility_pct", r"vol(?:atility)?(?: target)?|(?<!profit )target\w{0,3}"
                                          r"(?! profit)"),
                ("rebalance_band_pct", r"(?:rebalanc\w{1,5} )?bands?|rebalanc\w{1,5}|tolerance|drifts?"),
            ),
            per_cent=True,
        ),
    ),
    "momentum_rotation": (
        Labels(
            words=(("min_momentum_pct", r"(?:min(?:imum)? )?momentum(?: above)?|risen|rose|up at least"),),
            per_cent=True,
        ),
    ),
    "funding_carry": (
        Labels(
            words=(
                ("exit_funding_pct", r"below|under|less than|falls? to|drops? to|exits?|close|closes"),
                ("entry_funding_pct", r"above|over|exceeds?|more than|greater than|higher than|at least"
                                      r"|enter|open"
                                      r"|entry|funding(?: rate)?"),
            ),
            per_cent=True,
        ),
    ),
}  # fmt: skip

CONSTANTS: dict[str, tuple[Constant, ...]] = {
    "macd_trend": (Constant("trend_period", re.compile(rf"{_NO} trend(?: filter)?\b"), None),),
    "pairs_arbitrage": (),
    "market_making": (),
    "volatility_targeting": (),
    "momentum_rotation": (),
    "funding_carry": (),
}

# Parameters that are markets: wish.py takes them from the symbols of the message.
MARKETS: dict[str, frozenset[str]] = {
    "pairs_arbitrage": frozenset({"second_symbol"}),
    "momentum_rotation": frozenset({"other_symbols"}),
}
