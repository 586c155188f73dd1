"""A pytest plugin: no line of any log of the run holds a planted secret, or the run fails.

Looked at are the records of this process, whatever logger they go to, and what started processes wrote to
their standard error, as fixtures keep it in the run's temporary folder. The mark of our own redaction there
is a leak as well: the last line of defence was needed. Workers of xdist tell their controller.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.web.redaction import REDACTED
from tests.planted import FOUND

_LOGS = ("*.log", "log")
_SHOWN = 300
_leaks: list[str] = []
_folder: list[Path] = []


def look_at(place: str, text: str) -> None:
    """Takes note of the first leak in a text."""
    found = FOUND.search(text)
    if found is not None:
        # Where, not what: this is printed.
        line = FOUND.sub("(a secret)", text[max(0, found.start() - _SHOWN) : found.end() + _SHOWN])
        _leaks.append(f"{place}: {' '.join(line.split())}")


def look_at_folder(folder: Path) -> None:
    """Takes note of what leaked into the logs beneath a folder."""
    for pattern in _LOGS:
        for path in folder.rglob(pattern):
            if path.is_file():
                text = path.read_text(errors="replace")
                look_at(str(path), text)
                if REDACTED in text:
                    line = next(line for line in text.splitlines() if REDACTED in line)
                    _leaks.append(f"{path}: a secret was kept out at the last moment: {line[:_SHOWN]}")


@pytest.fixture(scope="session", autouse=True)
def _run_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the run's fixtures keep their logs."""
    _folder[:] = [tmp_path_factory.getbasetemp()]


def pytest_configure(config: pytest.Config) -> None:
    """Looks at every record from now on."""
    _leaks.clear()
    inner = logging.Logger.callHandlers
    logging.Logger.callHandlers = _watched(inner)  # type: ignore[method-assign]
    config.add_cleanup(lambda: setattr(logging.Logger, "callHandlers", inner))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Looks at the files, and fails the run; a worker tells its controller."""
    yield
    for folder in _folder:
        look_at_folder(folder)
    told: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["leaks"] = _leaks
    elif _leaks and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of xdist has ended: what it found counts."""
    _leaks.extend(getattr(node, "workeroutput", {}).get("leaks", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what leaked where."""
    if _leaks:
        terminalreporter.section("secrets in logs", red=True, bold=True)
        for leak in _leaks:
            terminalreporter.line(leak)


def _watched(inner: Callable[[logging.Logger, logging.LogRecord], None]) -> Any:
    written = logging.Formatter()

    def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        beside = {name: value for name, value in vars(record).items() if name not in _OWN}
        test = os.environ.get("PYTEST_CURRENT_TEST", "between tests")
        look_at(f"{test}: log of {record.name}", f"{written.format(record)} {beside}")
        inner(logger, record)

    return call_handlers


_OWN = frozenset(vars(logging.makeLogRecord({})))
