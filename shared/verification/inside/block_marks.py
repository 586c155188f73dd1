"""Gives each block of a module a statement that marks it as entered: `marks[7] = 1`.

It runs inside the sandbox beside a bot's code. The standard library is all it imports.
"""

import ast
from typing import NamedTuple

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Loop = ast.For | ast.AsyncFor | ast.While
_Try = ast.Try | ast.TryStar
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)


class Block(NamedTuple):
    """Lines that run together, counted from 1; `function` names the function that they are the whole of.

    `raises` says that they do no more than that. Where one that is `aside` never ran, nothing is missing: it
    is for type checkers or for another start.
    """

    first: int
    last: int
    function: str
    raises: bool
    is_aside: bool


def marked(source: bytes, *, marks: str) -> tuple[ast.Module, list[Block]]:
    """The module's tree with marks in it, and its blocks: each sets the mark of its number in a list.

    The list goes by the name `marks` wherever the module looks names up. Raises whatever the parser raises.
    """
    tree = ast.parse(source)
    marking = _Marking(marks)
    marking.follow(tree.body)
    return tree, marking.blocks


class _Marking:
    """Goes down a tree by its statements: expressions hold none, so lambdas and comprehensions stay whole."""

    def __init__(self, marks: str) -> None:
        self._marks = marks
        self.blocks: list[Block] = []

    def follow(self, statements: list[ast.stmt]) -> bool:
        """Marks what may be passed over in a block; whether the block may be left before its end."""
        may_leave = False
        # Going backwards, what is put in after a statement moves none that is still to come.
        for place, statement in reversed([*enumerate(statements)]):
            leaves = self._statement(statement)
            if leaves and _is_code(statements[place + 1 :]):
                self._enter(statements, place + 1)
            may_leave = may_leave or leaves
        return may_leave

    def _statement(self, statement: ast.stmt) -> bool:
        """Marks the blocks of a statement; whether what follows it may be passed over."""
        if isinstance(statement, _Function):
            self._function(statement)
        elif isinstance(statement, ast.ClassDef):
            self._class(statement)
        elif isinstance(statement, ast.If):
            return self._if(statement)
        elif isinstance(statement, _Loop):
            leaves = [self._block(statement.body), self._block(statement.orelse)]
            return any(leaves) or isinstance(statement, ast.While)
        elif isinstance(statement, _Try):
            return self._try(statement)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            return self.follow(statement.body)
        elif isinstance(statement, ast.Match):
            return any([self._block(case.body) for case in statement.cases])
        return isinstance(statement, _LEAVING)

    def _function(self, function: _Function) -> None:
        self.follow(function.body)
        start = 1 if _is_words(function.body[0]) else 0
        if _is_code(function.body):
            lines = (function.lineno, function.end_lineno or function.lineno)
            self._enter(function.body, start, lines=lines, function=function.name)

    def _class(self, statement: ast.ClassDef) -> None:
        # Its other blocks stay as they are: names are looked up in what a metaclass made for them.
        for one in statement.body:
            if isinstance(one, _Function | ast.ClassDef):
                self._statement(one)

    def _if(self, statement: ast.If) -> bool:
        is_aside = _is_aside(statement.test)
        leaves = self._block(statement.body, is_aside=is_aside)
        otherwise = statement.orelse
        if len(otherwise) == 1 and isinstance(otherwise[0], ast.If):
            return self._if(otherwise[0]) or leaves
        return self._block(otherwise, is_aside=is_aside) or leaves

    def _try(self, statement: _Try) -> bool:
        leaves = [
            self.follow(statement.body),
            *(self._block(handler.body) for handler in statement.handlers),
            self._block(statement.orelse),
            self.follow(statement.finalbody),
        ]
        return any(leaves)

    def _block(self, statements: list[ast.stmt], *, is_aside: bool = False) -> bool:
        leaves = self.follow(statements)
        if _is_code(statements):
            self._enter(statements, 0, is_aside=is_aside)
        return leaves

    def _enter(
        self,
        statements: list[ast.stmt],
        place: int,
        *,
        lines: tuple[int, int] | None = None,
        function: str = "",
        is_aside: bool = False,
    ) -> None:
        """Puts a mark before a statement, at that statement's own lines: traces stay as they are."""
        at, end = statements[place], statements[-1]
        first, last = lines or (at.lineno, end.end_lineno or end.lineno)
        marks, mark = ast.Name(self._marks, ast.Load()), ast.Constant(len(self.blocks))
        self.blocks.append(Block(first, last, function, isinstance(at, ast.Raise), is_aside))
        target = ast.Subscript(marks, mark, ast.Store())
        value = ast.Constant(1)
        entered = ast.Assign([target], value)
        nodes: tuple[ast.expr | ast.stmt, ...] = (entered, target, marks, mark, value)
        for one in nodes:
            one.lineno, one.col_offset = at.lineno, at.col_offset
            one.end_lineno, one.end_col_offset = at.end_lineno, at.end_col_offset
        statements.insert(place, entered)


def _is_code(statements: list[ast.stmt]) -> bool:
    """Whether there is something to run: no body of words, `...`, pass or a method left to others."""
    return not all(
        _is_words(one) or isinstance(one, ast.Pass) or _is_left_to_others(one) for one in statements
    )


def _is_words(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_left_to_others(statement: ast.stmt) -> bool:
    raised = statement.exc if isinstance(statement, ast.Raise) else None
    raised = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _is_aside(test: ast.expr) -> bool:
    """Whether a condition asks for a type checker, or by which way the module was started."""
    return any(
        (isinstance(one, ast.Name) and one.id in ("TYPE_CHECKING", "__name__"))
        or (isinstance(one, ast.Attribute) and one.attr == "TYPE_CHECKING")
        for one in ast.walk(test)
    )
