"""What several workers of one service have counted: each keeps its figures in files of a folder.

The folder is PROMETHEUS_MULTIPROC_DIR, which the client library reads by itself. Whichever worker is asked
adds them up. What workers that are gone had counted is folded into one file a kind, so that neither the
counts nor the number of files depend on how often workers were replaced; what they measured at the moment
is dropped. Source: prometheus_client, "Multiprocess Mode (E.g. Gunicorn)".
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_ADDED_UP = ("counter", "histogram", "summary")
_GONE = "gone"


def text_of_workers(folder: Path, more: Iterable[Collector] = ()) -> bytes:
    """The metrics of all workers in Prometheus' text format, with those of `more`."""
    registry = CollectorRegistry()
    for each in more:
        registry.register(each)
    with _alone(folder):
        _tidy(folder)
        # The library ships no types for this one.
        MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _tidy(folder: Path) -> None:
    for path in sorted(folder.glob("*.db")):
        kind, _, owner = path.stem.rpartition("_")
        if owner == _GONE or not owner.isdigit() or _lives(int(owner)):
            continue
        if kind in _ADDED_UP:
            _fold(path, folder / f"{kind}_{_GONE}.db")
        path.unlink()


def _fold(dead: Path, into: Path) -> None:
    # The library ships no types for its files.
    files: Any = MmapedDict
    kept = files(str(into))
    try:
        for key, value, _, _ in files.read_all_values_from_file(str(dead)):
            before, _ = kept.read_value(key)
            kept.write_value(key, before + value, 0.0)
    finally:
        kept.close()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One worker at a time: who adds up while another folds would count twice."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
