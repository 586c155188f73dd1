"""The watch over the suite's logs fails a run in which a secret leaks, in one process and in workers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.planted import JWT_SECRET, encryption_key

ROOT = Path(__file__).resolve().parents[1]

CLEAN = """
import logging
def test_fine(tmp_path):
    logging.getLogger("x").warning("turn failed", extra={"turn_id": "1"})
    (tmp_path / "stderr.log").write_text("request 200")
"""
LEAKS = f"""
import logging
def test_in_the_message():
    logging.getLogger("x").warning("signed by %s", {JWT_SECRET!r})
def test_beside_it():
    logging.getLogger("y").warning("refused", extra={{"key": {encryption_key()!r}}})
def test_in_a_traceback():
    try:
        raise ValueError({JWT_SECRET!r})
    except ValueError:
        logging.getLogger("z").exception("failed")
def test_in_the_log_of_a_process(tmp_path):
    (tmp_path / "stderr.log").write_text("x\\nno way in for {JWT_SECRET}")
def test_kept_out_at_the_last_moment(tmp_path):
    (tmp_path / "log").write_text("no way in for [redacted]")
def test_in_a_token(tmp_path):
    (tmp_path / "other.log").write_text("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.abc")
"""


def test_a_run_without_leaks_passes_and_one_with_leaks_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(test_clean=CLEAN)
    clean = pytester.runpytest_subprocess("-p", "tests.redaction", "-q", "test_clean.py")
    assert clean.ret == pytest.ExitCode.OK
    clean.stdout.no_fnmatch_line("*secrets in logs*")
    pytester.makepyfile(test_leaks=LEAKS)
    leaking = pytester.runpytest_subprocess("-p", "tests.redaction", "-q", "-n", "1", "test_leaks.py")
    assert leaking.ret == pytest.ExitCode.TESTS_FAILED
    leaking.assert_outcomes(passed=6)
    for place in (
        "*log of x*",
        "*log of y*",
        "*log of z*",
        "*stderr.log*",
        "*/log:*last moment*",
        "*other.log*",
    ):
        leaking.stdout.fnmatch_lines_random([place])
    # What leaked is not told a second time.
    assert JWT_SECRET not in leaking.stdout.str()
    assert encryption_key() not in leaking.stdout.str()
    # Of this run, which looks at its own folders, it is no leak.
    shutil.rmtree(pytester.path)
