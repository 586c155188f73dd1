"""What people ask of a bot that the templates cannot do, and what to tell them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.offline.numerals import NUMBER
from shared.model.offline.phrases import BUY


@dataclass(frozen=True, slots=True)
class Refusal:
    """Words that ask for it, and the sentence for the user.

    `strategy` is the only one it is about, None for all `but_not` these. The numbers within the words mean
    nothing else when `takes_numbers` is set.
    """

    words: re.Pattern[str]
    sentence: str
    strategy: str | None = None
    takes_numbers: bool = False
    but_not: tuple[str, ...] = ()


REFUSALS = (
    Refusal(
        re.compile(
            r"\b(?:api[ _-]?(?:key|secret)|secret[ _]key|private key|seed phrase)s?\b ?(?:is|are|:|=)"
        ),
        "Keys belong neither in this chat nor in a bot's files: enter them in the configuration of the bot's "
        "instance. I use and repeat none; replace any that you wrote here.",
    ),
    Refusal(
        re.compile(r"\btrailing (?:stop|take|profit)"),
        "The stop is a fixed distance from the entry; the templates have no trailing stop.",
    ),
    Refusal(
        re.compile(rf"\brisk(?:ing)?(?: (?:at most|only|up to))? \${NUMBER}"),
        "Risk is set in per cent of the account, so an amount of money per trade cannot be taken.",
        takes_numbers=True,
    ),
    Refusal(
        re.compile(rf"\b{NUMBER}x leverage|\bleveraged?\b(?: of)?(?: {NUMBER}x?)?"),
        "The templates trade without leverage.",
        takes_numbers=True,
    ),
    Refusal(
        re.compile(
            r"\b(?:go|goes|going|open|take) (?:a )?shorts?\b(?! (?:period|term|sma|ma|average))"
            r"|\bshort(?:[ -]sell|ing|s? (?:when|if|it|at)\b)"
        ),
        "This template only buys and sells what was bought; it never sells short.",
        but_not=("pairs_arbitrage", "funding_carry"),
    ),
    Refusal(
        re.compile(
            r"\b(?:increase|raise|lower|reduce|decrease|widen|tighten|bump|cut)\b[^.;!?\n\d]{0,40}\bby "
            rf"\$?{NUMBER}%?"
        ),
        "I can set a value but not change one by an amount: tell me the new value.",
        takes_numbers=True,
    ),
    Refusal(
        re.compile(
            rf"{BUY}\b(?:(?!sell|exit|close|over ?bought)[^,;.!?\n\d]){{0,30}}?"
            r"\b(?:over|above|>)\s?\d{1,2}\b(?!%| ?(?:sell|exit|candles|periods|bars|days|hours))"
        ),
        "This strategy buys when the RSI is low and sells when it is high; it cannot buy above a level.",
        strategy="rsi_momentum",
        takes_numbers=True,
    ),
)
