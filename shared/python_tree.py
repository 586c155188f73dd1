"""Python's syntax trees, parsed by one thread at a time.

CPython 3.11 counts the depth of all trees that are being made in one place (`Parser/asdl_c.py`): where the
garbage collector lets another thread in amid one, either may fail with a SystemError, "AST constructor
recursion depth mismatch". A bot is analysed and verified at the same time, each in a thread.
"""

from __future__ import annotations

import ast
import threading

_PARSING = threading.Lock()
_TRIES = 20


def python_tree(source: str | bytes) -> ast.Module:
    """The tree of a module; bytes are read by their coding line.

    Raises:
        SyntaxError, ValueError, LookupError, RecursionError, MemoryError: as `ast.parse`.
    """
    with _PARSING:
        for _ in range(_TRIES):
            try:
                return ast.parse(source)
            except SystemError:
                # A library of ours parses in another thread, without this lock.
                continue
        return ast.parse(source)
