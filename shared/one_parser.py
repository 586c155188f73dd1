"""Python's own parser makes the tree of one source at a time in this process.

CPython 3.11 counts the depth of all trees that are being made in one place (`Parser/asdl_c.py`, gh-106905):
where the garbage collector lets another thread in amid one, either may fail with a SystemError, "AST
constructor recursion depth mismatch". Here a bot is analysed in one thread while another reads which packages
the sandbox shows it, and a third draws a chart: `packaging` and matplotlib parse too, by `ast.literal_eval`.
So the lock is on the one door that all of them use.
"""

from __future__ import annotations

import ast
import threading
from typing import Any

# Entered again by the same thread where the garbage collector's own work parses.
_PARSING = threading.RLock()
_parse = ast.parse


def parse_one_at_a_time() -> None:
    """Makes `ast.parse` of this process wait for its turn; before threads parse, and any number of times."""
    ast.parse = _parse_in_turn


def _parse_in_turn(*arguments: Any, **options: Any) -> Any:
    with _PARSING:
        return _parse(*arguments, **options)
