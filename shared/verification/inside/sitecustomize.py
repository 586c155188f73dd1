"""Loaded by the interpreter before a bot's code: writes down what the bot tries to reach outside its folder.

It runs inside the sandbox, which is what keeps the bot in; this only tells of it. The standard library is all
it imports.
"""

import os
import sys
import types

_OUT = os.environ.get("OUT_DIR", "")
_OWN = (
    *("/job", "/scratch", "/packages", "/dev/null", "/dev/urandom", sys.prefix, sys.base_prefix),
    # The link to /scratch.
    "/tmp",  # noqa: S108
    *("/usr/lib", "/lib", "/usr/share/zoneinfo", "/proc/self", "/proc/cpuinfo", "/proc/meminfo"),
    # Asked for by numerical libraries, for the time zone and by the resolver of modules.
    *("/etc/localtime", "/etc/timezone", "/proc/stat", "/sys/fs/cgroup", "/sys/devices", "/query"),
)
_REACHING = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")
_STARTING = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
)
_SIGNALLING = ("os.kill", "os.killpg")
_log = os.open(os.path.join(_OUT, "attempts.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
_told: set[str] = set()


def _tell(line: str) -> None:
    if len(_told) < 100 and line not in _told:
        _told.add(line)
        os.write(_log, line.encode(errors="replace")[:300].replace(b"\n", b" ") + b"\n")


def _is_feature_test() -> bool:
    """Whether urllib3 asks, at its import, if this machine has IPv6."""
    frame: types.FrameType | None = sys._getframe(2)
    while frame is not None:
        if (
            frame.f_code.co_filename.endswith("urllib3/util/connection.py")
            and frame.f_code.co_name == "_has_ipv6"
        ):
            return True
        frame = frame.f_back
    return False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and arguments:
        path = arguments[0]
        if isinstance(path, (str, bytes)):
            name = os.path.abspath(os.fsdecode(path))
            if not name.startswith(_OWN):
                _tell(f"file {name}")
    elif event == "os.listdir" and arguments and isinstance(arguments[0], (str, bytes)):
        name = os.path.abspath(os.fsdecode(arguments[0]))
        if not name.startswith(_OWN):
            _tell(f"folder {name}")
    elif event in _REACHING or (event == "socket.__new__" and arguments[1] in (2, 10)):
        if not _is_feature_test():
            _tell(f"network {event}")
    elif event in _STARTING:
        _tell(f"process {event}")
    elif event in _SIGNALLING:
        _tell(f"signal {event}")


sys.addaudithook(_watch)
# Taken away: the bot finds the environment that it finds without it.
if _report := os.environ.pop("BLOCKS_FILE", ""):
    __import__("covered_run").start(_report)
    # The bot may have modules of these names.
    del sys.modules["covered_run"], sys.modules["block_marks"]
