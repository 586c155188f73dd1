"""Look-ahead by a window centred on its row: `.rolling(n, center=True)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import argument, calls, finding
from shared.analysis.report import Finding


def centred_window(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each rolling window whose second half lies in the future."""
    for file in files:
        for call in calls(file, "rolling"):
            centre = argument(call, None, "center")
            if isinstance(centre, ast.Constant) and centre.value is True:
                yield finding(
                    file,
                    call,
                    rule="look-ahead-centred-window",
                    severity="high",
                    message="A centred window averages over rows that come after its own.",
                    advice="Leave center out: the window then ends at its row.",
                )
