"""Fixes: small diffs that apply to the analysed text, repair what they say, and never lower the score."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.analysis import Finding, Report, analyse_files
from shared.analysis.diffs import MAX_DIFF, Edit, apply, changes_of, diff, patch
from shared.analysis.fixes import tried

PYTHON = (
    "import os",
    "import json, math",
    "from decimal import Decimal",
    'print(f"hello")',
    'api_key = f"kJ8sHd72hSkq01LLmznQpw8aQvT4Ue"',
    'label = f"kJ8sHd72"',
    "if not 1 in [2]:\n    x = 1",
    "if price == 1.5:\n    y = 2",
    "if price is 1.5:\n    y = 3",
    'value = getattr(object, "name")',
    "items = list([n for n in range(3)])",
    "try:\n    import yaml\nexcept ImportError:\n    yaml = None",
    "def f(x=[]):\n    return x",
    "eval(input())",
    "raise NotImplemented",
    "z = dict([(n, 1) for n in 'ab']);",
)
SCRIPTS = (
    "var a = 1; f(a);",
    "let b = [1, 2]; f(b);",
    "let c; c = 2; f(c);",
    "while (true) { await 1; }",
    "if (!!ready) f();",
    'const { g: g } = f("x"); f(g);',
    "if (price === NaN) f();",
    'var apiKey = "kJ8sHd72hSkq01LLmznQpw8aQvT4Ue"; f(apiKey);',
    "var d = 1; { var d = 2; } f(d);",
    'if (x) { var live = "live"; } if (live) exchange.createOrder(1);',
    "// eslint-disable-next-line no-var\nvar e = 1; f(e);",
)


def fixed(files: dict[str, str], findings: tuple[Finding, ...] | list[Finding]) -> dict[str, str]:
    return {
        name: apply(text, [f.fix for f in findings if f.file == name and f.fix])
        for name, text in files.items()
    }


def never_lowers(files: dict[str, str]) -> Report:
    """Tries each offered fix alone, and all together."""
    report = analyse_files(files)
    offered = [f for f in report.findings if f.fix]
    for chosen in [*([f] for f in offered), offered] if offered else []:
        again = analyse_files(fixed(files, chosen))
        assert again.quality_score >= report.quality_score, [f.fix for f in chosen]
        assert "syntax-error" not in {f.rule for f in again.findings}
    return report


@pytest.mark.parametrize(
    ("name", "code", "rule", "wanted"),
    [
        ("a.py", "import os\nimport sys\n\nsys.exit()\n", "F401", "import sys\n\nsys.exit()\n"),
        ("a.py", 'x = 1\nprint(f"a")', "F541", 'x = 1\nprint("a")'),
        (
            "a.py",
            "x = 1\r\nif not x in [1]:\r\n    x = 2\r\n",
            "E713",
            "x = 1\r\nif x not in [1]:\r\n    x = 2\r\n",
        ),
        ("a.py", 'å = "😀"; print(f"b")\n', "F541", 'å = "😀"; print("b")\n'),
        (
            "a.js",
            "f();\nvar a = 1;\nvar b = a;\ng(b);\n",
            "no-var",
            "f();\nconst a = 1;\nvar b = a;\ng(b);\n",
        ),
        (
            "a.ts",
            "let a: number = 1;\nconsole.log(a)",
            "prefer-const",
            "const a: number = 1;\nconsole.log(a)",
        ),
        (
            "a.mjs",
            "let a = 1;\r\nlet b = a;\r\nb = f(b);\r\n",
            "prefer-const",
            "const a = 1;\r\nlet b = a;\r\nb = f(b);\r\n",
        ),
    ],
)
def test_a_fix_applies_and_repairs(name: str, code: str, rule: str, wanted: str) -> None:
    finding = next(f for f in analyse_files({name: code}).findings if f.rule == rule)
    assert finding.fix.startswith(f"--- a/{name}\n+++ b/{name}\n@@ -")
    assert len(finding.fix) <= MAX_DIFF
    assert apply(code, [finding.fix]) == wanted
    left = analyse_files({name: wanted}).findings
    assert (rule, finding.line) not in {
        (f.rule, f.line) for f in left if f.message == finding.message
    } or name == "a.js"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.py", "def f(x=[]):\n    return x == None\n"),
        ("a.py", "eval(input())\n"),
        ("a.py", 'api_key = f"kJ8sHd72hSkq01LLmznQpw8aQvT4Ue"\n'),
        ("a.py", "from decimal import Decimal\n\nif price == 1.5:\n    y = 2\n"),
        ("a.py", 'print(f"a")\rprint(f"b")\r'),
        ("a.js", "while (true) {\n  await 1;\n}\n"),
        ("a.js", 'var apiKey = "kJ8sHd72hSkq01LLmznQpw8aQvT4Ue";\nexport { apiKey };\n'),
        ("a.js", "let a = 1; let b = 2; console.log(a, b);\n"),
        ("a.js", "debugger;\n"),
    ],
)
def test_where_none_is_safe_there_is_none(name: str, code: str) -> None:
    assert [f.fix for f in analyse_files({name: code}).findings if f.fix] == []


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(PYTHON), max_size=8))
@example(["import json, math"] * 3)
def test_no_fix_of_python_lowers_the_score(parts: list[str]) -> None:
    never_lowers({"bot.py": "\n".join(parts) + "\n"})


def test_no_fix_of_any_part_lowers_the_score() -> None:
    report = never_lowers({f"part{n}.py": f"{code}\n" for n, code in enumerate(PYTHON)})
    assert sum(1 for f in report.findings if f.fix) >= 5


def test_no_fix_of_javascript_lowers_the_score() -> None:
    files = {f"part{n}.mjs": f"{code}\n" for n, code in enumerate(SCRIPTS)}
    report = analyse_files(files)
    offered = [f for f in report.findings if f.fix]
    assert len(offered) >= 4
    for name, text in files.items():
        mine = [f for f in offered if f.file == name]
        if mine:
            before = analyse_files({name: text})
            again = analyse_files({name: fixed(files, mine)[name]})
            assert again.quality_score >= before.quality_score
            assert {f.rule for f in again.findings} & {f.rule for f in mine} == set()


LINES = st.lists(
    st.sampled_from(["a\n", "b\n", "b\r\n", "\n", "-- c\n", "++ d\n", "@@ -1 +1 @@\n", " e\n"]), max_size=12
)


@given(LINES, LINES, st.sampled_from(["", "end", "\\"]), st.sampled_from(["", "end"]))
def test_a_diff_leads_from_one_text_to_the_other(
    one: list[str], other: list[str], tail: str, last: str
) -> None:
    before, after = "".join(one) + tail, "".join(other) + last
    made = diff("a.py", before, after)
    assert made or before == after
    assert apply(before, [made]) == after
    assert all(change.old != change.new for change in changes_of(made))


def test_diffs_that_do_not_fit_or_overlap_are_refused() -> None:
    first, second = diff("a", "x\n", "y\n"), diff("a", "x\n", "z\n")
    with pytest.raises(ValueError, match="fit"):
        apply("other\n", [first])
    with pytest.raises(ValueError, match=r"fit|same line"):
        apply("x\n", [first, second])


def test_edits_become_one_diff_and_long_ones_none() -> None:
    text = "one\ntwo\nthree"
    edits = [Edit(start=(1, 1), end=(2, 1), text=""), Edit(start=(3, 6), end=(3, 6), text="!\n")]
    assert apply(text, [patch("a.py", text, edits)]) == "two\nthree!\n"
    assert patch("a.py", text, [Edit(start=(9, 1), end=(9, 1), text="x")]) == ""
    assert diff("a.py", "x\n", "y" * MAX_DIFF) == ""
    assert diff("a\n.py", "x\n", "y\n") == ""


def test_fixes_that_uncover_a_fault_are_withdrawn() -> None:
    def finding(rule: str, line: int, fix: str = "") -> Finding:
        return Finding(
            category="style", severity="low", file="a", line=line, rule=rule, message="m", advice="a", fix=fix
        )

    text = "x\ny\nz\n"
    found = [finding("p", 1, diff("a", text, "X\ny\nz\n")), finding("q", 3, diff("a", text, "x\ny\nZ\n"))]
    assert [f.fix for f in tried(found, lambda _: [])] == [f.fix for f in found]
    assert [f.fix for f in tried(found, lambda _: [finding("new", 1)])] == ["", ""]
    assert [f.fix for f in tried([found[0], found[0]], lambda _: [])] == [found[0].fix, ""]
