"""Which of the linters' fixes are offered: those that were tried and leave nothing new behind.

A fix may uncover what the fault hid: a literal that loses its `f` may be seen for a key, an import that goes
may have told of exact decimals. So the fixed files are analysed again, and where a new finding appears that
is more than a remark, no fix of that file is offered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from shared.analysis.diffs import changes_of, hunks_of
from shared.analysis.report import Finding

MAX_TRIED = 20
# `import json, math` becomes two lines.
_SPLITTING = frozenset({"E401"})

Fixes = dict[str, list[str]]


def tried(findings: Sequence[Finding], again: Callable[[Fixes], Sequence[Finding]]) -> tuple[Finding, ...]:
    """The findings with the fixes that may be offered; `again` analyses the files with fixes applied."""
    offered = _apart(findings)
    fixes: Fixes = {}
    for finding in offered:
        if finding.fix:
            fixes.setdefault(finding.file, []).append(finding.fix)
    if not fixes:
        return tuple(offered)
    before, after = _counted(findings), _counted(again(fixes))
    worse = {file for (file, rule), count in after.items() if count > before[file, rule]}
    # A rule on the whole bot may name another file than the one that was changed.
    spoilt = worse if worse <= set(fixes) else {*worse, *fixes}
    return tuple(replace(f, fix="") if f.file in spoilt else f for f in offered)


def _apart(findings: Sequence[Finding]) -> list[Finding]:
    """The findings with only the first fix that changes a line, and none that shows a credential's line.

    Nor one that makes several lines of one with a worse fault: that would be found in each of them.
    """
    secret = {(f.file, f.line - 1) for f in findings if f.category == "secret"}
    faulty = {(f.file, f.line - 1) for f in findings if f.severity != "info"}
    changed: set[tuple[str, int]] = set()
    offered = []
    for finding in findings:
        file, fix = finding.file, finding.fix
        shown = {(file, row) for h in hunks_of(fix) for row in range(h.start, h.end)}
        # An insertion counts as a change of the line that it stands before.
        rows = {(file, row) for c in changes_of(fix) for row in range(c.start, max(c.end, c.start + 1))}
        taken = changed | faulty if finding.rule in _SPLITTING else changed
        if fix and not shown & secret and not rows & taken and len(changed) < MAX_TRIED:
            changed |= rows
            offered.append(finding)
        else:
            offered.append(replace(finding, fix=""))
    return offered


def _counted(findings: Iterable[Finding]) -> Counter[tuple[str, str]]:
    return Counter((f.file, f.rule) for f in findings if f.severity != "info")
