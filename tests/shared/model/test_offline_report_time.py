"""Words for a stretch of time, as a question about a bot has them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.model.offline.report_time import find_stretch

# A Wednesday.
NOW = datetime(2026, 11, 4, 9, 30, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("how did it do last night", [at(3, 18), at(4, 7, 59)], [at(3, 17), at(4, 8)]),
        ("how did it do today", [at(4, 0), at(4, 9)], [at(3, 23)]),
        ("how did it do yesterday", [at(3, 0), at(3, 23)], [at(4, 0), at(2, 23)]),
        ("how did it do since monday", [at(2, 0), at(4, 9)], [at(1, 23)]),
        ("how did it do on monday", [at(2, 0), at(2, 23)], [at(3, 0), at(1, 23)]),
        ("how did it do since wednesday", [at(4, 1)], [at(3, 23)]),
        ("how did it do this week", [at(2, 0)], [at(1, 23)]),
        ("how did it do in the last 3 hours", [at(4, 7)], [at(4, 6)]),
        ("how did it do in the past day", [at(3, 10)], [at(3, 9)]),
        ("how did it do", [at(1, 1)], []),
    ],
)
def test_a_stretch_holds_what_it_says(text: str, inside: list[datetime], outside: list[datetime]) -> None:
    stretch = find_stretch(text, NOW)
    assert all(map(stretch.holds, inside))
    assert not any(map(stretch.holds, outside))


def test_a_night_that_is_not_over_ends_now() -> None:
    stretch = find_stretch("last night", at(4, 2))
    assert stretch.end == at(4, 2)
    assert "2026-11-03 18:00" in str(stretch)


def test_the_last_run_is_one() -> None:
    assert find_stretch("how was the last run", NOW).is_last_run
