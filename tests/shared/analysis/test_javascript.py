"""JavaScript and TypeScript: our rules and oxlint's, all forms of syntax, and what is refused."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from shared.analysis import Finding, analyse_files
from shared.analysis.javascript import lint, node, rules
from shared.analysis.source import SourceFile
from tests.shared.analysis.javascript_cases import CASES
from tests.shared.analysis.trading_cases import Case

TYPED = """import { Exchange, type Order } from "ccxt";

type Side = "buy" | "sell";
interface Bar<T = number> { open: T; readonly close: T }
enum Mode { Live = "live", Paper = "paper" }
function logged(target: unknown, key: string): void { console.log(target, key); }
abstract class Base<T extends object> { abstract run(value: T): Promise<void>; }

export class Bot extends Base<Bar> {
  @logged private last?: Bar;
  constructor(private readonly exchange: Exchange, public mode: Mode = Mode.Paper) { super(); }
  async run(value: Bar): Promise<void> { this.last = value satisfies Bar; }
  side(a: number): Side { return a > 0 ? "buy" : "sell"; }
  async orders(): Promise<Order[]> {
    return (await this.exchange.fetchOrders(this.last!.open as never)) as Order[];
  }
}
export const keys = <K extends string>(x: Record<K, unknown>): K[] => Object.keys(x) as K[];
"""


def found(case: Case) -> list[tuple[str, int]]:
    source = SourceFile(name="bot.ts", text=case.code)
    outcome = rules.run_rules((source,), deadline=time.monotonic() + 30)
    return [(f.rule, f.line) for f in outcome.findings]


def by_rule(code: str, name: str = "bot.js") -> dict[str, Finding]:
    return {f.rule: f for f in analyse_files({name: code}).findings}


@pytest.mark.parametrize("case", [c for c in CASES if c.line], ids=lambda c: c.name)
def test_a_fault_is_found_at_its_line(case: Case) -> None:
    assert found(case) == [(case.rule, case.line)]


@pytest.mark.parametrize("case", [c for c in CASES if not c.line], ids=lambda c: c.name)
def test_a_clean_twin_has_no_finding(case: Case) -> None:
    assert found(case) == []


def test_guard_and_limit_may_stand_in_other_files_of_the_bot() -> None:
    orders = (
        "export const place = (exchange, amount) => exchange.createOrder('BTC', 'market', 'buy', amount);\n"
    )
    main = """import { place } from "./orders.js";
export const run = (config, exchange) =>
  config.live_trading ? place(exchange, Math.min(1, config.maxPosition)) : null;
"""
    assert by_rule(orders, "orders.js").keys() == {"no-live-guard", "no-position-limit"}
    report = analyse_files({"orders.js": orders, "main.js": main})
    assert (report.findings, report.quality_score, report.language) == ((), 100, "javascript")


def test_typescript_is_read_whole_and_measured() -> None:
    report = analyse_files({"bot.ts": TYPED})
    assert (report.findings, report.quality_score, report.language) == ((), 100, "typescript")
    assert (report.metrics.lines, report.metrics.functions, report.metrics.max_complexity) == (18, 6, 2)
    assert 40 < report.metrics.maintainability <= 100


def test_oxlint_speaks_and_its_suppression_comments_hide_nothing() -> None:
    code = """/* eslint-disable */ // oxlint-disable
const ä = "äöü"; eval(process.argv[2]);
new Function("return 1")(ä); // eslint-disable-line
setTimeout("stop()", 10);
missing();
if (Number("x") === NaN) debugger;
"""
    rules_found = by_rule(code)
    assert {(f.rule, f.category, f.severity, f.line) for f in rules_found.values()} == {
        ("no-eval", "security", "high", 2),
        ("no-new-func", "security", "high", 3),
        ("no-implied-eval", "security", "high", 4),
        ("no-undef", "style", "high", 5),
        ("use-isnan", "style", "high", 6),
        ("no-debugger", "style", "low", 6),
    }
    assert rules_found["no-eval"].column == 18


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("a.js", "const a = 1;\nlet x = ;\n", 2),
        ("a.ts", "interface A { b: }\n", 1),
        ("a.ts", "\nconst view = <div>x</div>;\n", 2),
        ("a.mjs", "import a from 'a';\nreturn a;\n", 2),
        ("a.js", "f();\nlet a = 1;\nlet a = 2;\n", 2),
        ("a.js", "type A = string;\n", 1),
    ],
)
def test_what_does_not_parse_is_one_finding_with_its_line(name: str, code: str, line: int) -> None:
    report = analyse_files({name: code, "good.mjs": "export const a = 1;\n"})
    assert [(f.file, f.rule, f.line) for f in report.findings] == [(name, "syntax-error", line)]
    assert report.quality_score == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.js", "const { f } = require('./b');\nif (f()) return;\nmodule.exports = { f };\n"),
        ("a.js", "import { f } from './b.js';\nexport const g = await f();\n"),
        ("view.js", "export const View = () => <b>{1}</b>;\n"),
        ("a.cts", "import f = require('./b');\nexport = f;\n"),
        ("empty.js", ""),
    ],
)
def test_scripts_modules_and_jsx_are_read(name: str, code: str) -> None:
    report = analyse_files({name: code})
    assert (report.findings, report.quality_score) == ((), 100)


def test_tests_of_a_bot_are_not_measured_and_take_no_part_in_the_trading_rules() -> None:
    for name in ("src/bot.test.ts", "bot.spec.js", "__tests__/a.mjs", "tests/a.js"):
        report = analyse_files(
            {name: "exchange.createOrder('a', 1);\nwhile (true) {}\n".replace("exchange", "global")}
        )
        assert (report.findings, report.metrics.lines) == ((), 0)


def test_complexity_agrees_with_oxlints_own_count(tmp_path: Path) -> None:
    code = """export function f(a, b) {
  for (const x of a) if (x && b) continue; else while (b) b -= 1;
  switch (b) { case 1: return 1; case 2: return a ? 1 : 2; default: try { b(); } catch { return 0; } }
  return a?.c || ((d = 1) => (b ? d : 2));
}
"""
    source = SourceFile(name="a.js", text=code)
    facts = rules.run_rules((source,), deadline=time.monotonic() + 30).parsed["a.js"]["metrics"]["functions"]
    (tmp_path / "a.js").write_text(code)
    (tmp_path / "c.json").write_text('{"rules": {"eslint/complexity": ["error", {"max": 0}]}}')
    output, _ = node.run_node(lint._OXLINT, "-c", "c.json", "-f", "json", "a.js", folder=tmp_path)
    said = [re.search(r"complexity of (\d+)", d["message"]) for d in json.loads(output)["diagnostics"]]
    assert [f["complexity"] for f in facts] == sorted((int(m[1]) for m in said if m), reverse=True) == [11, 3]


def test_a_complex_function_is_a_finding() -> None:
    code = (
        "export function f(x) {\n" + "".join(f"  if (x === {n}) return {n * n};\n" for n in range(24)) + "}\n"
    )
    report = analyse_files({"a.js": code})
    assert [(f.rule, f.severity, f.line) for f in report.findings] == [("complex-function", "medium", 1)]
    assert report.metrics.max_complexity == 25


N = 20_000


@pytest.mark.parametrize(
    "code",
    [
        "(" * N + "1" + ")" * N,
        "x = " + "!" * N + "1",
        "x = " + "[" * N,
        "x = a" + ".b" * N,
        "x = " + "1 + " * N + "1",
        "x = " + "a ? b : " * N + "c",
        "x = " + "y => " * N + "1",
        "let x: " + "A<" * N + "B" + ">" * N,
        "if (x) y(); else " * 300 + "z();",
        "x = 1;\n" * 60_000,
        "// " + "a" * 300_000,
        'x = "\ud800"',
    ],
    ids=lambda code: code[:12],
)
def test_what_is_too_deep_or_too_big_is_never_a_clean_result(code: str) -> None:
    start = time.process_time()
    report = analyse_files({"a.ts": code})
    assert {f.rule for f in report.findings} <= {"not-checked", "syntax-error"}
    assert report.quality_score <= 70
    assert time.process_time() - start < 20


def test_a_file_that_ends_the_parser_does_not_hide_the_others() -> None:
    deep = "x = " + "[" * 30_000 + "]" * 30_000
    report = analyse_files({"a.js": "while (true) {}\n", "deep.js": deep, "z.js": "for (;;) {}\n"})
    assert [(f.file, f.rule) for f in report.findings if f.severity == "high"] == [
        ("a.js", "busy-loop"),
        ("deep.js", "not-checked"),
        ("z.js", "busy-loop"),
    ]


@pytest.mark.parametrize("gone", ["node", "packages"])
def test_without_node_or_its_packages_nothing_is_clean(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if gone == "node":
        monkeypatch.setenv("PATH", "/nowhere")
    else:
        monkeypatch.setattr(node, "PACKAGES", Path("/nowhere"))
    report = analyse_files({"a.js": "f();\n", "b.ts": "let a = 1;\n"})
    assert [(f.file, f.rule, f.severity) for f in report.findings] == [
        ("a.js", "not-checked", "high"),
        ("b.ts", "not-checked", "high"),
    ]
    assert "not installed" in report.findings[0].message


@pytest.mark.parametrize(("limit", "value"), [("TIMEOUT", 0.0), ("MAX_OUTPUT", 40)])
def test_a_check_that_is_stopped_is_a_finding(
    limit: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, limit, value)
    assert by_rule("export const a = 1;\n").keys() == {"not-checked"}


def test_the_analysed_code_is_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = f'import {{ writeFileSync }} from "node:fs";\nwriteFileSync({json.dumps(str(trace))}, "x");\n'
    assert analyse_files({"a.mjs": code}).quality_score == 100
    assert not trace.exists()


def test_our_own_rules_are_clean_by_their_own_measure() -> None:
    folder = Path(rules.__file__).parent / "rules"
    report = analyse_files({path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.mjs")})
    assert [f for f in report.findings if f.severity != "info"] == []
    assert report.metrics.max_complexity <= 10
