"""Programs that try to get out: each tries many ways and prints what came of each as one JSON object."""

from __future__ import annotations

TRYING = """
import json, os, sys
tried = {}
def attempt(name, action):
    try:
        got = action()
    except BaseException as error:
        tried[name] = type(error).__name__
    else:
        tried[name] = f"worked: {got!r}"[:200]
"""
TOLD = "\nprint(json.dumps(tried))\n"

FILES = (
    TRYING
    + """
for path in ("/etc/passwd", "/etc/shadow", "/root/.bashrc", "/home", "/var", "/sys", "/proc/kcore",
             "/proc/1/root/etc/passwd", "/proc/1/environ", "/proc/sysrq-trigger", "/dev/mem",
             "/dev/kmsg", "/dev/sda", HOST_FILE):
    attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1))
for path in ("/job/main.py", "/job/new", "/new", "/usr/new", "/packages/new.py", "/dev/new", "/dev/shm/new",
             "/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", HOST_FILE):
    attempt("write " + path, lambda: open(path, "w").write("x"))
attempt("hard link", lambda: os.link("/job/main.py", os.environ["OUT_DIR"] + "/main.py"))
attempt("chmod", lambda: os.chmod("/job/main.py", 0o777))
attempt("device", lambda: os.mknod(os.environ["OUT_DIR"] + "/disk", 0o60666, os.makedev(8, 0)))
attempt("chroot", lambda: os.chroot("/scratch"))
attempt("root", lambda: os.setuid(0))
attempt("up", lambda: open("/job/../../../../../../" + HOST_FILE).read())
"""
    + TOLD
)

CALLS = (
    TRYING
    + """
import ctypes, signal, socket, subprocess, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *values):
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(one) for one in values))
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result
for family in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"):
    kind = socket.SOCK_RAW if family == "AF_PACKET" else socket.SOCK_STREAM
    attempt(family, lambda: socket.socket(getattr(socket, family), kind))
attempt("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0/tmp/.X11-unix/X0"))
attempt("name", lambda: socket.create_connection(("localhost", 80), 1))
attempt("fork", os.fork)
attempt("spawn", lambda: subprocess.run(["/usr/bin/prlimit"]))
attempt("ptrace", lambda: call(101, 16, 1, 0, 0))
attempt("io_uring", lambda: call(425, 8, 0))
attempt("user namespace", lambda: call(272, 0x10000000))
attempt("clone user namespace", lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0))
attempt("clone3", lambda: call(435, 0, 0))
attempt("mount", lambda: call(165, 0, 0, 0, 0, 0))
attempt("open_tree", lambda: call(428, -100, 0, 0))
attempt("keyctl", lambda: call(250, 0, -3, 0, 0, 0))
attempt("bpf", lambda: call(321, 0, 0, 0))
attempt("perf", lambda: call(298, 0, 0, -1, -1, 0))
attempt("userfaultfd", lambda: call(323, 0))
attempt("memfd", lambda: call(319, 0, 0))
attempt("shm", lambda: call(29, 0, 4096, 0o1600))
attempt("setns", lambda: call(308, 0, 0))
attempt("vm_read", lambda: call(310, 1, 0, 0, 0, 0, 0))
attempt("signal host", lambda: os.kill(HOST_PID, signal.SIGTERM))
attempt("raise limit", lambda: __import__("resource").setrlimit(7, (100000, 100000)))
attempt("nice", lambda: os.nice(-5))
started = threading.Thread(target=lambda: tried.update(thread="ran"))
started.start()
started.join()
"""
    + TOLD
)

# What a bot may need, and must go on working.
ORDINARY = """
import asyncio, concurrent.futures, decimal, json, os, pathlib, sqlite3, ssl, tempfile, zoneinfo
async def main():
    await asyncio.sleep(0)
    return await asyncio.to_thread(lambda: 7)
with tempfile.TemporaryFile() as file:
    file.write(b"x")
out = pathlib.Path(os.environ["OUT_DIR"])
(out / "state").mkdir()
(out / "state" / "a.json").write_text("{}")
print(json.dumps({
    "asyncio": asyncio.run(main()),
    "time zone": str(zoneinfo.ZoneInfo("Europe/Berlin")),
    "data": pathlib.Path("data/candles.csv").read_text(),
    "names": sorted(os.environ),
    "uid": os.getuid(),
    "processes": sum(name.isdigit() for name in os.listdir("/proc")),
}))
"""

LINKS = """
import os
out = os.environ["OUT_DIR"]
os.chdir(out)
os.symlink("/etc/passwd", "passwd")
os.symlink("/proc/self/environ", "environ")
os.symlink("/", "root")
os.symlink(HOST_FILE, "host")
os.mkfifo("pipe")
os.mkdir("closed")
open("closed/a", "w").write("x")
os.chmod("closed", 0)
open("plain.txt", "w").write("kept")
os.link("plain.txt", "same.txt")
open(b"\\xff\\xfe", "w").write("no text")
for depth in range(30):
    os.mkdir("d")
    os.chdir("d")
open("deep", "w").write("x")
"""

# Begins with a line that names HOST_FILE.
NODE = """
const fs = require("fs"), net = require("net"), child = require("child_process");
const tried = {};
const attempt = (name, action) => {
  try { tried[name] = "worked: " + action(); } catch (error) { tried[name] = error.code || error.message; }
};
attempt("read", () => fs.readFileSync(HOST_FILE));
attempt("passwd", () => fs.readFileSync("/etc/passwd"));
attempt("write", () => fs.writeFileSync("/job/x", "x"));
attempt("spawn", () => { throw child.spawnSync("/usr/bin/node", ["-v"]).error; });
attempt("environment", () => {
  if (Object.keys(process.env).includes("LOGNAME")) return "seen";
  throw new Error("none");
});
fs.writeFileSync(process.env.OUT_DIR + "/result.json", "{}");
net.connect(80, "127.0.0.1").on("error", (error) => {
  tried.connect = error.code;
  console.log(JSON.stringify(tried));
});
"""
