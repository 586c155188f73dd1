"""Trees of Python, made by many threads at once."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.python_tree import python_tree

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
def test_threads_do_not_fail_each_other() -> None:
    with ThreadPoolExecutor(4) as threads:
        trees = list(threads.map(python_tree, [SOURCE] * 12))
    assert {len(tree.body) for tree in trees} == {len(trees[0].body)}
