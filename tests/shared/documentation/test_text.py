"""Words, identifiers, stems, spelling, synonyms and ranking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tools.documentation.ranking import Field, Scheme, build
from shared.tools.documentation.spelling import Speller, distance
from shared.tools.documentation.text import Token, stem, terms, tokens
from shared.tools.documentation.thesaurus import Thesaurus


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("JWT_EXPIRES_IN", Token("jwtexpiresin", ("jwt", "expires", "in"))),
        ("minio.external.useSSL", Token("minioexternalusessl", ("minio", "external", "use", "ssl"))),
        ("groupByRun", Token("groupbyrun", ("group", "by", "run"))),
        ("npm-token", Token("npmtoken", ("npm", "token"))),
        ("C++", Token("cpp", ())),
        ("--yes", Token("yes", ())),
    ],
)
def test_identifiers_are_kept_whole_and_in_parts(text: str, token: Token) -> None:
    assert tokens(text) == [token]


@pytest.mark.parametrize(
    "forms",
    [
        ("deploy", "deployed", "deploying", "deployment", "deployments"),
        ("configure", "configuration", "configured"),
        ("schedule", "scheduled", "scheduler", "schedules"),
        ("dependency", "dependencies"),
        ("run", "running", "runs"),
        ("authenticate", "authentication"),
    ],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


def test_different_words_keep_different_stems() -> None:
    words = ("state", "status", "metric", "query", "test", "log", "login", "secret", "version", "environment")
    assert len({stem(word) for word in words}) == len(words)


def test_contractions_and_stop_words_leave_nothing_behind() -> None:
    assert terms(tokens("I can't, it doesn't, that's how")) == []


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert all(term for term in terms(tokens(text)))


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        ("kuberntes", "kubernetes"),
        ("instalation", "installation"),
        ("stauts", "status"),
        ("tokn", "token"),
        ("minimun", "minimum"),
    ],
)
def test_slips_are_corrected(slip: str, word: str) -> None:
    speller = Speller(dict.fromkeys(("kubernetes", "installation", "status", "token", "minimum", "state"), 1))
    assert speller.suggest(slip)[0][0] == word


@pytest.mark.parametrize("word", ["swift", "leverage", "ab", "xyzzyplugh", "12345"])
def test_other_words_are_left_alone(word: str) -> None:
    assert Speller(dict.fromkeys(("shift", "average", "abc", "token"), 1)).suggest(word) == []


@given(st.text("abcdefg", max_size=8), st.text("abcdefg", max_size=8))
def test_distance_is_zero_for_equal_words_only(left: str, right: str) -> None:
    assert (distance(left, right) == 0) == (left == right)


def test_distance_stops_at_its_limit() -> None:
    assert distance("abcdefgh", "stuvwxyz", 1.0) == float("inf")
    assert distance("state", "stae", 2.0) == distance("state", "stae")


def test_everyday_words_lead_to_documented_ones_and_not_back() -> None:
    thesaurus = Thesaurus(["delete, remove < erase, get rid of"], subjects=["kotlin"])
    assert thesaurus.synonyms("erasing") == {"delet", "remov"}
    assert thesaurus.synonyms("delete") == {"remov"}
    targets, length = thesaurus.phrase(["get", "rid", "of", "it"], known=lambda _: True)
    assert (set(targets), length) == ({"delet", "remov"}, 3)
    assert thesaurus.is_subject("Kotlin".lower())
    assert not thesaurus.is_subject("delete")


def test_fields_weigh_and_rare_terms_count_more() -> None:
    scheme = Scheme({"title": Field(5.0, 0.3), "body": Field(1.0, 0.6)}, k1=1.2)
    ranking = build(
        [{"title": ["alpha"], "body": ["common"]}, {"body": ["alpha", "common"]}, {"body": ["common"]}],
        scheme,
    )
    scores: dict[int, float] = {}
    ranking.score("alpha", scores, 1.0)
    assert scores[0] > scores[1]
    assert ranking.rarity("alpha") > ranking.rarity("common") > 0
    assert ranking.rarity("nowhere") == 0
