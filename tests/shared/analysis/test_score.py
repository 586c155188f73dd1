"""The quality score never rises by a further finding and never falls when one is removed."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.analysis import Category, Finding, Severity, quality_score
from shared.analysis.report import SEVERITIES
from shared.analysis.score import CAPS


def finding(category: Category = "style", severity: Severity = "low") -> Finding:
    return Finding(
        category=category, severity=severity, file="a.py", line=1, rule="r", message="m", advice="a"
    )


FINDINGS = st.builds(finding, st.sampled_from(list(CAPS)), st.sampled_from(SEVERITIES))
LISTS = st.lists(FINDINGS, max_size=40)
COMPLEXITY = st.integers(0, 60)


@given(LISTS, FINDINGS, COMPLEXITY)
def test_another_finding_never_raises_the_score(
    findings: list[Finding], more: Finding, complexity: int
) -> None:
    before = quality_score(findings, max_complexity=complexity)
    assert quality_score([*findings, more], max_complexity=complexity) <= before


@given(LISTS, st.integers(0, 39), COMPLEXITY)
def test_removing_a_finding_never_lowers_the_score(
    findings: list[Finding], place: int, complexity: int
) -> None:
    left = [f for index, f in enumerate(findings) if index != place]
    assert quality_score(left, max_complexity=complexity) >= quality_score(
        findings, max_complexity=complexity
    )


@given(LISTS, COMPLEXITY, COMPLEXITY)
def test_more_complexity_never_raises_the_score(findings: list[Finding], one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert quality_score(findings, max_complexity=high) <= quality_score(findings, max_complexity=low)


@given(LISTS, st.randoms(use_true_random=False), COMPLEXITY)
def test_the_score_is_0_to_100_in_any_order(findings: list[Finding], random: Random, complexity: int) -> None:
    score = quality_score(findings, max_complexity=complexity)
    shuffled = list(findings)
    random.shuffle(shuffled)
    assert 0 <= score <= 100
    assert quality_score(shuffled, max_complexity=complexity) == score


def test_nothing_wrong_is_100() -> None:
    assert quality_score([]) == 100
    assert quality_score([finding("style", "info")], max_complexity=10) == 100


def test_the_documented_numbers() -> None:
    assert quality_score([finding("style", "low")]) == 98
    assert quality_score([finding("style", "low")] * 2) == 96
    assert quality_score([finding("style", "low"), finding("performance", "medium")]) == 90
    assert quality_score([], max_complexity=14) == 98
    assert quality_score([], max_complexity=1000) == 90


def test_the_worst_finding_limits_the_score() -> None:
    assert quality_score([finding("trading", "high")]) == 70
    assert quality_score([finding("security", "critical")]) == 40
    assert quality_score([finding("secret", "critical")]) == 40
    assert quality_score([finding("syntax", "critical")]) == 0


def test_a_flood_of_remarks_is_cut_at_the_categorys_cap() -> None:
    assert quality_score([finding("style", "low")] * 500) == 90
    assert quality_score([finding("style", "medium")] * 500) == 80
