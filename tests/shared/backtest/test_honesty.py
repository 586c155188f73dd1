"""The checks on leaks and their clean twins: a part of the corpus that bench/honesty.py scores."""

from __future__ import annotations

from bench.honesty import FALSE_ALARMS, RECALL, score
from bench.honesty_corpus import KINDS, corpus
from shared.sandbox.port import Sandbox

# Each reads its candles as text: pandas takes a second to import, and bench/honesty.py tries it.
TRIED = (
    "shift",
    "whole-series z-score",
    "resampled close",
    "close at the open",
    "backward fill",
    "short smoothing",
    "memory",
    "caller's candles",
)


async def test_leaks_are_found_and_clean_twins_are_not(sandbox: Sandbox) -> None:
    total = await score(sandbox, corpus(pairs=1, seed=11, kinds=TRIED))
    assert (total.leaks, total.clean) == (len(TRIED), len(TRIED))
    assert total.recall >= RECALL, total.missed
    assert total.false_alarm_rate <= FALSE_ALARMS, total.alarmed


def test_the_corpus_is_seeded_and_twins_differ_only_in_the_leak() -> None:
    first, again, other = (list(corpus(pairs=2, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert [case.files for case in first] == [case.files for case in again]
    assert [case.files for case in first] != [case.files for case in other]
    assert len(first) == len(KINDS) * 4
    for leak, clean in zip(first[::2], first[1::2], strict=True):
        assert (leak.leaks, clean.leaks) == (True, False)
        assert leak.files["sample.csv"] == clean.files["sample.csv"]
        assert leak.files["strategy.py"] != clean.files["strategy.py"]
