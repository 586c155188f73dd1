"""A backtest as files of a session: the page, the result as JSON, the chart."""

from __future__ import annotations

import orjson

from shared.backtest.result import Backtest

REPORT, RESULT, CHART = "backtest/report.html", "backtest/result.json", "backtest/equity.png"


def backtest_files(backtest: Backtest, *, title: str) -> dict[str, bytes]:
    """The files by name; a bot that failed has no chart. Draws: call it in a thread."""
    from shared.backtest.chart import draw_backtest
    from shared.backtest.report import render_report

    chart = draw_backtest(backtest, title=title) if backtest.outcome is not None else None
    files = {
        REPORT: render_report(backtest, title=title, chart=chart),
        RESULT: orjson.dumps(backtest.form(), option=orjson.OPT_INDENT_2) + b"\n",
    }
    if chart is not None:
        files[CHART] = chart
    return files
