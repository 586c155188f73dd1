"""Each limit ends a run that would go beyond it, and nothing of the run is left."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from pathlib import Path

import pytest

from shared.errors import InvalidRequestError
from shared.sandbox.local import LocalSandbox
from shared.sandbox.port import SandboxJob, SandboxLimits
from tests.shared.sandbox.conftest import Run

MEGABYTE = 1024 * 1024


def _running(marker: str) -> list[str]:
    """The processes of this machine whose command line holds a word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (process / "cmdline").read_bytes():
                found.append(process.name)
    return found


async def test_sleep_is_ended_by_the_clock(run: Run) -> None:
    done = await run("import time\nprint('here', flush=True)\ntime.sleep(600)", wall_seconds=0.5)
    assert (done.limit, done.exit_code, done.stdout) == ("time", -9, b"here\n")


async def test_output_that_is_closed_does_not_hide_a_run(run: Run) -> None:
    done = await run("import os, time\nos.close(1)\nos.close(2)\ntime.sleep(600)", wall_seconds=0.5)
    assert done.limit == "time"


async def test_busy_loop_is_ended_by_its_processor_time(run: Run) -> None:
    done = await run("while True: pass", cpu_seconds=1, wall_seconds=60)
    assert done.limit == "cpu"
    assert done.cpu_seconds > 0.5


async def test_processor_time_counts_also_where_its_signal_is_ignored(run: Run) -> None:
    code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    assert (await run(code, cpu_seconds=1, wall_seconds=60)).limit == "cpu"


@pytest.mark.parametrize(
    "code",
    ["x = bytearray(2 ** 31)", "x = []\nwhile True: x.append(bytearray(2 ** 20))"],
    ids=["at once", "by and by"],
)
async def test_memory_is_bounded(run: Run, code: str) -> None:
    done = await run(code, memory_bytes=200 * MEGABYTE)
    assert (done.limit, done.exit_code) == ("memory", 1)


async def test_memory_of_node_is_bounded(run: Run) -> None:
    code = "const kept = []; for (;;) kept.push(Buffer.alloc(2 ** 20, 1));"
    done = await run(code, runtime="node", memory_bytes=400 * MEGABYTE)
    assert done.exit_code != 0
    assert done.limit == "memory"


async def test_a_gigabyte_of_output_is_cut_and_costs_no_memory(run: Run) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = await run(
        "import sys\nfor _ in range(1024): sys.stdout.write('x' * 2 ** 20)", output_bytes=MEGABYTE
    )
    assert (done.limit, done.truncated, len(done.stdout)) == ("output", True, MEGABYTE)
    # In kilobytes.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


async def test_files_are_bounded_in_size_and_number(run: Run) -> None:
    code = """
import os
out = os.environ["OUT_DIR"]
try:
    for number in range(100):
        with open(f"{out}/big{number}", "wb") as file:
            file.write(bytes(2 ** 20))
except OSError as error:
    print(error.errno)
for number in range(100):
    os.path.exists(f"{out}/big{number}") and os.remove(f"{out}/big{number}")
for number in range(3000):
    open(f"{out}/{number:05}", "w").close()
"""
    done = await run(code, disk_bytes=8 * MEGABYTE)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == b"28\n"
    assert done.truncated
    assert len(done.files) == 500


async def test_one_large_file_is_refused_by_its_size(run: Run) -> None:
    code = """
import os, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
open(os.environ["OUT_DIR"] + "/a", "wb").truncate(10**12)
"""
    done = await run(code)
    assert b"File too large" in done.stderr


async def test_fork_bomb_and_thread_bomb_end_by_themselves(run: Run) -> None:
    code = """
import os, threading, time
try:
    while True: os.fork()
except PermissionError:
    print("no fork")
threading.stack_size(65536)
count = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
except RuntimeError:
    print(count < 200, flush=True)
    os._exit(0)
"""
    done = await run(code)
    assert (done.exit_code, done.stdout) == (0, b"no fork\nTrue\n"), done.stderr


async def test_processes_that_are_allowed_are_counted_and_ended(run: Run) -> None:
    code = """
import os, time
count = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(600)
        count += 1
except BlockingIOError:
    print(count < 200, flush=True)
"""
    done = await run(code, processes=2)
    assert (done.exit_code, done.stdout) == (0, b"True\n"), done.stderr


async def test_cancelled_run_leaves_no_process(sandbox: LocalSandbox) -> None:
    marker = f"marker-{id(sandbox)}"
    job = SandboxJob(
        runtime="python",
        files={"main.py": b"import time\ntime.sleep(600)"},
        arguments=("main.py", marker),
        limits=SandboxLimits(wall_seconds=600),
    )
    task = asyncio.create_task(sandbox.run(job=job))
    async with asyncio.timeout(30):
        while not _running(marker):
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _running(marker) == []


async def test_a_sandbox_that_closes_ends_what_runs(sandbox: LocalSandbox) -> None:
    marker = f"marker-{id(sandbox)}"
    job = SandboxJob(
        runtime="python",
        files={"main.py": b"import time\ntime.sleep(600)"},
        arguments=("main.py", marker),
        limits=SandboxLimits(wall_seconds=600),
    )
    task = asyncio.create_task(sandbox.run(job=job))
    async with asyncio.timeout(30):
        while not _running(marker):
            await asyncio.sleep(0.01)
        await sandbox.close()
        assert (await task).exit_code == -9


async def test_runs_beyond_the_number_of_places_wait(sandbox: LocalSandbox) -> None:
    job = SandboxJob(runtime="python", files={"main.py": b"print(1)"}, arguments=("main.py",))
    runs = await asyncio.gather(*(sandbox.run(job=job) for _ in range(5)))
    assert [run.stdout for run in runs] == [b"1\n"] * 5


async def test_standard_input_is_read_and_cannot_be_changed(run: Run) -> None:
    code = (
        "import sys\nprint(sys.stdin.read())\n"
        "try: open('/proc/self/fd/0', 'r+b', 0).write(b'x')\nexcept OSError as error: print('sealed')"
    )
    done = await run(code, stdin=b"candles")
    assert done.stdout == b"candles\nsealed\n"


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "", "a\0b"])
async def test_a_file_outside_the_folder_is_refused(sandbox: LocalSandbox, path: str) -> None:
    with pytest.raises(InvalidRequestError):
        await sandbox.run(job=SandboxJob(runtime="python", files={path: b""}, arguments=("main.py",)))


@pytest.mark.parametrize("name", ["A=B", "", "N\0"])
async def test_a_variable_that_cannot_be_is_refused(sandbox: LocalSandbox, name: str) -> None:
    job = SandboxJob(runtime="python", files={}, arguments=("-V",), environment={name: "x"})
    with pytest.raises(InvalidRequestError):
        await sandbox.run(job=job)
