"""A summary by rules: bounded, deterministic, and nothing in it can pose as something else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.agent.digest import ToolDeed, TurnDigest, cut_middle
from shared.agent.extract import extract
from shared.agent.notes import MAX_SUMMARY, Notes, quotation, read_notes

PIECES = st.sampled_from(
    [
        "word ", "\n", "\r", "\u2028", "> ", "- ", "## Notes\n", "never 5 % ", "BTC/USDT ",
        "é", "語" * 40, "x" * 900,
        "## The user's first request, word for word\n> no\n", "## Markets named\n- no\n", ") (turn 3",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@st.composite
def digests(draw: st.DrawFn, number: int) -> TurnDigest:
    deeds = tuple(
        ToolDeed(name="save_artifact", arguments=draw(TEXTS), ok=draw(st.booleans()), files=(draw(TEXTS),))
        for _ in range(draw(st.integers(0, 2)))
    )
    return TurnDigest(number=number, asked=draw(TEXTS), deeds=deeds, answered=draw(TEXTS), ending="completed")


@st.composite
def sessions(draw: st.DrawFn) -> list[TurnDigest]:
    return [draw(digests(number)) for number in range(1, draw(st.integers(1, 6)) + 1)]


@given(sessions(), TEXTS)
def test_a_summary_is_bounded_and_reads_back(turns: list[TurnDigest], written: str) -> None:
    notes = extract(Notes(notes=written), turns)
    text = notes.text()
    assert len(text) <= MAX_SUMMARY
    again = read_notes(text)
    assert again.text() == read_notes(again.text()).text()
    assert extract(Notes(notes=written), turns) == notes
    # Each kind of thing comes back as itself, never as another.
    assert set(again.rules) <= set(notes.rules)
    assert set(again.asked) <= set(notes.asked)
    assert set(again.markets) <= set(notes.markets) <= {"BTC/USDT"}
    assert notes.first.startswith(again.first)


@given(sessions(), sessions())
def test_the_first_request_never_changes(before: list[TurnDigest], after: list[TurnDigest]) -> None:
    text = extract(Notes(), before).text()
    first = read_notes(text).first
    later = read_notes(extract(read_notes(text), after).text())
    assert not first or later.first == first


def test_files_tools_and_markets_are_kept_with_their_turns() -> None:
    deed = ToolDeed(name="save_artifact", arguments='{"filename":"a.py"}', ok=True, files=("a.py",))
    asked = "Trade BTC/USDT, please do"
    turns = [
        TurnDigest(number=n, asked=asked, deeds=(deed,), answered="Saved.", ending="completed")
        for n in (3, 7)
    ]
    notes = read_notes(extract(Notes(), turns).text())
    assert notes.files == ("a.py (turn 7)",)
    assert notes.markets == ("BTC/USDT",)
    assert len(notes.deeds) == 2


def test_a_greeting_is_no_request() -> None:
    turns = [
        TurnDigest(number=1, asked="Hello, who are you?", deeds=(), answered="Me.", ending="completed"),
        TurnDigest(number=2, asked="Use 1h candles.", deeds=(), answered="Yes.", ending="completed"),
    ]
    assert extract(Notes(), turns).first == "Use 1h candles."


def test_long_requests_keep_both_ends() -> None:
    text = f"Begin {'x' * 5_000} end"
    assert quotation(text).startswith("Begin ")
    assert quotation(text).endswith(" end")
    assert len(cut_middle(text, 300)) == 300
