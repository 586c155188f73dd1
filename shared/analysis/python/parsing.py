"""Python text to a syntax tree that is safe to walk, or the findings that say why not.

CPython 3.11 refuses deep nesting with an exception instead of exhausting the C stack; these limits are
lower, so that the checks behind, which recurse over the tree and hold the interpreter's lock, stay quick and
within the recursion limit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.analysis.refusals import syntax_error, too_big, unchecked
from shared.analysis.report import Finding
from shared.analysis.source import SourceFile

MAX_DEPTH = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonFile:
    """A file that parses: `nodes` are all nodes of the tree, `parents` maps each to the node around it."""

    name: str
    text: str = field(repr=False)
    is_test: bool
    tree: ast.Module = field(repr=False)
    parents: dict[ast.AST, ast.AST] = field(repr=False)
    nodes: tuple[ast.AST, ...] = field(repr=False)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around `node`, from the inside out."""
        parent = self.parents.get(node)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent)


def parse(source: SourceFile) -> PythonFile | Finding:
    """The file with its tree, or the finding that says why it cannot be checked."""
    refused = too_big(source)
    if refused is not None:
        return refused
    try:
        # As bytes: Python reads a file by its coding line, and so must we.
        tree = ast.parse(source.text.encode("utf-8"))
    except SyntaxError as error:
        return syntax_error(source.name, error.msg, error.lineno, error.offset)
    except UnicodeError:
        return syntax_error(source.name, "the text is not valid in its encoding", None, None)
    except (ValueError, LookupError) as error:
        return syntax_error(source.name, str(error), None, None)
    except (RecursionError, MemoryError):
        return _unchecked(source, "the code is nested too deeply to be read")
    parents = _parents(tree)
    if parents is None:
        return _unchecked(source, f"the code is nested over {MAX_DEPTH} levels deep")
    return PythonFile(
        name=source.name,
        text=source.text,
        is_test=source.is_test,
        tree=tree,
        parents=parents,
        nodes=(tree, *parents),
    )


def _parents(tree: ast.Module) -> dict[ast.AST, ast.AST] | None:
    """The parent of every node, None when the tree is over MAX_DEPTH deep; found without recursion."""
    parents: dict[ast.AST, ast.AST] = {}
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        below: list[ast.AST] = []
        for node in level:
            children = list(ast.iter_child_nodes(node))
            parents.update((child, node) for child in children)
            below.extend(children)
        if not below:
            return parents
        level = below
    return None


def _unchecked(source: SourceFile, reason: str) -> Finding:
    return unchecked(source.name, reason)
