"""The tool analyze_code: what it analyses, what it refuses, and that its answer fits a prompt."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from shared.clock import utc_now
from shared.keys import ArtifactKey, SessionKey
from shared.messages import ToolCall, ToolResult
from shared.settings import Settings
from shared.tools.analyze_code import MAX_BYTES, analyze_code
from shared.tools.port import ToolServices
from shared.tools.runner import LocalToolRunner
from tests.shared.tools.session_files import SessionFiles

SESSION = SessionKey(user_id="u", session_id="s")
ORDER = (
    'def place(exchange, amount):\n    return exchange.create_order("BTC/USDT", "market", "buy", amount)\n'
)
MAIN = """from orders import place


def run(config, exchange):
    if not config["live_trading"]:
        return None
    return place(exchange, min(1, config["max_position"]))
"""


class NoHosts:
    """A resolver for a tool that opens no connection."""

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        raise OSError(host)

    def is_allowed(self, address: str) -> bool:
        return False


class Bench:
    """The tool, run as the agent runs it, over one session's files."""

    def __init__(self) -> None:
        self.files = SessionFiles()
        services = ToolServices(artifacts=self.files, settings=Settings(), resolver=NoHosts(), clock=utc_now)
        self.runner = LocalToolRunner(tools=(analyze_code,), services=services)

    async def save(self, **files: str | bytes) -> None:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            key = ArtifactKey(session=SESSION, filename=name.replace("__", "/").replace("_dot_", "."))
            await self.files.save(key=key, data=data)

    async def run(self, session: SessionKey | None = SESSION, **arguments: Any) -> ToolResult:
        call = ToolCall(id="c1", name="analyze_code", arguments=arguments)
        return await self.runner.run(call=call, session=session)

    async def report(self, **arguments: Any) -> dict[str, Any]:
        result = await self.run(**arguments)
        assert result.status == "ok", result.error
        return dict(result.result)

    async def refusal(self, session: SessionKey | None = SESSION, **arguments: Any) -> str:
        result = await self.run(session, **arguments)
        assert result.error is not None
        assert result.error.code == "invalid_arguments"
        return result.error.message


async def test_given_code_is_analysed_without_a_session() -> None:
    result = await Bench().run(None, code="print(eval(input()))\n", filename="main.py")
    report = result.result
    assert report["quality_score"] == 70
    assert (report["language"], report["files"], report["skipped"], report["omitted"]) == (
        "python",
        ["main.py"],
        [],
        0,
    )
    assert report["findings"] == [
        {
            "category": "security",
            "severity": "high",
            "file": "main.py",
            "line": 1,
            "column": 7,
            "rule": "B307",
            "message": report["findings"][0]["message"],
            "advice": report["findings"][0]["advice"],
        }
    ]
    assert [(i["file"], i["line"], i["rule"]) for i in report["security_issues"]] == [("main.py", 1, "B307")]
    assert report["metrics"] == {"lines": 1, "functions": 0, "max_complexity": 0, "maintainability": 100.0}


async def test_code_without_a_name_goes_by_the_languages_own() -> None:
    bench = Bench()
    assert (await bench.report(code="x = 1\n"))["files"] == ["snippet.py"]
    assert (await bench.report(code="x = 1\n", language="Python", filename="bot"))["files"] == ["bot.py"]


async def test_a_syntax_error_is_a_result() -> None:
    report = await Bench().report(code="def f(:\n")
    assert (report["quality_score"], report["findings"][0]["rule"]) == (0, "syntax-error")


async def test_a_saved_file_is_analysed_by_name() -> None:
    bench = Bench()
    await bench.save(orders_dot_py=ORDER, main_dot_py=MAIN)
    report = await bench.report(filename="orders.py")
    assert report["files"] == ["orders.py"]
    assert {f["rule"] for f in report["findings"]} == {"no-live-guard", "no-position-limit"}


async def test_the_whole_bot_is_analysed_together() -> None:
    bench = Bench()
    leak = "api_secret: kJ8sHd72hSkq01LLmznQpw8aQvT4Ue\n"
    await bench.save(
        orders_dot_py=ORDER, main_dot_py=MAIN, README_dot_md="# Bot\n", tests__test_a_dot_py="assert 1\n"
    )
    report = await bench.report()
    assert report["files"] == ["main.py", "orders.py", "tests/test_a.py"]
    assert (report["file_count"], report["quality_score"], report["findings"]) == (3, 100, [])
    await bench.files.save(key=ArtifactKey(session=SESSION, filename="bot-config.yaml"), data=leak.encode())
    report = await bench.report()
    assert (report["quality_score"], report["skipped"]) == (40, ["bot-config.yaml"])
    assert "kJ8sHd72" not in json.dumps(report)


@pytest.mark.parametrize("language", ["ruby", "rust"])
async def test_an_unsupported_language_says_what_is_supported(language: str) -> None:
    message = await Bench().refusal(code="let x = 1", language=language)
    assert language in message
    assert "supported: python" in message


async def test_a_name_of_another_language_is_refused() -> None:
    bench = Bench()
    assert "supported: python" in await bench.refusal(code="let x = 1", filename="index.rs")
    await bench.save(index_dot_rs="let x = 1\n")
    assert "supported: python" in await bench.refusal(filename="index.rs")
    assert "python" in await bench.refusal()


async def test_refusals_say_what_to_do_next() -> None:
    bench = Bench()
    assert "session_id" in await bench.refusal(None)
    assert "list_artifacts" in await bench.refusal(filename="none.py")
    assert "leave it out" in await bench.refusal(code="  \n")
    assert "valid Unicode" in await bench.refusal(code='x = "\ud800"')
    await bench.save(bad_dot_py=b"\xff\xfe\x00")
    assert "UTF-8" in await bench.refusal(filename="bad.py")


async def test_sizes_have_limits() -> None:
    bench = Bench()
    line = f'x = "{"a" * 1000}"\n'
    assert (await bench.report(code=line * 200))["quality_score"] == 100
    assert f"{MAX_BYTES:,}" in await bench.refusal(code="#" * (MAX_BYTES + 1))
    for number in range(5):
        await bench.files.save(
            key=ArtifactKey(session=SESSION, filename=f"part{number}.py"),
            data=f"# {number}\n".encode() + b"#" * 250_000,
        )
    assert "filename" in await bench.refusal()


async def test_a_flood_of_findings_fits_a_prompt_and_is_counted() -> None:
    bench = Bench()
    name = "a_folder_with_a_long_name/" * 4
    code = "import os\nprint(eval(input()))\nprint(missing)\ntry:\n    x = 1\nexcept:\n    pass\n" * 60
    for number in range(8):
        await bench.files.save(
            key=ArtifactKey(session=SESSION, filename=f"{name}{number}.py"),
            data=f"n = {number}\n{code}".encode(),
        )
    report = await bench.report()
    assert len(json.dumps(report)) < 7000
    assert report["omitted"] > 100
    assert 5 <= len(report["findings"]) <= 50
    assert report["findings"][0]["severity"] == "high"
    assert report["file_count"] == 8


async def test_javascript_and_typescript_are_analysed_with_their_fixes() -> None:
    bench = Bench()
    report = await bench.report(code="let a = 1;\nconsole.log(a);\n", filename="index.ts")
    assert (report["language"], report["files"], report["quality_score"]) == ("typescript", ["index.ts"], 100)
    assert report["findings"][0]["fix"].endswith("-let a = 1;\n+const a = 1;\n console.log(a);\n")
    assert report["omitted_fixes"] == 0
    assert (await bench.report(code="f();", language="javascript"))["files"] == ["snippet.js"]
    assert (await bench.report(code="f();", language="typescript", filename="bot"))["files"] == ["bot.ts"]


async def test_fixes_that_do_not_fit_a_prompt_are_dropped_last_first_and_counted() -> None:
    code = "".join(f'print(f"{"a long line " * 6}{n}")\n' for n in range(10))
    report = await Bench().report(code=code)
    assert (len(report["findings"]), report["omitted"]) == (10, 0)
    fixed = ["fix" in finding for finding in report["findings"]]
    assert fixed == sorted(fixed, reverse=True)
    assert (fixed.count(True) >= 1, report["omitted_fixes"]) == (True, fixed.count(False))
    assert len(json.dumps(report)) < 7000


async def test_the_event_loop_goes_on_while_code_is_analysed() -> None:
    bench = Bench()
    await bench.report(code="x = 1\n")
    code = "def f(x):\n    return [x, x + 1, x * 2]\n" * 1500
    task = asyncio.create_task(bench.report(code=code))
    rounds = 0
    while not task.done():
        await asyncio.sleep(0.005)
        rounds += 1
    assert (await task)["metrics"]["functions"] == 1500
    assert rounds > 10


async def test_the_schemas_tell_the_model_what_there_is() -> None:
    spec = analyze_code.spec
    assert set(spec.input_schema["properties"]) == {"code", "filename", "language"}
    assert "required" not in spec.input_schema
    assert len(json.dumps(spec.input_schema)) + len(spec.description) < 1500
    assert "quality_score" in spec.output_schema["properties"]
