"""Terraform files as `syntax` has them, by python-hcl2's grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError

from infra.checks.hcl.syntax import (
    Block,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    ObjectOf,
    Operation,
    Splat,
    Template,
)
from infra.checks.problem import ConfigurationProblem

Node: TypeAlias = "Tree[Token] | Token"

_QUIET = {"new_line_or_comment"}
_SIGNS = {"[", "]", "{", "}", "(", ")", ",", ".", "=", ":", '"', "?", "=>", "for", "in", "if", "${"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_LITERALS = {"true": True, "false": False, "null": None}


def parse_file(path: Path, shown: str) -> Block:
    """A file as one block of kind `file`; `shown` is its name in problems."""
    return parse_text(path.read_text(encoding="utf-8"), shown)


@cache
def parse_text(text: str, shown: str) -> Block:
    """Terraform's text as one block of kind `file`; nobody changes what it gives.

    Raises:
        ConfigurationProblem: it cannot be read.
    """
    try:
        tree = hcl2.parses_to_tree(text if text.endswith("\n") else text + "\n")
    except LarkError as error:
        line = getattr(error, "line", 0)
        raise ConfigurationProblem(f"{shown}:{line}", "cannot be read as Terraform's language") from error
    block = Block(kind="file", labels=(), where=shown)
    _fill(block, _only(tree.children), shown)
    return block


def _fill(block: Block, body: Tree[Token], shown: str) -> None:
    for node in _trees(body):
        where = f"{shown}:{node.meta.line}"
        if node.data == "attribute":
            name, value = _text(node.children[0]), _parts(node)[-1]
            if name in block.attributes:
                raise ConfigurationProblem(where, f"{name} is set twice")
            block.attributes[name] = _expression(value, where)
            block.places[name] = where
        else:
            *labels, inner = _parts(node)
            words = [_label(label) for label in labels]
            made = Block(kind=words[0], labels=tuple(words[1:]), where=where)
            assert isinstance(inner, Tree)
            _fill(made, inner, shown)
            block.blocks.append(made)


def _expression(node: Node, where: str) -> Expression:
    if isinstance(node, Token):
        raise ConfigurationProblem(where, f"unexpected {node}")
    data = str(node.data)
    if data == "expr_term":
        return _expression(_parts(node)[-1], where)
    reader = _READERS.get(data)
    if reader is None:
        raise ConfigurationProblem(where, f"the checks do not read {data.replace('_', ' ')}s")
    return reader(node, where)


def _identifier(node: Tree[Token], where: str) -> Expression:
    return Name(_text(node))


def _literal(node: Tree[Token], where: str) -> Expression:
    return Literal(_LITERALS[_text(node)])


def _number(node: Tree[Token], where: str) -> Expression:
    text = _text(node)
    return Literal(int(text) if re.fullmatch(r"-?\d+", text) else float(text))


def _string(node: Tree[Token], where: str) -> Expression:
    parts: list[Expression] = []
    for part in _trees(node):
        (inner,) = part.children
        if isinstance(inner, Token):
            parts.append(Literal(_unescaped(inner)))
        elif inner.data == "interpolation":
            parts.append(_expression(_parts(inner)[-1], where))
        else:
            raise ConfigurationProblem(
                where, "the checks do not read %{ } in strings: take join() and a for expression"
            )
    return _template(parts)


def _template(parts: list[Expression]) -> Expression:
    if not parts:
        return Literal("")
    if all(isinstance(part, Literal) and isinstance(part.value, str) for part in parts):
        return Literal("".join(str(part.value) for part in parts if isinstance(part, Literal)))
    return Template(tuple(parts))


def _heredoc(node: Tree[Token], where: str) -> Expression:
    first, *lines = _text(node).rstrip("\r\n").split("\n")
    lines = lines[:-1]
    if first.startswith("<<-"):
        margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        lines = [line[margin:] for line in lines]
    text = "".join(line + "\n" for line in lines)
    if re.search(r"(?<!%)%\{", text):
        raise ConfigurationProblem(where, "the checks do not read %{ } in texts")
    return _template(list(_interpolated(text, where)))


def _interpolated(text: str, where: str) -> Iterator[Expression]:
    start = 0
    while (found := re.compile(r"(?<!\$)\$\{").search(text, start)) is not None:
        yield Literal(text[start : found.start()].replace("$${", "${"))
        end, depth = found.end(), 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        inner = parse_text(f"x = {text[found.end() : end - 1]}", where)
        yield inner.attributes["x"]
        start = end
    yield Literal(text[start:].replace("$${", "${"))


def _tuple(node: Tree[Token], where: str) -> Expression:
    return ListOf(tuple(_expression(part, where) for part in _parts(node)))


def _object(node: Tree[Token], where: str) -> Expression:
    pairs = []
    for element in _parts(node):
        assert isinstance(element, Tree)
        key, value = _parts(element)
        pairs.append((_key(key, where), _expression(value, where)))
    return ObjectOf(tuple(pairs))


def _key(node: Node, where: str) -> Expression:
    assert isinstance(node, Tree)
    (inner,) = node.children
    if isinstance(inner, Tree) and inner.data == "expr_term":
        # `(name)` is a reference, `name` a word.
        (word, *others) = inner.children
        if not others and isinstance(word, Tree) and word.data in {"identifier", "literal_value"}:
            return Literal(_text(word))
    return Literal(_text(inner)) if _is(inner, "keyword") else _expression(inner, where)


def _call(node: Tree[Token], where: str) -> Expression:
    name, *rest = _parts(node)
    arguments = rest[0].children if rest and isinstance(rest[0], Tree) else []
    spread = any(str(each) == "..." for each in arguments if isinstance(each, Token))
    given = [each for each in arguments if isinstance(each, Tree) and each.data not in _QUIET]
    return Call(_text(name), tuple(_expression(each, where) for each in given), spread)


def _index(node: Tree[Token], where: str) -> Expression:
    of, index = _parts(node)
    assert isinstance(index, Tree)
    key = _parts(index)[-1] if index.data == "braces_index" else index.children[-1]
    if isinstance(key, Token):
        return Index(_expression(of, where), Literal(int(key)))
    return Index(_expression(of, where), _expression(key, where))


def _member(node: Tree[Token], where: str) -> Expression:
    of, member = _parts(node)
    assert isinstance(member, Tree)
    return Member(_expression(of, where), _text(_parts(member)[-1]))


def _splat(node: Tree[Token], where: str) -> Expression:
    of, steps = _parts(node)
    assert isinstance(steps, Tree)
    members = [each for each in steps.children if isinstance(each, Tree)]
    return Splat(_expression(of, where), tuple(_text(_parts(each)[-1]) for each in members))


def _for(node: Tree[Token], where: str) -> Expression:
    intro, *rest = _parts(node)
    assert isinstance(intro, Tree)
    *names, source = _parts(intro)
    conditions = [each for each in rest if _is(each, "for_cond")]
    values = [each for each in rest if isinstance(each, Tree) and not _is(each, "for_cond")]
    condition = _expression(_parts(conditions[0])[-1], where) if conditions else None
    return For(
        names=tuple(_text(name) for name in names),
        source=_expression(source, where),
        key=_expression(values[0], where) if len(values) == 2 else None,
        value=_expression(values[-1], where),
        condition=condition,
        grouped=any(isinstance(each, Token) and str(each) == "..." for each in node.children),
    )


def _conditional(node: Tree[Token], where: str) -> Expression:
    condition, then, otherwise = (_expression(part, where) for part in _parts(node))
    return Conditional(condition, then, otherwise)


def _binary(node: Tree[Token], where: str) -> Expression:
    left, term = _parts(node)
    operator, right = _parts(term)
    return Operation(_text(operator).split()[-1], _expression(left, where), _expression(right, where))


def _unary(node: Tree[Token], where: str) -> Expression:
    operator, right = node.children
    return Operation(str(operator), None, _expression(right, where))


_READERS: dict[str, Callable[[Tree[Token], str], Expression]] = {
    "identifier": _identifier,
    "literal_value": _literal,
    "int_lit": _number,
    "float_lit": _number,
    "string": _string,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "tuple": _tuple,
    "object": _object,
    "function_call": _call,
    "index_expr_term": _index,
    "get_attr_expr_term": _member,
    "attr_splat_expr_term": _splat,
    "full_splat_expr_term": _splat,
    "for_tuple_expr": _for,
    "for_object_expr": _for,
    "conditional": _conditional,
    "binary_op": _binary,
    "unary_op": _unary,
}


def _is(node: Node, data: str) -> bool:
    return isinstance(node, Tree) and node.data == data


def _only(nodes: list[Node]) -> Tree[Token]:
    return next(node for node in nodes if isinstance(node, Tree) and node.data not in _QUIET)


def _trees(node: Tree[Token]) -> list[Tree[Token]]:
    return [each for each in node.children if isinstance(each, Tree) and each.data not in _QUIET]


def _parts(node: Node) -> list[Node]:
    assert isinstance(node, Tree)
    return [
        each
        for each in node.children
        if not (isinstance(each, Tree) and each.data in _QUIET)
        and not (isinstance(each, Token) and str(each).strip() in _SIGNS)
    ]


def _label(node: Node) -> str:
    return _text(node).strip('"')


def _text(node: Node) -> str:
    if isinstance(node, Token):
        return str(node)
    return "".join(_text(each) for each in node.children if not _is(each, "new_line_or_comment"))


def _unescaped(text: str) -> str:
    text = text.replace("$${", "${").replace("%%{", "%{")
    return re.sub(r'\\([ntr"\\])', lambda found: _ESCAPES[found[1]], text)
