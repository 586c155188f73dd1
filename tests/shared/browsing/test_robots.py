"""robots.txt by RFC 9309."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.browsing.robots import ALLOW_ALL, REFUSE_ALL, parse_robots

GROUPS = """
# comment
User-agent: other-bot
Disallow: /

USER-AGENT: The0-Agent/2.0 # ours
User-agent: friend
Disallow: /private
Allow: /private/open
Crawl-delay: 3

User-agent: *
Disallow: /all
Sitemap: https://docs.test/map.xml
User-agent: the0-agent
Disallow: /second
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/private", False),
        ("/private/x", False),
        ("/privately", False),
        ("/private/open/x", True),
        ("/all", True),
        ("/second", False),
        ("/robots.txt", True),
    ],
)
def test_our_own_groups_hold_together_and_the_longest_rule_decides(path: str, allowed: bool) -> None:
    assert parse_robots(GROUPS, "the0-agent").allows(path) is allowed


def test_others_fall_to_the_star() -> None:
    assert not parse_robots(GROUPS, "nobody").allows("/all/x")
    assert parse_robots(GROUPS, "nobody").allows("/private")


@pytest.mark.parametrize(
    ("rule", "path", "matches"),
    [
        ("/fish", "/fish.html", True),
        ("/fish", "/Fish", False),
        ("/fish*", "/fishheads/y", True),
        ("/fish/", "/fish", False),
        ("/*.php", "/a/b.php?x=1", True),
        ("/*.php$", "/a/b.php", True),
        ("/*.php$", "/a/b.php?x=1", False),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("/*/*/tree/", "/o/r/tree/main", True),
        ("/*/*/tree/", "/o/tree/main", False),
        ("/a*b*c$", "/axxbyyc", True),
        ("/a*bc$", "/abxbc", True),
        ("/ab*b$", "/ab", False),
        ("/a%2Fb", "/a/b", True),
        ("/ä", "/%C3%A4", True),
        ("/a?q=", "/a?q=1", True),
        ("*", "/x", True),
    ],
)
def test_patterns(rule: str, path: str, matches: bool) -> None:
    assert parse_robots(f"User-agent: *\nDisallow: {rule}", "x").allows(path) is not matches


def test_allow_wins_a_tie_and_an_empty_rule_says_nothing() -> None:
    assert parse_robots("User-agent: *\nDisallow: /a\nAllow: /a", "x").allows("/a")
    assert parse_robots("User-agent: *\nDisallow:", "x").allows("/a")
    assert parse_robots("Disallow: /", "x").allows("/a")


def test_all_and_nothing() -> None:
    assert ALLOW_ALL.allows("/x")
    assert not REFUSE_ALL.allows("/x")


def test_hostile_patterns_are_judged_in_linear_time() -> None:
    # Bounded by the test's own timeout: a matcher that backtracks would not end.
    rules = parse_robots("User-agent: *\nDisallow: /" + "*a" * 2000 + "$", "x")
    assert rules.allows("/" + "a" * 1500 + "b")


@given(st.text(max_size=200), st.text(max_size=30))
def test_any_text_gives_rules(text: str, path: str) -> None:
    assert parse_robots(text, "x").allows("/" + path) in (True, False)
