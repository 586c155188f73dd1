"""Whatever a model or a caller sends as arguments: a tool gives a result or a clear error, never a defect.

Every tool runs over a real store and real artifacts; no host name resolves, so nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from shared.messages import ToolResult
from shared.tools.port import Tool
from shared.tools.registry import TOOLS
from tests.shared.tools.schema_arguments import mutated, valid
from tests.shared.tools.tool_bench import ToolBench, tool_bench

CANDLES = "time,open,high,low,close,volume\n" + "".join(
    f"{1_700_000_000_000 + hour * 3_600_000},{100 + hour % 7},{108 + hour % 7},{95},{101 + hour % 5},{hour}\n"
    for hour in range(120)
)
FILES: dict[str, str | bytes] = {
    "main.py": "import os\n\n\ndef run(config):\n    return config['size']\n",
    "prices.csv": CANDLES,
    "chart.png": b"\x89PNG\r\n\x1a\n\xff\x00",
    "empty.txt": "",
}
FUZZ = settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Fuzzed:
    """One tool over one session, called from plain functions."""

    def __init__(self, runner: asyncio.Runner, bench: ToolBench, tool: Tool) -> None:
        self._runner, self._bench, self._tool = runner, bench, tool

    @property
    def schema(self) -> dict[str, Any]:
        return self._tool.spec.input_schema

    def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """The result, whose form is that of the contract."""
        result = self._runner.run(self._bench.call(self._tool.name, arguments))
        if result.error is None:
            assert result.status == "ok"
            jsonschema.validate(result.result, self._tool.spec.output_schema)
            json.dumps(result.result, allow_nan=False)
        else:
            assert result.status == "error"
            assert result.error.code not in ("internal_error", "timeout"), (arguments, result.error)
            assert result.error.message.strip()
        return result


@pytest.fixture(params=TOOLS, ids=lambda tool: tool.name)
def fuzzed(request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str) -> Iterator[Fuzzed]:
    tool: Tool = request.param
    with asyncio.Runner() as runner:
        opening = tool_bench(tmp_path, sqlite_url, (tool,))
        bench = runner.run(opening.__aenter__())
        for filename, content in FILES.items():
            runner.run(bench.save(filename, content))
        yield Fuzzed(runner, bench, tool)
        runner.run(opening.__aexit__(None, None, None))


def test_arguments_that_fit_the_schema(fuzzed: Fuzzed) -> None:
    @FUZZ
    @given(valid(fuzzed.schema))
    def call(arguments: dict[str, Any]) -> None:
        fuzzed(arguments)

    call()


def test_arguments_with_one_thing_wrong(fuzzed: Fuzzed) -> None:
    @FUZZ
    @given(mutated(fuzzed.schema))
    def call(arguments: dict[str, Any]) -> None:
        fuzzed(arguments)

    call()
