"""A process that has imported the agent, and forks one for each that a test starts.

Importing is most of what a start costs: two seconds of a core, or four with the model's client, hundreds of
times in a run of all tests. `python -m tests.servers.nursery` takes requests on its standard input, a socket,
and ends when that is closed. Between it and each agent stands a keeper, which tells on the request's own
socket which process it is, and how it ended.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import os
import pkgutil
import runpy
import signal
import socket
import sys
import warnings
from typing import NoReturn

import orjson

# What our modules import at first use, and that begins no thread by being imported: clients, and the host.
_LATER = (
    *("aiohttp", "alembic.command", "bandit.core.manager", "bs4", "google.genai.types", "jsonschema", "jwt"),
    *("lxml.html", "nats", "prometheus_client", "redis.asyncio", "yaml"),
    *("alembic.config", "encodings.idna", "functions_framework.aio", "uvicorn.lifespan.on"),
    *("uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl"),
)
# What runs elsewhere: inside the sandbox, in a bot, under alembic; or when it is imported.
_ELSEWHERE = (".inside", ".templates.python", ".migrations.", "__main__")
# What makes an application from this process's settings when it is imported.
_APPLICATIONS = ("routes", "main", "serve", "nats_bridge")
_REQUEST_BYTES = 200_000
_FILES = 3
# What a process that is started afresh would have.
_INTERRUPTED = signal.getsignal(signal.SIGINT)


class _Leaving:
    """The last thing a fork does, when its threads have ended and all else that is registered has run.

    It takes no module apart, as the interpreter would: that touches, and so copies, every page that the forks
    have in common, and is half of what a start and a stop cost.
    """

    def __init__(self) -> None:
        self.status = 0

    def __call__(self) -> NoReturn:
        """Ends the process."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(self.status)


def main() -> None:
    """Forks until the requests end; returns in each fork, as the process that was asked for."""
    requests = socket.socket(fileno=os.dup(0))
    # The terminal's Ctrl-C is for pytest, which ends what it started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import_all()
    while True:
        request, files, _, _ = socket.recv_fds(requests, _REQUEST_BYTES, _FILES)
        if not request:
            sys.exit(0)
        if os.fork() == 0:
            requests.close()
            _keep(request, *files)
            return
        for each in files:
            os.close(each)
        _wait_for_the_ended()


def _keep(request: bytes, connection: int, out: int, log: int) -> None:
    """Starts the process and stays with it to its end; returns in the process alone."""
    _end_with_parent()
    pid = os.fork()
    if pid == 0:
        os.close(connection)
        _become(request, out, log)
        return
    os.close(out)
    os.close(log)
    _tell_of(pid, connection)


def _tell_of(pid: int, connection: int) -> NoReturn:
    os.write(connection, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(connection, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(request: bytes, out: int, log: int) -> None:
    """Makes this process one that was started afresh, in its folder, with its variables and files."""
    _end_with_parent()
    signal.signal(signal.SIGINT, _INTERRUPTED)
    asked = orjson.loads(request)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, out, log)):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.path[0] = asked["folder"]
    sys.argv = [asked["module"], *asked["arguments"]]


def _wait_for_the_ended() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def _import_all() -> None:
    for root in ("shared", "functions"):
        for module in pkgutil.walk_packages(importlib.import_module(root).__path__, f"{root}."):
            if not (any(part in module.name for part in _ELSEWHERE) or module.name.endswith(_APPLICATIONS)):
                importlib.import_module(module.name)
    for name in _LATER:
        importlib.import_module(name)
    # A collection in a fork would touch, and so copy, every page that all have in common.
    gc.collect()
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1, "a fork has but one of its threads"
    assert not sys.modules["shared.settings"].settings.cache_info().currsize, "a fork reads its own settings"


def _end_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _run() -> None:
    """Runs the module that was asked for, as `python -m` does."""
    try:
        with warnings.catch_warnings():
            # It was imported before it is run: that is what this process is for.
            warnings.simplefilter("ignore", RuntimeWarning)
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        _leaving.status = _status_of(ended.code)
        raise
    except KeyboardInterrupt:
        # The interpreter ends itself with the signal.
        atexit.unregister(_leaving)
        raise
    except BaseException:
        _leaving.status = 1
        raise


def _status_of(code: object) -> int:
    """The exit status that the interpreter makes of what SystemExit was given."""
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


_leaving = _Leaving()

if __name__ == "__main__":
    # What is registered first runs last.
    atexit.register(_leaving)
    main()
    _run()
