"""Collects the tests without the garbage collector, which would go over all of them again and again.

What was collected stays to the end: the collector leaves it out from then on.
"""

from __future__ import annotations

import gc

import pytest

gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """From the first test on, garbage is collected as ever."""
    gc.freeze()
    gc.enable()
