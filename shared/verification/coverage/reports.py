"""Reads what a run wrote down of its own code, by the runtime's reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from shared.sandbox.port import Runtime
from shared.verification.coverage.blocks import places_of_blocks
from shared.verification.coverage.places import Place, told
from shared.verification.coverage.v8 import places_of_v8

COVERAGE_FOLDER = "coverage"
_READERS: dict[Runtime, Callable[[bytes, Mapping[str, bytes]], Iterator[Place]]] = {
    "python": places_of_blocks,
    "node": places_of_v8,
}


def never_ran(
    written: Mapping[str, bytes], files: Mapping[str, bytes], *, runtime: Runtime
) -> tuple[str, ...]:
    """Places of the bot's files as `strategy.js:12-14`, with the name of a function that was never called.

    A file that was never loaded is not among them. Empty where nothing was written that can be read.
    """
    found: set[Place] = set()
    for name, data in written.items():
        if not name.startswith(f"{COVERAGE_FOLDER}/"):
            continue
        try:
            found.update(_READERS[runtime](data, files))
        # It lies where the bot may write, so it may hold anything.
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return told(found)
