"""Covered runs of Python bots in the sandbox: what never ran is told, and they run as they would without."""

from __future__ import annotations

import pytest

from shared.clock import utc_now
from shared.sandbox.select import ChosenSandbox
from shared.verification.bot import tried_bot
from shared.verification.bot_run import BotRun, run_bot
from shared.verification.probe import probe
from shared.verification.verify import Verifier
from tests.shared.verification.bots import free_bot
from tests.shared.verification.odd_bot import HELPERS, MAIN, PRICES, line_of, odd_bot
from tests.shared.verification.test_bad_bots import LIMITS, sandbox

__all__ = ["sandbox"]


async def _run(sandbox: ChosenSandbox, files: dict[str, bytes], *, covered: bool = True) -> BotRun:
    bot = tried_bot(files)
    assert bot is not None
    return await run_bot(sandbox, bot, limits=LIMITS, covered=covered)


def _program(main: str, **more: str) -> dict[str, bytes]:
    """A bot of this program and modules by their names."""
    return free_bot(more={"main.py": main, **{f"{name}.py": text for name, text in more.items()}})


async def test_a_branch_that_never_fires_is_told(sandbox: ChosenSandbox) -> None:
    planted = (
        "    if config.get('short'):\n        held = None\n        print(held)\n"
        "    elif not rows: raise ValueError('no candles')\n"
    )
    files = free_bot(before=planted, more={"strategy.py": "def decide(): return 1\n"})
    files["main.py"] += b"\n\ndef unused():\n    return 1\n"
    files["main.py"] = files["main.py"].replace(b"import csv\n", b"import csv\nimport strategy\n")
    verifier = Verifier(sandbox=sandbox, backtester=None, clock=utc_now, run_limits=LIMITS)
    done = (await verifier.verify(files)).verification
    (note,) = [one for one in done.findings if one.rule == "code-never-ran"]
    main = files["main.py"].decode()
    branch, refusal = line_of(main, "held = None"), line_of(main, "raise ValueError")
    unused = line_of(main, "def unused")
    places = [
        f"main.py:{branch}-{branch + 1}",
        f"main.py:{refusal}",
        f"main.py:{unused}-{unused + 1} (unused)",
    ]
    assert note.severity == "note"
    assert note.evidence["places"] == ["strategy.py:1 (decide)", *places]
    assert done.verdict == "verified"


async def test_an_odd_bot_sees_nothing_of_it(sandbox: ChosenSandbox) -> None:
    plain, covered = [await _run(sandbox, odd_bot(), covered=one) for one in (False, True)]
    assert plain.events == covered.events
    assert plain.result == covered.result
    assert [plain.run.exit_code, covered.run.exit_code] == [0, 0]
    assert [plain.errors, covered.errors, plain.attempts, covered.attempts] == ["", "", (), ()]
    assert plain.never_ran == ()
    pieces = (
        'return "other"',
        'return "below"',
        'return "zero"\n    except',
        'return "found"',
        'return "never"',
    )
    branches = [f"main.py:{line_of(MAIN, piece)}" for piece in pieces]
    unused, mean = line_of(HELPERS, "def unused"), line_of(PRICES, "def mean")
    flipped, missing = line_of(MAIN, "def flipped"), line_of(MAIN, "def __missing__")
    assert covered.never_ran == (
        f"lib/prices.py:{line_of(PRICES, 'return helpers')}",
        *branches,
        f"lib/helpers.py:{unused}-{unused + 2} (unused)",
        f"lib/prices.py:{mean}-{mean + 1} (mean)",
        f"main.py:{flipped}-{flipped + 1} (flipped)",
        f"main.py:{missing}-{missing + 1} (__missing__)",
    )


_IDLE = "\nif len(sys.argv) > 5:\n    print('many')\n"
_ENDS = {
    "os._exit": (f"import os, sys{_IDLE}os._exit(0)\n", 0),
    "sys.exit": (f"import sys{_IDLE}sys.exit(3)\n", 3),
    "a signal that it takes": (
        f"import signal, sys{_IDLE}signal.signal(15, lambda *_: sys.exit(4))\nsignal.raise_signal(15)\n",
        4,
    ),
    "an error": (f"import sys{_IDLE}def f():\n    raise KeyError('x')\nf()\n", 1),
    "an error with a hook": (
        f"import sys{_IDLE}sys.excepthook = lambda kind, error, trace: print(trace.tb_lineno)\n1 / 0\n",
        1,
    ),
    "threads and what is registered": (
        f"import atexit, sys, threading{_IDLE}atexit.register(lambda: print('bye'))\n"
        "threading.Timer(0.05, lambda: print('later')).start()\n",
        0,
    ),
}


@pytest.mark.parametrize(("main", "code"), _ENDS.values(), ids=_ENDS)
async def test_however_it_ends_its_code_is_told(sandbox: ChosenSandbox, main: str, code: int) -> None:
    plain, covered = [await _run(sandbox, _program(main), covered=one) for one in (False, True)]
    assert covered.never_ran == ("main.py:3",)
    assert covered.run.exit_code == plain.run.exit_code == code
    assert [covered.run.stdout, covered.errors] == [plain.run.stdout, plain.errors]


async def test_what_cannot_be_marked_runs_as_it_is(sandbox: ChosenSandbox) -> None:
    # The interpreter itself reads a chain as a loop does; whoever goes down it is too deep.
    chain = "x = 0\nif x:\n    y = 0\n" + "".join(
        f"elif x == {one}:\n    y = {one}\n" for one in range(1, 1500)
    )
    main = (
        "import long, sys\ntry:\n    import broken\nexcept SyntaxError as error:\n    print(error.lineno)\n"
    )
    files = _program(main + "print(long.x)\n", long=chain, broken="x = 1\ny = = 2\n")
    covered = await _run(sandbox, files)
    assert covered.run.stdout == b"2\n0\n"
    assert covered.errors == ""
    assert covered.never_ran == ()


async def test_a_program_that_is_no_python_fails_at_its_line(sandbox: ChosenSandbox) -> None:
    for more in ({}, {"broken": "x = 1\ny = = 2\n"}):
        main = "import broken\n" if more else "x = 1\ny = = 2\n"
        covered = await _run(sandbox, _program(main, **more))
        assert covered.run.exit_code == 1
        place = "broken" if more else "main"
        assert f'File "/job/{place}.py", line 2\n    y = = 2' in covered.errors
        assert covered.errors.endswith("SyntaxError: invalid syntax")


async def test_no_bot_is_accused_of_what_the_marks_change(sandbox: ChosenSandbox) -> None:
    score = "len(inspect.stack()) - 2.5"
    bot = tried_bot(
        free_bot(imports="import inspect", score=score, after=f"    if not rows:\n        pass\n{_DONE}")
    )
    assert bot is not None
    first, covered = [await run_bot(sandbox, bot, covered=one) for one in (False, True)]
    assert first.events != covered.events
    probed = await probe(sandbox, bot, first, cuts=1, limits=LIMITS)
    assert {one.rule for one in probed.findings} <= {"branch-never-fired", "never-signals"}
    assert probed.facts["runs"] == 8


_DONE = '    success("Replayed", {"candles": len(rows)})'


async def test_a_bot_that_writes_there_itself_is_not_believed(sandbox: ChosenSandbox) -> None:
    forged = '{"files": {"main.py": [{"first": 1, "last": 999, "function": "", "raises": false}]}}'
    main = (
        "import os, builtins\n"
        "folder = os.path.join(os.environ['OUT_DIR'], 'coverage')\n"
        "os.makedirs(folder)\n"
        f"open(os.path.join(folder, 'blocks.json'), 'w').write({forged!r})\n"
        f"open(os.path.join(folder, 'more.json'), 'w').write({forged!r})\n"
        "for name in [one for one in vars(builtins) if one.startswith('_the0_ran_')]:\n"
        "    delattr(builtins, name)\n"
    )
    covered = await _run(sandbox, _program(main))
    assert covered.run.exit_code == 0
    assert covered.never_ran == ()
    # A file where the folder should be.
    covered = await _run(sandbox, _program("import os\nopen(os.environ['OUT_DIR'] + '/coverage', 'w')\n"))
    assert [covered.run.exit_code, covered.errors, covered.never_ran] == [0, "", ()]


async def test_no_file_of_a_bot_stands_in_for_what_watches_it(sandbox: ChosenSandbox) -> None:
    names = ("_watch/sitecustomize/__init__.py", "./_watch/sitecustomize.py", "_watch/block_marks.py")
    main = "import socket\ntry:\n    socket.socket()\nexcept OSError:\n    pass\n"
    files = {**_program(main), **dict.fromkeys(names, b"print('mine')\n")}
    covered = await _run(sandbox, files)
    assert covered.run.stdout == b""
    assert covered.attempts == ("network socket.__new__",)
    assert "coverage/blocks.json" in covered.run.files
