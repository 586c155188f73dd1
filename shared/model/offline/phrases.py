"""How people say each parameter in English: tables of labels and phrases, read by extract_parameters.py.

Names are those of create_bot_template; a test holds them to its catalogue. The signs in the patterns are
those of phrase_signs.py; the strategies of several markets and of quotes are in phrases_of_markets.py.
"""

from __future__ import annotations

import re

from shared.model.offline import phrases_of_markets as more
from shared.model.offline.phrase_signs import Constant, Labels, Phrase
from shared.model.offline.phrase_signs import entry as _p

_OF = r"(?: (?:of|at|to|is|are|be|by|should be|around|about|exactly|set to|equal to|=|:))*[ :=]{1,3}"
_NOT = (
    r"\b(?:no|without(?: an?| any| the)?|remove(?: the| my| its)?|drop the|disable(?: the)?|turn off(?: the)?"
    r"|(?:don't|do not) (?:want|use|need|set)(?: an?| any| the)?|skip(?: the)?|get rid of(?: the)?"
    r"|delete(?: the)?"
    r"|take out(?: the)?|lose the)"
)

PERCENT_LABELS = Labels(
    words=(
        ("take_profit_pct", r"take[ -]?profits?(?: (?:at|of))?|tp|profit[ -]?targets?|targets?(?: "
                            r"profits?)?|profits?"
         r"|gains?"),
        ("stop_loss_pct", r"(?:hard |trailing )?stop[ -]?loss(?:es)?|trailing stops?|stops?(?: out)?|sl"
                          r"|loss(?:es)?"),
        ("risk_per_trade_pct", r"risk(?:ing|s|ed)?(?: per trade)?|(?:per|a|each|every) trade"),
        ("max_position_pct", r"(?:max(?:imum)? )?(?:position|exposure|allocation)(?: siz(?:e|ing))?s?"
         r"|of (?:my |the |our |your )?(?:account|capital|equity|balance|portfolio|money|funds|bankroll)"),
        (None, r"fees?|commissions?|slippage|drawdown|leverage"),
    ),
    per_cent=True,
)  # fmt: skip

COMMON_CONSTANTS = (
    Constant("stop_loss_pct", re.compile(rf"{_NOT} (?:stop[ -]?loss(?:es)?|stops?)\b"), None),
    Constant(
        "take_profit_pct", re.compile(rf"{_NOT} (?:take[ -]?profits?|tp|profit[ -]targets?|targets?)\b"), None
    ),
)

COMMON_PHRASES = (
    _p("max_trades_per_day", r"#n (?:new )?(?:trades?|buys?|orders?|entries|positions|times) (?:a|per|each"
                             r"|every|in a|/) ?day", 0, 10_000),
    _p("max_trades_per_day", rf"\b(?:trades|buys|orders|entries) (?:per|a|each|every) day{_OF}#n", 0, 10_000),
    _p("max_trades_per_day", r"#n (?:daily|intraday) (?:trades?|buys?|orders?)\b", 0, 10_000),
    _p("max_trades_per_day", rf"\bdaily (?:trade|trades|trading|buy|order)s? (?:limit|cap|maximum"
                             rf"|max)?{_OF}#n", 0, 10_000),
    _p("paper_balance", r"\b(?:balance|capital|account|bankroll|budget|equity)(?: size)?(?: (?:of|is|at|to"
                        r"|with))*[ :=]{1,3}#n"),
    _p("paper_balance", r"#n(?: ?(?:usd[tc]?|dollars|euros?|eur))?(?: of| in)? (?:paper |starting |initial "
                        r"|demo )?(?:balance|capital|account|paper money|budget|bankroll)\b"),
    _p("paper_balance", r"\bi(?:'ve)? (?:have|got) #n(?! ?(?:trade|level|candle|bot))"),
    _p("paper_balance", r"\bstart(?:ing)? with #n(?! ?(?:trade|level|candle))"),
    _p("stop_loss_pct", rf"\b(?:stop[ -]?loss|sl){_OF}#n(?! ?(?:atr|x\b|times))", 0, 100),
    _p("take_profit_pct", rf"\b(?:take[ -]?profit|tp){_OF}#n(?! ?(?:atr|x\b|times))", 0, 10_000),
    _p("risk_per_trade_pct", rf"\brisk(?: per trade)?{_OF}(?!\$)#n(?! ?(?:usd|dollar|eur))", 0, 100),
    _p("max_position_pct", rf"\bposition(?: size)?{_OF}(?!\$)#n(?! ?(?:usd|dollar|eur))", 0, 100),
)  # fmt: skip

_BELOW = (
    r"(?:under(?:neath)?|below|<|less than|beneath|lower than|(?:drops?|falls?|dips?|down|goes) (?:to|below"
    r"|under)"
    r"|over ?sold(?: (?:at|below|under|level|threshold|limit|is|of|to|=|:|<))*)"
)
_ABOVE = (
    r"(?:over|above|>|more than|greater than|higher than|exceeds?|(?:rises?|climbs?|up|goes) (?:to|above"
    r"|over)"
    r"|over ?bought(?: (?:at|above|over|level|threshold|limit|is|of|to|=|:|>))*)"
)
BUY = r"\b(?:buy|buys|buying|bought|enter|enters|entry|entries|long|go long|get in|open|purchase)"
_SELL = r"\b(?:sell|sells|selling|sold|exit|exits|close|closes|get out|dump|short)"
_AT = r"(?:at|reaches|hits|touches|rsi|is|to|level|threshold|limit|line|of|=|:)[ :=]{1,3}(?:rsi )?"
_NO_COUNT = r"(?! ?(?:candles?|periods?|bars?|days?|hours?|minutes?|trades?|usd|dollars?|k\b))"

OWN_PHRASES: dict[str, tuple[Phrase, ...]] = {
    "rsi_momentum": (
        _p("rsi_period", rf"\brsi(?: period| length| lookback| window){_OF}#n", 1, 1000),
        _p("rsi_period", r"#n[ -]?(?:period|candle|bar|day|hour|minute|week)s? (?:rsi|relative "
                         r"strength)", 1, 1000),
        _p("rsi_period", rf"\b(?:period|length|lookback|window)s?{_OF}#n", 1, 1000),
        _p("buy_below sell_above", r"#n ?(?:/|-|and|to|&) ?#n(?![ -]?(?:periods?|candles?|bars?|days?"
                                   r"|hours?|%))", 1, 99, rising=True),
        _p("rsi_period", r"\b(?:rsi|relative strength(?: index)?) ?[(-] ?#n ?\)?", 2, 60),
        _p("buy_below", rf"{_BELOW} ?(?:rsi )?(?:of )?#n{_NO_COUNT}", 0, 200),
        _p("sell_above", rf"{_ABOVE} ?(?:rsi )?(?:of )?#n{_NO_COUNT}", 0, 200),
        _p("buy_below", rf"{BUY}\b[^\d.,;!?\n]{{0,30}}?\b{_AT}#n{_NO_COUNT}", 0, 200),
        _p("sell_above", rf"{_SELL}\b[^\d.,;!?\n]{{0,30}}?\b{_AT}#n{_NO_COUNT}", 0, 200),
        _p("buy_below", rf"{BUY} (?:#n){_NO_COUNT}(?=[ ,/]*(?:and )?(?:sell|exit|close))", 1, 100),
        _p("sell_above", rf"{_SELL} (?:#n){_NO_COUNT}", 1, 100),
        _p("rsi_period", r"#n[ -](?:period|candle|bar)s?\b", 1, 1000),
        _p("rsi_period", r"\b(?:over|for|last|past|of) (?:the )?(?:last |past )?#n (?:candles|periods|bars"
                         r"|days|hours)\b", 1, 1000),
        _p("buy_below sell_above", r"#n #n(?! ?[/-])", 1, 99, rising=True),
        _p("rsi_period", r"\brsi #n(?! ?(?:/|-|and))", 2, 60),
    ),
    "sma_crossover": (),
    "mean_reversion": (
        _p("bollinger_period bollinger_std", r"\( ?#n ?[,/] ?#n ?\)"),
        _p("bollinger_std", r"#n[ -]?(?:x )?(?:standard[ -])?(?:deviations?|std(?:[ -]?devs?)?|sds?|sigmas?"
                            r"|stdevs?)\b", 0, 100),
        _p("bollinger_std", rf"\b(?:deviations?|std(?:[ -]?dev)?|sigma|stdev|multiplier|band width"
                            rf"|width){_OF}#n", 0, 100),
        _p("bollinger_period", rf"\b(?:period|length|lookback|window)s?{_OF}#n", 1, 10_000),
        _p("bollinger_period bollinger_std", r"\b(?:bollinger(?: bands?)?|bb|bands) #n ?[,/ ] ?#n"),
        _p("bollinger_period", r"#n[ -]?(?:period|candle|bar|day|hour|minute|week|sma|ma"
                               r"|moving)s?\b", 1, 10_000),
        _p("bollinger_period", r"\b(?:bollinger(?: bands?)?|bb|bands) ?[(-]? ?#n", 1, 10_000),
        _p("bollinger_period", r"\b(?:over|last|past) (?:the )?(?:last |past )?#n\b", 1, 10_000),
    ),
    "breakout": (
        _p("entry_period exit_period", r"#n ?/ ?#n@unit", 1, 10_000),
        _p("entry_period", r"\b(?:donchian(?: channel)?|channel) ?[(-]? ?#n", 1, 10_000),
    ),
    "dca": (
        _p("dip_multiplier", r"#n ?(?:x\b|times\b)(?! (?:an?|per|each|every|in a) )", 1, 1000),
        _p("dip_multiplier", rf"\bmultiplier{_OF}#n", 0, 1000),
        _p("dip_lookback", r"\b(?:high|peak|top) (?:of|over|in|from) (?:the )?(?:last |past )?#n", 1, 10_000),
        _p("dip_lookback", rf"\blookback{_OF}#n", 1, 10_000),
        _p("amount", r"[$€£] ?#n(?! ?(?:balance|account|capital))"),
        _p("amount", r"#n ?(?:usd[tc]?|dollars?|bucks?|euros?|eur|gbp|pounds?)\b"),
        _p("amount", rf"\b(?:amount|buys?|buying|invest(?:s|ing)?|spend(?:s|ing)?|put|order size){_OF}#n(?! "
                     rf"?(?:times|x|trades?|days?|hours?|weeks?))"),
        _p("amount", r"\b(?:buys?|buying|invest(?:s|ing)?|spend(?:s|ing)?|put) #n(?! ?(?:times|x|trades?"
                     r"|days?|hours?|weeks?))"),
        _p("amount", r"#n (?:of xsymbol|worth|into xsymbol|in xsymbol|per buy|each time|a week|a day|a month"
                     r"|per (?:week|day|month))\b"),
        _p("interval_hours", r"\b(?:every|interval(?: of)?) #n hours?\b", 1, 10_000),
    ),
    "grid": (
        _p("grid_levels", r"#n[ -]?(?:price |grid |buy )?(?:levels?|lines?|grids|steps|rungs|orders"
                          r"|zones)\b", 1, 10_000),
        _p("grid_levels", rf"\b(?:levels|grid lines|grids|rungs){_OF}#n", 1, 10_000),
        _p("lower_price upper_price", r"\b(?:between|from|range(?: of| is|:)?|in|over|covering|spanning"
                                      r"|bounds(?: of)?)[ ]#n ?(?:-|to|and|/|up to|through|until) "
                                      r"?#n", rising=True),
        _p("lower_price upper_price", r"#n ?(?:-|to|\.\.) ?#n(?! ?(?:candle|day|hour|level))", rising=True),
        _p("amount", r"#n ?(?:usd[tc]?|dollars?|bucks?|euros?)? ?(?:per|each|a|at each|at every|on each) "
                     r"(?:level|order|grid|line|lot|step)"),
        _p("amount", rf"\b(?:amount|order size|lot size|spend|spending|per level|per order){_OF}#n"),
        _p("amount", r"\b(?:spend|spending|buy|buying|invest|investing) #n"),
        _p("amount", r"#n (?:each|apiece)\b"),
        _p("centre_price", r"\b(?:around|cent(?:re|er)(?:e?d)?(?: (?:price|at|on|around|of|to))*|middle(?: "
                           r"at| of)?)[ :=]{1,3}#n"),
    ),
    **more.PHRASES,
}  # fmt: skip

OWN_LABELS: dict[str, tuple[Labels, ...]] = {
    "rsi_momentum": (),
    "sma_crossover": (
        Labels(
            words=(
                ("fast_period", r"fast(?:er)?|short(?:er)?(?: term)?|quick(?:er)?"),
                ("slow_period", r"slow(?:er)?|long(?:er)?(?: term)?"),
            ),
            limits=(1, 10_000),
        ),
    ),
    "mean_reversion": (),
    "breakout": (
        Labels(
            words=(
                ("entry_period", r"entry|entries|enter|highs?|highest(?: high)?|break(?:s|ing)?[ -]?outs?"
                                 r"|donchian"
                 r"|channel|upper|buys?|turtles?|entry period"),
                ("exit_period", r"exits?|lows?|lowest(?: low)?|lower|sells?|trail(?:ing)?"),
            ),
            limits=(1, 10_000),
        ),
    ),
    "dca": (
        Labels(
            words=(("dip_pct", r"dips?|drops?|dropped|falls?|fell|down|crash(?:es)?|declines?|pull[ -]?backs?"
                    r"|corrections?|below (?:the |its )?(?:recent )?high"),),
            per_cent=True,
        ),
    ),
    "grid": (
        Labels(words=(("spacing_pct", r"apart|spac(?:ing|ed)|steps?(?: of)?|grid|between (?:the )?levels"
                                      r"|every"),),
               per_cent=True),
        Labels(
            words=(
                ("lower_price", r"lower(?: price| bound| limit| level)?|bottom|floor|minimum price"),
                ("upper_price", r"upper(?: price| bound| limit| level)?|top|ceiling|maximum price"),
            ),
        ),
    ),
    **more.LABELS,
}  # fmt: skip

OWN_CONSTANTS: dict[str, tuple[Constant, ...]] = {
    "rsi_momentum": (),
    "sma_crossover": (),
    "mean_reversion": (
        Constant(
            "exit_band",
            re.compile(
                r"\b(?:sells?|selling|exits?|close|closes|out|profits?"
                r"|target)\b[^\d.;!?\n]{0,30}?\b(?:upper|top)\b"
                r"|\bupper (?:band )?exit"
            ),
            "upper",
        ),
        Constant(
            "exit_band",
            re.compile(
                r"\b(?:sells?|selling|exits?|close|closes|out|profits?|target)\b[^\d.;!?\n]{0,30}?"
                r"\b(?:middle|mid|mean|average|basis|cent(?:re|er))\b|\bmiddle (?:band )?exit"
            ),
            "middle",
        ),
    ),
    "breakout": (),
    "dca": (
        Constant("dip_multiplier", re.compile(r"\b(?:doubl(?:e|es|ing)|twice)\b(?! digit)"), 2),
        Constant("dip_multiplier", re.compile(r"\btripl(?:e|es|ing)\b"), 3),
    ),
    "grid": (),
    **more.CONSTANTS,
}

OWN_NAMES: dict[str, frozenset[str]] = {
    strategy: frozenset(
        [name for item in OWN_PHRASES[strategy] for name in item.names]
        + [name for labels in OWN_LABELS[strategy] for name, _ in labels.words if name]
        + [item.name for item in OWN_CONSTANTS[strategy]]
    )
    | more.MARKETS.get(strategy, frozenset())
    for strategy in OWN_PHRASES
}
COMMON_NAMES = frozenset((
    "symbol", "exchange", "timeframe", "risk_per_trade_pct", "stop_loss_pct", "take_profit_pct",
    "max_position_pct", "max_trades_per_day", "paper_balance", "poll_seconds", "live_trading", "schedule",
))  # fmt: skip
