"""Candles as CSV: what generated bots ship, what spreadsheets write, and what is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ToolInputError
from shared.market import read_candles_csv
from shared.market.candles import Candles, spacing_ms, timeframe_ms, timeframe_name
from shared.market.csv_file import plain_number, write_candles_csv
from shared.tools.templates.sample import sample_csv

HEAD = "time,open,high,low,close,volume\n"


def test_the_sample_of_a_generated_bot() -> None:
    candles = read_candles_csv(sample_csv(minutes=15, start_price=Decimal("0.0123")).encode())
    assert (len(candles), spacing_ms(candles)) == (400, 900_000)
    assert candles.times[0] == 1_704_067_200_000
    assert candles.opens[0] == 0.0123


def test_times_in_milliseconds_other_zones_and_columns_in_any_order() -> None:
    lines = (
        "\ufeffvolume,close,low,high,open,time,note",
        "5,2,1,3,2,0,a",
        "6,2,1,3,2,1970-01-01T03:00:00+02:00,b",
    )
    candles = read_candles_csv("\r\n".join(lines).encode())
    assert candles.rows() == [(0, 2, 3, 1, 2, 5), (3_600_000, 2, 3, 1, 2, 6)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lacks the columns time, open"),
        ("time,open,high,low,close\n", "lacks the columns volume"),
        (HEAD, "holds no candles"),
        (HEAD + "0,1,1,1,1\n", "line 2 of the CSV file is not a candle"),
        (HEAD + "0,1,1,1,1,1\n1,1,1,1,x,1\n", "line 3"),
        (HEAD + "0,nan,1,1,1,1\n", "not a number"),
        (HEAD + "0,1,inf,1,1,1\n", "not a number"),
        (HEAD + "0,0,1,0,1,1\n", "over zero"),
        (HEAD + "0,1e300,1e300,1,1,1\n", "out of all range"),
        (HEAD + "0,1,1,1,1,-1\n", "volume"),
        (HEAD + "0,1,2,1,3,1\n", "enclose"),
        (HEAD + "5,1,1,1,1,1\n5,1,1,1,1,1\n", "line 3.*not after"),
        (HEAD + "yesterday,1,1,1,1,1\n", "line 2"),
        (HEAD + "999999999999999,1,1,1,1,1\n", "line 2"),
        (HEAD + '0,"1,1,1,1,1\n', "not CSV text|line"),
        (HEAD + "0,1,1,1,1,1\n" * 2, "line 3"),
    ],
)
def test_what_is_no_candle_is_named_by_its_line(text: str, words: str) -> None:
    with pytest.raises(ToolInputError, match=words):
        read_candles_csv(text.encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (HEAD + text).encode()))
def test_any_bytes_are_candles_or_a_clear_error(data: bytes) -> None:
    try:
        found = read_candles_csv(data)
    except ToolInputError:
        return
    assert len(found) > 0


def test_what_is_written_reads_back() -> None:
    candles = Candles.of(
        [(0, 0.00001234, 0.00002, 0.00001, 0.000015, 0.0), (60_000, 5e4, 6e4, 4e4, 5e4, 1e9)]
    )
    data = write_candles_csv(candles, {"rsi14": (None, 55.5)})
    assert read_candles_csv(data) == candles
    assert data.decode().splitlines()[1] == "1970-01-01T00:00:00Z,0.00001234,0.00002,0.00001,0.000015,0,"
    assert data.decode().splitlines()[2].endswith(",55.5")


def test_numbers_have_no_exponent() -> None:
    assert [plain_number(value) for value in (0, 1e-12, 1e15, 1.10)] == [
        "0", "0.000000000001", "1000000000000000", "1.1",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "length"), [("1m", 60_000), ("4h", 14_400_000), ("1w", 604_800_000)])
def test_timeframes_both_ways(name: str, length: int) -> None:
    assert (timeframe_ms(name), timeframe_name(length)) == (length, name)


@pytest.mark.parametrize("text", ["", "h", "0m", "1M", "1y", "-1h", "99999m"])
def test_what_is_no_timeframe(text: str) -> None:
    with pytest.raises(ValueError, match="timeframe"):
        timeframe_ms(text)
