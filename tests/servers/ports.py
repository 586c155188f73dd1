"""Free ports, and waiting for a server to answer."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import time

import httpx

# Below the ports that the kernel gives to outgoing connections (32768 and up on Linux): one of those may be
# gone when a server comes to take it, or takes it again after it was killed.
_FIRST, _LAST = 12_000, 32_000
_given: set[int] = set()


def free_port() -> int:
    """A port that was free just now, and that this process was not given before."""
    while True:
        port = random.randint(_FIRST, _LAST)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def is_open(port: int) -> bool:
    """Whether something on this machine takes connections at the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Returns when the URL answers 200; raises AssertionError when the process ends or time runs out."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False, timeout=2).status_code == 200:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing answered at {url} in {seconds} s")
