"""The marks in a module: what never ran is told by its lines, and the module stays what it was."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any

import pytest

from shared.tools.create_bot_template import _read_parameters
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.render import Bot, render_bot
from shared.verification.inside.block_marks import Block, marked

MARKS = "_marks_"


def _run(source: str) -> tuple[dict[str, Any], list[Block]]:
    """The names that a module leaves, and its blocks that never ran."""
    tree, blocks = marked(dedent(source).encode(), marks=MARKS)
    marks = [0] * len(blocks)
    names: dict[str, Any] = {MARKS: marks, "__name__": __name__}
    exec(compile(tree, "module.py", "exec", dont_inherit=True), names)
    return names, [block for block, mark in zip(blocks, marks, strict=True) if not mark]


_CASES = {
    "a branch": ("x = 1\nif x > 1:\n    x = 2\n    x = 3\n", [(3, 4)]),
    "an else": ("x = 1\nif x:\n    x = 2\nelse:\n    x = 3\n", [(5, 5)]),
    "an elif": ("x = 1\nif not x:\n    x = 2\nelif x:\n    x = 3\nelse:\n    x = 4\n", [(3, 3), (7, 7)]),
    "one line": ("x = 1\nif not x: x = 2\n", [(2, 2)]),
    "a loop": ("for x in ():\n    x = 1\nelse:\n    x = 2\n", [(2, 2)]),
    "a loop's else": ("for x in (1,):\n    break\nelse:\n    x = 2\n", [(4, 4)]),
    "a while": ("x = 0\nwhile x:\n    x = 1\n", [(3, 3)]),
    "a handler": ("try:\n    x = 1\nexcept KeyError:\n    x = 2\nelse:\n    x = 3\n", [(4, 4)]),
    "a try's else": (
        "try:\n    {}[1]\nexcept KeyError:\n    x = 2\nelse:\n    x = 3\nfinally:\n    x = 4\n",
        [(6, 6)],
    ),
    "a group's handler": ("try:\n    x = 1\nexcept* KeyError:\n    x = 2\n", [(4, 4)]),
    "a case": ("match 1:\n    case 1:\n        x = 1\n    case _:\n        x = 2\n", [(5, 5)]),
    "in a with": (
        "import contextlib\nwith contextlib.suppress(KeyError):\n    if []:\n        x = 1\n",
        [(4, 4)],
    ),
    "after a return": (
        "def f():\n    if 1:\n        return 1\n    x = 1\n    for y in ():\n        x = 2\nf()\n",
        [(4, 6), (6, 6)],
    ),
    "after a continue": ("for x in (1,):\n    if x:\n        continue\n    x = 2\n", [(4, 4)]),
    "after a try that returns": (
        "def f():\n    try:\n        return 1\n    finally:\n        x = 1\n    return 2\nf()\n",
        [(6, 6)],
    ),
    "a function": ("def f():\n    '''Words.'''\n    return 1\n", [(1, 3, "f")]),
    "a decorated method": (
        "class A:\n    @staticmethod\n    def f():\n        return 1\n    def g(self): return 2\nA().g()\n",
        [(3, 4, "f")],
    ),
    "a generator that nobody reads": ("def f():\n    yield 1\nf()\n", [(1, 2, "f")]),
    "an async function": ("async def f():\n    return 1\n", [(1, 2, "f")]),
    "in a function's function": ("def f():\n    def g():\n        return 1\nf()\n", [(2, 3, "g")]),
    "nothing to run": (
        "def f(): ...\ndef g():\n    '''Words.'''\ndef h():\n    pass\n"
        "def i():\n    raise NotImplementedError('later')\n"
        "def j():\n    '''Words.'''\n    raise NotImplementedError\n",
        [],
    ),
    "after the last kind": (
        "def f(x):\n    if x:\n        return 1\n    raise NotImplementedError(x)\nf(1)\n",
        [],
    ),
    "an empty handler": ("try:\n    x = 1\nexcept KeyError:\n    pass\n", []),
    "a lambda, a comprehension": ("f = lambda: 1\nx = [y for y in ()]\n", []),
    "a class body": ("class A:\n    if []:\n        x = 1\n", []),
}


@pytest.mark.parametrize(("source", "idle"), _CASES.values(), ids=_CASES)
def test_what_never_ran_is_told_by_its_lines(source: str, idle: list[tuple[Any, ...]]) -> None:
    _, blocks = _run(source)
    assert sorted(block[: len(one)] for block, one in zip(sorted(blocks), idle, strict=True)) == idle
    assert all(block.function == "" for block, one in zip(sorted(blocks), idle, strict=True) if len(one) == 2)


def test_refusals_are_known_and_what_is_for_others_is_set_aside() -> None:
    _, blocks = _run(
        """\
        from typing import TYPE_CHECKING
        import typing
        if TYPE_CHECKING:
            from collections import OrderedDict
        if typing.TYPE_CHECKING and 1:
            import json
        if "__main__" == __name__:
            print("started")
        if []:
            raise ValueError("x")
        """
    )
    told = [(block.first, block.raises, block.is_aside) for block in sorted(blocks)]
    assert told == [(4, False, True), (6, False, True), (8, False, True), (10, True, False)]


def test_a_module_is_what_it_was() -> None:
    names, idle = _run(
        """\
        '''Words.'''
        from __future__ import annotations
        import enum
        from dataclasses import dataclass

        COUNT = 0

        @dataclass
        class Point:
            '''A point.'''
            x: int = 1

            def __private(self): return self.x
            def moved(self):
                '''Moves.'''
                global COUNT
                COUNT += 1
                def inner():
                    nonlocal_free = self.__private()
                    return nonlocal_free
                return inner()

        class Colour(enum.Enum):
            RED = 1
            def word(self):
                return self.name.lower()

        def line():
            import sys
            x = 1
            if x:
                return sys._getframe().f_lineno
        told = [Point().moved(), Colour.RED.word(), COUNT, line()]
        """
    )
    assert idle == []
    assert names["told"] == [1, "red", 1, 32]
    assert names["__doc__"] == "Words."
    assert names["Point"].moved.__doc__ == "Moves."
    assert names["Point"].__annotations__ == {"x": "int"}
    assert names["Point"].moved.__code__.co_varnames == ("self", "inner")


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_template_can_be_marked(name: str) -> None:
    strategy = STRATEGIES[name]
    bot = Bot(name="a-bot", strategy=strategy, parameters=_read_parameters(strategy, {}), bot_type="realtime")
    for file, data in render_bot(bot).items():
        if file.endswith(".py") and not file.startswith("tests/"):
            tree, blocks = marked(data, marks=MARKS)
            compile(tree, file, "exec", dont_inherit=True)
            lines = len(data.splitlines())
            assert all(1 <= block.first <= block.last <= lines for block in blocks)
            # Nothing but the marks was put in.
            assert _without_marks(tree) == ast.dump(ast.parse(data))


def _without_marks(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            if isinstance(statements := getattr(node, field, None), list):
                setattr(node, field, [one for one in statements if not _is_mark(one)])
    return ast.dump(tree)


def _is_mark(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Assign)
        and isinstance(target := node.targets[0], ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id == MARKS
    )
