"""What is kept of an event's JSON is bounded, whatever came."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from shared.bots.bounded import CUT, MOST_BYTES, bounded, cut_line
from shared.errors import UnprocessableError


def grown(chosen: random.Random, depth: int) -> Any:
    """Some JSON value, of many or large members."""
    kind = chosen.randrange(6)
    if depth and kind in (0, 1):
        return {
            chosen.choice("äx") * chosen.randrange(1, 300): grown(chosen, depth - 1)
            for _ in range(chosen.randrange(12))
        }
    if depth and kind == 2:
        return [grown(chosen, depth - 1) for _ in range(chosen.randrange(12))]
    return chosen.choice(["\x00" * 900, "text" * chosen.randrange(500), 1e300, -7, None, True])


@pytest.mark.parametrize("seed", range(20))
def test_it_fits(seed: int) -> None:
    value = grown(random.Random(seed), 3)
    kept = bounded(value)
    assert len(orjson.dumps(kept)) <= MOST_BYTES + 512
    assert bounded(kept, 2 * MOST_BYTES) == kept


def test_what_fits_is_left_as_it_is() -> None:
    value = {"a": [1, 2.5, None, {"b": "ü" * 500}], "c": {}}
    assert bounded(value) == value


def test_what_is_cut_says_so() -> None:
    assert bounded(["x"] * 9000)[-1] == CUT
    assert bounded({str(number): "x" * 100 for number in range(500)})[CUT] == 450
    assert bounded({"a": "x" * 9000})["a"].endswith(CUT)
    assert cut_line("abc", 3) == "abc"
    assert cut_line("abcd", 3) == "ab…"
    deep: Any = "end"
    for _ in range(20):
        deep = [deep]
    assert CUT in orjson.dumps(bounded(deep)).decode()


def test_what_is_nested_beyond_reason_is_refused() -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(UnprocessableError):
        bounded(deep)
