"""Trees of Python, made by many threads at once."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.one_parser import parse_one_at_a_time

SOURCE = Path(ast.__file__).read_text()


@pytest.fixture
def lets_others_in() -> Iterator[None]:
    """The garbage collector runs often, and what it calls gives way to other threads."""

    def gives_way(phase: str, info: dict[str, int]) -> None:
        sum(range(2_000))

    before, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.callbacks.append(gives_way)
    gc.set_threshold(50)
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*before)
    gc.callbacks.remove(gives_way)


@pytest.mark.usefixtures("lets_others_in")
def test_threads_do_not_fail_each_other_whoever_asks() -> None:
    parse_one_at_a_time()
    parse_one_at_a_time()
    literal = repr([[number] for number in range(2_000)])
    with ThreadPoolExecutor(4) as threads:
        trees = [threads.submit(ast.parse, SOURCE) for _ in range(8)]
        values = [threads.submit(ast.literal_eval, literal) for _ in range(8)]
        assert len({len(tree.result().body) for tree in trees}) == 1
        assert {len(value.result()) for value in values} == {2_000}


def test_what_cannot_be_parsed_is_told_as_ever() -> None:
    parse_one_at_a_time()
    with pytest.raises(SyntaxError) as told:
        ast.parse("def", "bot.py")
    assert told.value.filename == "bot.py"
