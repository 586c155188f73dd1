"""Places in a trace, as they come and go on the wire."""

from __future__ import annotations

import pytest

from shared.tracing.context import (
    TraceContext,
    current,
    current_traceparent,
    incoming,
    parse_traceparent,
    tracing_headers,
)
from shared.tracing.spans import Within
from tests.shared.tracing.collecting import PLACE

TEXT = f"00-{PLACE.trace_id}-{PLACE.span_id}-01"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TEXT, PLACE),
        (TEXT[:-2] + "00", TraceContext(PLACE.trace_id, PLACE.span_id, False)),
        # Of a later version, which may say more.
        (f"01{TEXT[2:]}-what-comes-later", PLACE),
        (f"{TEXT}-more", None),
        (f"ff{TEXT[2:]}", None),
        (TEXT.upper(), None),
        (f"00-{'0' * 32}-{PLACE.span_id}-01", None),
        (f"00-{PLACE.trace_id}-{'0' * 16}-01", None),
        ("00-1-2-01", None),
        (f"01{TEXT[2:]}-{'x' * 600}", None),
        ("", None),
        (None, None),
    ],
)
def test_a_traceparent_is_read_as_the_standard_has_it(text: str | None, found: TraceContext | None) -> None:
    assert parse_traceparent(text) == found


def test_what_goes_out_is_what_came_in() -> None:
    assert parse_traceparent(PLACE.traceparent) == PLACE
    assert PLACE.traceparent == TEXT


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (
            "105445aa7843bc8bf206b12000100000/1;o=1",
            ("105445aa7843bc8bf206b12000100000", "0" * 15 + "1", True),
        ),
        (
            "105445AA7843bc8bf206b12000100000/255",
            ("105445aa7843bc8bf206b12000100000", "0" * 14 + "ff", False),
        ),
        ("105445aa7843bc8bf206b12000100000/0;o=1", None),
        (f"105445aa7843bc8bf206b12000100000/{2**64};o=1", None),
        (f"{'0' * 32}/1", None),
        ("x/1", None),
    ],
)
def test_the_older_header_of_google_is_read(value: str, found: tuple[str, str, bool] | None) -> None:
    expected = None if found is None else TraceContext(*found)
    assert incoming([(b"x-cloud-trace-context", value.encode())]) == expected


def test_the_standards_header_goes_before_the_older_one() -> None:
    older = (b"x-cloud-trace-context", b"105445aa7843bc8bf206b12000100000/1;o=1")
    assert incoming([older, (b"traceparent", TEXT.encode())]) == PLACE
    assert incoming([(b"accept", b"*/*")]) is None


def test_outside_of_any_trace_nothing_is_sent_on() -> None:
    assert (current(), current_traceparent(), tracing_headers()) == (None, None, {})
    with Within(PLACE):
        assert (current(), tracing_headers()) == (PLACE, {"traceparent": TEXT})
        with Within(None):
            assert current() is None
    assert current() is None
