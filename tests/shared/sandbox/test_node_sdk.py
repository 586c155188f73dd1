"""The stand-in for the platform's Node.js SDK does what is documented, the runner what the runtime does."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from shared.sandbox.node_packages import SDK, missing_packages
from tests.shared.tools.node_bots import link_packages, run_node, run_node_bot

NAMES = "parse, success, error, result, metric, log, sleep, state, query"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    link_packages(tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def run(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the code with the SDK's names imported."""
    (folder / "main.js").write_text(f'import {{ {NAMES} }} from "{SDK}";\n{code}\n')
    variables = {"CODE_MOUNT_DIR": str(folder)[1:], "STATE_DIR": str(folder / "state"), **environment}
    return run_node("main.js", folder=folder, **variables)


def result_of(folder: Path) -> Any:
    return json.loads((folder / "result.json").read_text())


def test_every_package_of_a_bot_is_installed() -> None:
    assert missing_packages() == ""


def test_parse_gives_id_and_configuration(folder: Path) -> None:
    done = run(folder, "console.log(JSON.stringify(parse()));", BOT_ID="b-1", BOT_CONFIG='{"a": {"b": 1.5}}')
    assert json.loads(done.stdout) == {"id": "b-1", "config": {"a": {"b": 1.5}}}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BOT_CONFIG": "{}"}, "BOT_ID environment variable not set"),
        ({"BOT_ID": "x"}, "BOT_CONFIG environment variable not set"),
        ({"BOT_ID": "x", "BOT_CONFIG": "{not"}, "BOT_CONFIG is not JSON"),
    ],
)
def test_parse_throws_what_is_missing(folder: Path, environment: dict[str, str], said: str) -> None:
    done = run(folder, "parse();", **environment)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("code", "exit_code", "written"),
    [
        ('success("done");', 0, {"status": "success", "message": "done"}),
        ('success("done", { n: 1 });', 0, {"status": "success", "message": "done", "data": {"n": 1}}),
        (
            'error("bad", { n: 2 }); console.log("on");',
            1,
            {"status": "error", "message": "bad", "data": {"n": 2}},
        ),
        ("result({ status: 1, x: [2] });", 0, {"status": 1, "x": [2]}),
    ],
)
def test_results_are_a_file(folder: Path, code: str, exit_code: int, written: Any) -> None:
    done = run(folder, code)
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert result_of(folder) == written


def test_a_result_that_cannot_be_written_is_told_and_no_crash(folder: Path) -> None:
    done = run(folder, 'success("done");', CODE_MOUNT_DIR="no/such/folder")
    assert done.returncode == 0
    assert "RESULT_ERROR" in done.stderr


def test_metrics_are_lines_of_standard_output_and_logs_of_standard_error(folder: Path) -> None:
    code = """
metric("price", { symbol: "BTC/USD", value: 45000.5 });
log("plain");
log("data", { n: 1 });
log("level", "warn");
log("both", { n: 2 }, "error");
await sleep(1);
"""
    done = run(folder, code)
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"_metric": "price", "symbol": "BTC/USD", "value": 45000.5}
    said = [json.loads(text) for text in done.stderr.splitlines()]
    assert all(entry.pop("timestamp") for entry in said)
    assert said == [
        {"level": "info", "message": "plain"},
        {"level": "info", "message": "data", "n": 1},
        {"level": "warn", "message": "level"},
        {"level": "error", "message": "both", "n": 2},
    ]


def test_state_is_one_json_file_a_key(folder: Path) -> None:
    code = """
import { writeFileSync } from "node:fs";
const seen = [state.get("a"), state.get("a", 1), state.exists("a"), state.list()];
state.set("a", { n: 1 });
state.set("b", [2]);
seen.push(state.get("a"), state.exists("a"), state.list().sort(), state.delete("a"), state.delete("a"));
writeFileSync(`${process.env.STATE_DIR}/spoilt.json`, "{");
seen.push(state.get("spoilt", "none"));
for (const key of ["", "a/b", "a\\\\b", ".."]) {
  try { state.set(key, 1); seen.push("taken"); } catch (problem) { seen.push(problem.message); }
}
state.clear();
seen.push(state.list());
console.log(JSON.stringify(seen.map((one) => one ?? null)));
"""
    done = run(folder, code)
    assert json.loads(done.stdout) == [
        None,
        1,
        False,
        [],
        {"n": 1},
        True,
        ["a", "b"],
        True,
        False,
        "none",
        "State key cannot be empty",
        *["State key cannot contain path separators or '..'"] * 3,
        [],
    ]


def test_state_that_cannot_be_written_throws(folder: Path) -> None:
    # Not below /proc, where node's own recursive mkdir never ends.
    done = run(folder, 'state.set("a", 1);', STATE_DIR=str(folder / "main.js" / "state"))
    assert "Error: ENOTDIR" in done.stderr


def test_a_realtime_query_server_answers(folder: Path) -> None:
    code = """
query.handler("/twice", (request) => ({ n: 2 * Number(request.get("n", "1")), ...query.getConfig() }));
query.handler("/bad", () => { throw new Error("no"); });
const { createServer } = await import("node:http");
const free = createServer().listen(0, "127.0.0.1");
await new Promise((resolve) => free.once("listening", resolve));
const { port } = free.address();
await new Promise((resolve) => free.close(resolve));
process.env.THE0_QUERY_PORT = String(port);
query.run();
const said = [];
for (const path of ["/twice?n=4", "/bad", "/none", "/health", "/info"]) {
  let answer;
  while (!answer) answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => sleep(20));
  said.push([answer.status, await answer.json()]);
}
console.log(JSON.stringify(said));
process.exit(0);
"""
    done = run(folder, code, BOT_TYPE="realtime", BOT_CONFIG='{"symbol": "X"}')
    paths = ["/twice", "/bad", "/health", "/info"]
    assert json.loads(done.stdout) == [
        [200, {"status": "ok", "data": {"n": 8, "symbol": "X"}}],
        [500, {"status": "error", "error": "Error: no"}],
        [404, {"status": "error", "error": "No handler for path: /none"}],
        [200, {"status": "ok", "data": {"status": "ok"}}],
        [200, {"status": "ok", "data": {"available_queries": paths}}],
    ]


@pytest.mark.parametrize(
    ("code", "exit_code", "written"),
    [
        (
            "async function main(id, config) { return { status: 'success', message: id + config.a }; }",
            0,
            {"status": "success", "message": "t7"},
        ),
        (
            "function main() { success('lost'); }",
            0,
            {"status": "success", "message": "Bot executed successfully"},
        ),
        ("function main() { error('told'); }", 1, {"status": "error", "message": "told"}),
        ("async function main() { throw new Error('fell'); }", 1, {"status": "error", "message": "fell"}),
        ("const main = 1;", 1, {"status": "error", "message": "No main function found in module"}),
        ("function main() {} throw new Error('early');", 1, {"status": "error", "message": "early"}),
    ],
)
def test_the_runner_calls_main_and_writes_what_it_gives(
    folder: Path, code: str, exit_code: int, written: Any
) -> None:
    (folder / "main.js").write_text(f'import {{ {NAMES} }} from "{SDK}";\n{code}\nexport {{ main }};\n')
    done = run_node_bot(folder, {"a": 7}, by_platform=True)
    assert (done.exit_code, done.result) == (exit_code, written)


def test_the_runner_leaves_the_end_to_a_bot_that_is_told_to_stop(folder: Path) -> None:
    code = """
async function main() {
  const keepsAlive = setInterval(() => {}, 1000);
  await new Promise((resolve) => { process.once("SIGTERM", resolve); console.log("ready"); });
  clearInterval(keepsAlive);
  return { status: "success", message: "stopped" };
}
export { main };
"""
    (folder / "main.js").write_text(code)
    with started(folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0
    assert result_of(folder)["message"] == "stopped"


def test_the_runner_ends_when_all_that_was_said_is_written(folder: Path) -> None:
    # Far more than a pipe holds: a reader is behind at some time.
    said = 'for (let i = 0; i < 40000; i += 1) console.log("x".repeat(99));'
    (folder / "main.js").write_text(f"export function main() {{ {said} }}\n")
    with started(folder) as process:
        told, _ = process.communicate()
    assert len(told) == 40_000 * 100
    assert process.returncode == 0


def started(folder: Path) -> subprocess.Popen[str]:
    """The bot under the runner; it is killed when it does not end."""
    from shared.sandbox.node_packages import RUNNER

    environment = {
        "PATH": "/usr/bin:/usr/local/bin:/bin",
        "CODE_MOUNT_DIR": str(folder)[1:],
        "SCRIPT_PATH": "main.js",
    }
    process = subprocess.Popen(
        ["node", str(RUNNER)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    deadline = threading.Timer(30, process.kill)
    deadline.daemon = True
    deadline.start()
    return process
