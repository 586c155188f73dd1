"""docs/operations.md has what alerts link to, names tests and blocks that are there, the prices of today."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from bench.load_report import BEGIN, END, growth_of, percentiles, write_between
from shared.limits.prices import LIST_PRICES
from shared.messages import Usage

# What alerts link to, and what they lead to.
RUNBOOKS = (
    *("error-rate", "turn-overhead", "dead-letters", "bridge-lag", "budget"),
    *("database-down", "object-store-down", "model-down", "stuck-turn", "disk-full"),
)
PARTS = ("**Symptom.**", "**Look.**", "**Do", "**Over when**")
# The examples of the page: one reply, and a bot built in one turn.
REPLY, BOT = Usage(input_tokens=4_700, output_tokens=300), Usage(input_tokens=60_000, output_tokens=6_000)


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "operations.md").read_text()


def _anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", RUNBOOKS)
def test_each_alert_has_a_whole_runbook(page: str, name: str) -> None:
    found = re.search(rf"^### {name}\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    places = [found[1].find(part) for part in PARTS]
    assert min(places) >= 0, (name, places)
    assert places == sorted(places)


def test_links_lead_to_headings_and_pages_that_are_there(page: str, repository: Path) -> None:
    links = re.findall(r"\]\(([^)#]*)(?:#([\w-]+))?\)", page)
    assert len(links) > 20
    # Pages that come with the containers and with Terraform.
    for target, anchor in links:
        path = repository / "docs" / target if target else repository / "docs" / "operations.md"
        assert path.exists(), target
        assert not anchor or anchor in _anchors(path.read_text()), (target, anchor)


def test_tests_that_it_names_are_there(page: str, repository: Path) -> None:
    for name in set(re.findall(r"`(tests/[\w/]+\.py)`", page)):
        assert (repository / name).exists(), name
    named = set(re.findall(r"\b(test_\w+)`", page)) - {"test_upgrade"}
    defined = {
        name
        for file in (repository / "tests").rglob("*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert named <= defined, named - defined


def test_every_block_under_a_mark_is_run_by_a_test(page: str, repository: Path) -> None:
    marks = re.findall(r"<!-- tried: ([\w-]+) -->", page)
    tests = "".join(file.read_text() for file in (repository / "tests").rglob("test_*.py"))
    assert len(marks) >= 6
    assert [mark for mark in marks if f'run_commands("{mark}"' not in tests] == []


def test_the_prices_are_those_of_the_code(page: str) -> None:
    rows = re.findall(r"^\| `(gemini-[\w.-]+)` \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", page, re.MULTILINE)
    assert {row[0] for row in rows} == set(LIST_PRICES)
    for name, asked, said, reply, bot in rows:
        price = LIST_PRICES[name]
        assert (Decimal(asked), Decimal(said)) == (price.input, price.output)
        for told, usage in ((reply, REPLY), (bot, BOT)):
            micros = price.micros(usage)
            assert abs(Decimal(told) - Decimal(micros) / 10**6) < Decimal("0.0001"), (name, micros)


def test_the_load_run_writes_between_its_marks(tmp_path: Path, page: str) -> None:
    assert page.count(BEGIN) == page.count(END) == 1
    copy = tmp_path / "page.md"
    copy.write_text(page)
    write_between(copy, "new figures")
    written = copy.read_text()
    assert f"{BEGIN}\n\nnew figures\n\n{END}" in written
    assert written.partition(BEGIN)[0] == page.partition(BEGIN)[0]
    assert written.partition(END)[2] == page.partition(END)[2]
    copy.write_text("nothing here")
    with pytest.raises(ValueError, match="no place"):
        write_between(copy, "x")


def test_a_leak_is_told_from_a_cache_that_fills() -> None:
    seconds = [10.0 * number for number in range(60)]
    fills = [100 + min(number, 20) * 2.0 for number in range(60)]
    leaks = [100 + number * 0.5 for number in range(60)]
    noisy = [140 + (number % 5) for number in range(60)]
    assert not growth_of("tools: memory", seconds, fills).grows
    assert growth_of("tools: memory", seconds, leaks).grows
    assert not growth_of("tools: memory", seconds, noisy).grows
    assert growth_of("database connections", seconds, [20 + number * 0.4 for number in range(60)]).grows
    assert growth_of("outbox waiting", seconds, [float(number) for number in range(60)]).grows


def test_percentiles_are_of_all_and_in_milliseconds() -> None:
    found = percentiles([number / 1000 for number in range(1, 101)])
    assert (found["count"], found["most"]) == (100, 100.0)
    assert 50 <= found["p50"] <= 51
    assert 95 <= found["p95"] <= 96
    assert percentiles([0.25])["p99"] == 250.0
