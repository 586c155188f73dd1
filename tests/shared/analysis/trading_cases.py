"""What a case of a trading rule is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A piece of code and the line at which its rule finds a fault, 0 when it is clean."""

    name: str
    rule: str
    line: int
    code: str
