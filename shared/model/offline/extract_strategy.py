"""Which of the strategies a sentence names, and which it names that are not offered."""

from __future__ import annotations

import re
from dataclasses import dataclass

TITLES = {
    "rsi_momentum": "RSI momentum",
    "sma_crossover": "SMA crossover",
    "mean_reversion": "Mean reversion (Bollinger)",
    "breakout": "Breakout (Donchian)",
    "dca": "Dollar-cost averaging",
    "grid": "Grid",
    "macd_trend": "MACD trend",
    "pairs_arbitrage": "Pairs arbitrage",
    "market_making": "Market making",
    "volatility_targeting": "Volatility targeting",
    "momentum_rotation": "Momentum rotation",
    "funding_carry": "Funding carry",
}

# Words and how surely they name the strategy: 3 names it, 2 nearly, 1 fits it where nothing else is said.
_WORDS: tuple[tuple[str, int, str], ...] = (
    ("rsi_momentum", 3, r"rsi|relative[ -]strength(?: index)?"),
    ("rsi_momentum", 2, r"over ?sold|over ?bought"),
    ("rsi_momentum", 1, r"momentum"),
    ("sma_crossover", 3, r"(?:[se]?ma|moving[ -]averages?|averages?)s?[ -]cross\w{0,6}|sma|ema|moving[ "
                         r"-]averages?(?! convergence)|mas"
     r"|golden[ -]cross|death[ -]cross"),
    ("sma_crossover", 2, r"cross[ -]?overs?|\d{1,3}[ -](?:day|period|week|hour) averages?|averages cross"
                         r"|fast and slow"),
    ("mean_reversion", 3, r"mean[ -]?rever\w{2,6}|revert\w{0,3} to (?:the |its )?mean|bollinger(?:[ "
                          r"-]bands?)?|bbands"),
    ("mean_reversion", 2, r"(?:lower|upper|middle) band|standard deviations?"),
    ("breakout", 3, r"break(?:s|ing)?[ -]?outs?|donchian|turtles?"),
    ("breakout", 2, r"\d{1,3}[ -](?:day|period|week|hour|candle|bar)s?[ -](?:highs?|lows?)|new highs?"
                    r"|highest high"
     r"|breaks? (?:above|through|the)"),
    ("dca", 3, r"dca|dollar[ -]cost(?:[ -]averag\w{1,4})?|cost[ -]averag\w{1,4}|savings? plan"
     r"|recurring (?:buys?|purchases?|investments?)"),
    ("dca", 2, r"accumulat\w{1,4}|stack(?:ing)? sats|(?:hourly|daily|weekly|monthly) (?:[\w/]{1,20} "
               r")?(?:purchases?|buys|investments?)|buy\w{0,3} regularly"
     r"|(?:buy|buys|buying|invest|invests|investing|purchase|put)\b[^.;!?\n]{0,60}?\b(?:every|each|weekly"
     r"|daily|monthly"
     r"|hourly|biweekly|once a|\d times a|fortnightly)(?! trade)"),
    ("grid", 3, r"grids?(?:[ -](?:trading|bot|trader))?"),
    ("macd_trend", 3, r"macd|moving[ -]averages? convergence"),
    ("pairs_arbitrage", 3, r"pairs?[ -](?:arbitrage|trading|trades?|traders?|bot|strategy)"
                           r"|stat(?:istical)?[ -]arb(?:itrage)?|co-?integrat\w{2,4}"),
    ("market_making", 3, r"market[ -]mak(?:ing|ers?)|mak(?:e|es|ing) (?:a |the )?markets?|bid and ask"),
    ("volatility_targeting", 3, r"vol(?:atility)?[ -]target\w{0,3}|(?:constant|managed) vol(?:atility)?"
                                r"|target\w{0,3} (?:an? |for )?(?:annual\w{0,4} |yearly )?"
                                r"(?:\d{1,3}(?:\.\d{1,3})?% )?(?:annual\w{0,4} |yearly |a year )?"
                                r"vol(?:atility)?"),
    ("momentum_rotation", 3, r"rotat(?:e|es|ing|ion|ional)|(?:relative|dual|cross-sectional) momentum"),
    ("funding_carry", 3, r"funding(?:[ -](?:rates?|carry|arbitrage|payments?|fees?))?|cash[ -]and[ -]carry"
                         r"|carry[ -]trad(?:e|es|ing)"),
)  # fmt: skip
_STRATEGY = tuple((name, weight, re.compile(rf"\b(?:{words})\b")) for name, weight, words in _WORDS)

_NOT_OFFERED = re.compile(
    r"\b(arbitrage|martingale|machine learning|neural "
    r"net(?:work)?s?"
    r"|lstm|reinforcement learning|ichimoku|vwap|twap|stochastics?|supertrend|sentiment|news trading"
    r"|parabolic sar"
    r"|fibonacci|elliott wave|copy[ -]trading|snip(?:er|ing)"
    r"|options?(?= trad| strateg)"
    r"|rebalanc\w{1,5}|trend[ -]following|scalp(?:ing|er)"
    r"|candlestick patterns?"
    r"|front[ -]?running|wash trading|smart money)\b"
)
_LEFT_BEHIND = re.compile(
    r"(?:\bfrom|\binstead of|\brather than|\bnot|\bwithout|\bno|\bno longer)(?: an?| the| any| using| use)? $"
)
_EXPONENTIAL = re.compile(r"\b(?:ema|emas|exponential)\b")


@dataclass(frozen=True, slots=True)
class NamedStrategies:
    """`sure` are the strategies named with the greatest weight found; `not_offered` the word for another."""

    sure: tuple[str, ...]
    weight: int
    not_offered: str | None
    exponential: bool


def find_strategies(text: str) -> NamedStrategies:
    """The strategies that the canonical text names, the most surely named alone."""
    weights: dict[str, int] = {}
    for name, weight, pattern in _STRATEGY:
        for match in pattern.finditer(text):
            if not _LEFT_BEHIND.search(text[max(0, match.start() - 28) : match.start()]):
                weights[name] = max(weight, weights.get(name, 0))
                break
    best = max(weights.values(), default=0)
    other = _NOT_OFFERED.search(text)
    return NamedStrategies(
        sure=tuple(name for name, weight in weights.items() if weight == best),
        weight=best,
        not_offered=other.group() if other else None,
        exponential=_EXPONENTIAL.search(text) is not None,
    )


def choose_from_list(text: str) -> str | None:
    """The strategy that a short reply picks from the numbered list: `2`, `the third one`, `option 4`."""
    match = re.fullmatch(
        r"(?:i(?:'d| would)? (?:like|want|take|choose) )?(?:the |option |number |no\.? ?|#)?"
        r"(?:(1[0-2]|[1-9])|(first|second|third|fourth|fifth|sixth|last))(?: one| option| strategy)?(?: "
        r"please)?[.!)]?",
        text.strip(),
    )
    if not match:
        return None
    words = ("first", "second", "third", "fourth", "fifth", "sixth")
    index = int(match[1]) - 1 if match[1] else (-1 if match[2] == "last" else words.index(match[2]))
    return tuple(TITLES)[index]
