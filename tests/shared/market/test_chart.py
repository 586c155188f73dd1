"""The chart: a PNG of one size, the same bytes for the same candles, whatever the thread."""

from __future__ import annotations

import asyncio
import struct
import zlib

import pytest

from shared.market.candles import Candles
from shared.market.chart import draw_chart
from shared.market.indicators import indicators_of
from tests.shared.market.test_indicators import candles_of, walk


def chart(candles: Candles, title: str = "BTC/USDT") -> bytes:
    return draw_chart(candles, indicators_of(candles), title=title)


def pixels(png: bytes) -> tuple[tuple[int, int], bytes]:
    """Width and height, and the filtered pixel bytes."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, size, body = 8, (0, 0), b""
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        content = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">II", content[:8])
        if kind == b"IDAT":
            body += content
        assert kind not in (b"tEXt", b"tIME"), "nothing but the picture is in the file"
        place += length + 12
    return size, zlib.decompress(body)


async def test_threads_at_once_draw_the_same_bytes() -> None:
    drawings = await asyncio.gather(*(asyncio.to_thread(chart, walk(350)) for _ in range(3)))
    assert len(set(drawings)) == 1
    size, body = pixels(drawings[0])
    assert size == (1100, 800)
    # An empty picture would be all one colour.
    assert len(set(body)) > 50


def test_other_candles_are_another_picture() -> None:
    assert chart(walk(60)) != chart(walk(60, seed=8))


@pytest.mark.parametrize(
    "candles",
    [walk(2), walk(30), candles_of([1e-7] * 40, spread=0.0), candles_of([5e6] * 40, spread=1.0)],
)
def test_few_or_flat_candles_are_drawn_without_a_warning(candles: Candles) -> None:
    assert pixels(chart(candles, title="$EVIL^{/USDT}$ \\frac 比特\x00\n"))[0] == (1100, 800)
