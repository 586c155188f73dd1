"""Orders that no `live_trading` switch holds back."""

from __future__ import annotations

from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.guards import LiveGuards
from shared.analysis.python.trading.names import called, finding
from shared.analysis.python.trading.orders import order_calls
from shared.analysis.report import Finding


def live_guard(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each order that is placed whether live trading was asked for or not."""
    live = LiveGuards(files)
    for call in order_calls(files):
        if not live.guards(call):
            yield finding(
                call.file,
                call.node,
                rule="no-live-guard",
                severity="medium",
                message=f"{called(call.node)} is reached without a check that live trading was asked for.",
                advice="Place orders only if config['live_trading'] is true, and log the intent otherwise.",
            )
