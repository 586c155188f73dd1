"""Numbers, spelling, candles, rhythms and the sharing out of numbers among labels."""

from __future__ import annotations

import pytest

from shared.messages import ToolSpec
from shared.model.offline.assign import Mark, assign
from shared.model.offline.extract_schedule import Rhythm, find_bot_type, find_history_days, find_rhythm
from shared.model.offline.extract_symbol import find_symbols
from shared.model.offline.extract_timeframe import find_timeframe
from shared.model.offline.numerals import to_digits
from shared.model.offline.spelling import correct, edit_distance
from shared.model.offline.toolbox import Toolbox
from shared.model.offline.utterance import canonical, read_utterance


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("thirty", "30"),
        ("twenty-five per cent", "25%"),
        ("one and a half percent", "1.5%"),
        ("half a percent", "0.5%"),
        ("50 bps", "0.5%"),
        ("1,5 %", "1.5%"),
        ("60k", "60000"),
        ("1.5k", "1500"),
        ("50-60k", "50000-60000"),
        ("$1,000,000", "$1000000"),
        ("two hundred and fifty", "250"),
        ("sixty thousand", "60000"),
        ("1.5 million", "1500000"),
        ("sma 50,200", "sma 50,200"),
        ("bands (20,2)", "bands (20,2)"),
        ("this one over 70", "this one over 70"),
        ("twice a day", "2 times a day"),
        ("10% and 20 percent", "10% and 20%"),
        ("0.00001", "0.00001"),
    ],
)
def test_numbers_in_digits(text: str, digits: str) -> None:
    assert to_digits(text) == digits


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        ("bolinger", "bollinger"),
        ("momemtum", "momentum"),
        ("brekout", "breakout"),
        ("donchain", "donchian"),
        ("croosover", "crossover"),
        ("revesrion", "reversion"),
        ("handle", "handle"),
        ("revision", "revision"),
        ("grid", "grid"),
        ("hourly", "hourly"),
    ],
)
def test_slips_of_spelling(slip: str, word: str) -> None:
    assert correct(slip) == word


def test_edit_distance_counts_a_swap_as_one() -> None:
    assert edit_distance("donchain", "donchian", 2) == 1
    assert edit_distance("abcdef", "uvwxyz", 2) == 3


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("BTC/USDT", ["BTC/USDT"]),
        ("btcusdt", ["BTC/USDT"]),
        ("BTC-USD", ["BTC/USD"]),
        ("bitcoin", ["BTC/USDT"]),
        ("ether against euros", ["ETH/EUR"]),
        ("sol vs usdc", ["SOL/USDC"]),
        ("1000PEPE/USDT:USDT", ["1000PEPE/USDT:USDT"]),
        ("bitcoin perpetual", ["BTC/USDT:USDT"]),
        ("trade AAPL and $TSLA", ["AAPL", "TSLA"]),
        ("apple stock", ["AAPL"]),
        ("an apple a day", []),
        ("please link the dot near the door", []),
        ("for LINK", ["LINK/USDT"]),
        ("buy/sell and/or 50/200", []),
        ("RSI SMA EMA DCA USDT", []),
        ("trade HBAR", ["HBAR/USDT"]),
        ("BUY UNDER THIRTY FOR BTC PLEASE AND THANKS", ["BTC/USDT"]),
    ],
)
def test_markets(text: str, symbols: list[str]) -> None:
    assert [found.symbol for found in find_symbols(text)] == symbols


def test_the_market_that_is_left_is_not_the_one_wanted() -> None:
    assert read_utterance("switch from BTC to ETH").symbol == "ETH/USDT"
    assert read_utterance("use solana instead of BTC").symbol == "SOL/USDT"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("hourly candles", "1h"),
        ("15 minute chart", "15m"),
        ("on the 4h", "4h"),
        ("daily", "1d"),
        ("1D candles", "1d"),
        ("60 minute bars", "1h"),
        ("timeframe: 2h", "2h"),
        ("m15", "15m"),
        ("use 1h instead of 4h", "1h"),
        ("switch from 1h to 4h", "4h"),
        ("20-day high", "1d"),
        ("every 4 hours", None),
        ("run it hourly", None),
        ("3 trades a day", None),
        ("the last 90 days", None),
        ("45 minute candles", "45m"),
    ],
)
def test_candles(text: str, value: str | None) -> None:
    found = find_timeframe(canonical(text))

    assert (found.value if found else None) == value


@pytest.mark.parametrize(
    ("text", "rhythm"),
    [
        ("every monday", ("0 0 * * 1", 168)),
        ("each friday at 14:30", ("30 14 * * 5", 168)),
        ("every other tuesday", ("0 0 * * 2", 336)),
        ("every 3 days", (None, 72)),
        ("every 4 hours", ("0 */4 * * *", 4)),
        ("every 15 minutes", ("*/15 * * * *", None)),
        ("every 7 minutes", (None, None)),
        ("each day at 9", ("0 9 * * *", 24)),
        ("daily at 9:15pm", ("15 21 * * *", 24)),
        ("every day at midnight", ("0 0 * * *", 24)),
        ("every weekday at 12 am", ("0 0 * * 1-5", 24)),
        ("twice a week", (None, 84)),
        ("monthly", ("0 0 1 * *", 720)),
        ("once a week", ("0 0 * * 1", 168)),
    ],
)
def test_rhythms(text: str, rhythm: tuple[str | None, int | None]) -> None:
    found = find_rhythm(canonical(text), loose=True)

    assert isinstance(found, Rhythm)
    assert (found.cron, found.hours) == rhythm


@pytest.mark.parametrize("text", ["3 trades every day", "5 buys each day", "risk 1% every trade"])
def test_limits_are_no_rhythm(text: str) -> None:
    assert find_rhythm(canonical(text), loose=False) is None


@pytest.mark.parametrize(
    ("text", "bot_type"),
    [
        ("make it real-time", "realtime"),
        ("24/7", "realtime"),
        ("not realtime", "scheduled"),
        ("realtime instead of scheduled", "realtime"),
        ("a scheduled bot", "scheduled"),
        ("a bot", None),
    ],
)
def test_bot_types(text: str, bot_type: str | None) -> None:
    assert find_bot_type(canonical(text)) == bot_type


@pytest.mark.parametrize(
    ("text", "days"), [("last 90 days", 90), ("the past year", 365), ("over 2 weeks", 14)]
)
def test_days_of_history(text: str, days: int) -> None:
    assert find_history_days(text) == days


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("stop 2% target 5%", {"stop": "2", "target": "5"}),
        ("2% stop 5% target", {"stop": "2", "target": "5"}),
        ("stop of 2%, and 5% target", {"stop": "2", "target": "5"}),
        ("target at 5% and a stop at 2%", {"stop": "2", "target": "5"}),
        ("stop. 5%", {}),
    ],
)
def test_numbers_go_to_the_nearest_label(text: str, pairs: dict[str, str]) -> None:
    labels = sorted(
        (
            Mark(text.index(name), text.index(name) + len(name), name)
            for name in ("stop", "target")
            if name in text
        ),
        key=lambda mark: mark.start,
    )
    numbers = [Mark(i, i + 2) for i, character in enumerate(text) if character.isdigit()]

    found = assign(text, labels=labels, numbers=numbers)

    assert {item.name: text[item.number.start] for item in found} == pairs


def test_code_and_its_language_are_taken_as_they_are() -> None:
    utterance = read_utterance("check this\n```python\nx = “1” # ﬁne\n```\nplease")

    assert [(s.language, s.code) for s in utterance.snippets] == [("python", "x = “1” # ﬁne")]
    assert "x =" not in utterance.canonical


@pytest.mark.parametrize(
    "text",
    [
        "```" * 10_000,
        "buy rsi at " * 3_000,
        "1,000," * 5_400,
        "a-" * 16_000,
        'called "' * 4_600,
        "\ufdfa" * 32_768,
    ],
)
def test_long_and_odd_messages_are_read_to_an_end(text: str) -> None:
    assert len(read_utterance(text).canonical) < 10_000


def test_a_wish_at_the_end_of_a_long_text_is_read() -> None:
    assert read_utterance("lorem ipsum " * 2_500 + ". Trade SOL").symbol == "SOL/USDT"


def test_choices_are_found_behind_references_and_alternatives() -> None:
    schema = {
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"anyOf": [{"enum": ["x"]}, {"type": "null"}]}},
        "$defs": {"A": {"const": "y"}},
    }
    tools = Toolbox(
        (ToolSpec(name="t", description="", input_schema=schema, output_schema={}),), allowed=True
    )

    assert (tools.choices("t", "a"), tools.choices("t", "b"), tools.choices("u", "a")) == (("y",), ("x",), ())
