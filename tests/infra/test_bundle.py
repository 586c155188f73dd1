"""The upload holds what the functions need and nothing else, the same bytes each time, and starts."""

from __future__ import annotations

import compileall
import hashlib
import json
import subprocess
import sys
import zipfile
from contextlib import AbstractContextManager, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from infra.bundle.__main__ import ROOT, main
from infra.bundle.archive import MAX_BYTES, write_archive
from infra.bundle.contents import INDEX, bundle_files
from infra.bundle.requirements import for_resolver
from shared.errors import ConfigurationError, TooLargeError
from tests.infra.unpacked import check_all, started_as_buildpack

_BINARIES = Path(sys.executable).parent


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundle of this checkout is."""
    return tmp_path_factory.mktemp("bundle") / "dist" / "the0-agent.zip"


@pytest.fixture(scope="module", autouse=True)
def listing(bundle: Path) -> str:
    """What making the bundle prints."""
    said = StringIO()
    with redirect_stdout(said):
        assert main(["--out", str(bundle)]) == 0
    return said.getvalue()


@pytest.fixture(scope="module")
def unpacked(bundle: Path) -> Path:
    """The bundle's files in a folder of their own."""
    folder = bundle.parent / "workspace"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    # As Google's buildpack does: one file that does not compile fails the build.
    assert compileall.compile_dir(folder, quiet=1)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small repository with what a bundle is made of."""
    root = tmp_path / "checkout"
    files = {
        "functions/chat/main.py": "pass\n",
        "shared/ids.py": "pass\n",
        INDEX: "{}",
        "LICENSE": "words",
        "requirements.lock": "starlette==1.0\n",
        "package-lock.json": json.dumps({"packages": {"": {}, "node_modules/decimal.js": {}}}),
        "node_modules/decimal.js/package.json": "{}",
        ".gitignore": "node_modules/\n.search-index.json\n",
        "tests/test_it.py": "pass\n",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    _git(root, "init", "-q")
    _git(root, "add", ".")
    return root


def test_it_holds_the_sources_their_requirements_and_the_index(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        required = archive.read("requirements.txt").decode()
    for pin in (ROOT / "requirements.lock").read_text().split("\n"):
        assert f"{pin}\n" in required
    assert "\ngoogle-auth==" in required
    assert {"functions/chat/main.py", "shared/settings.py", "LICENSE", INDEX} <= names
    assert {"node_modules/decimal.js/decimal.js", "node_modules/oxlint/package.json"} <= names
    assert {name.split("/")[0] for name in names} == {
        *("functions", "shared", "node_modules", "LICENSE", "requirements.txt")
    }
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".env", ".db"))]
    assert not [name for name in names if "prettier" in name or "firestore-emulator" in name]


def test_it_is_small_and_lists_what_it_holds(listing: str, bundle: Path) -> None:
    assert bundle.stat().st_size < MAX_BYTES
    assert hashlib.sha256(bundle.read_bytes()).hexdigest() in listing
    assert f"{bundle.stat().st_size:,} bytes" in listing
    assert "  functions/chat/main.py\n" in listing


def test_bytes_do_not_depend_on_the_order(tmp_path: Path) -> None:
    first = write_archive({"a": b"1", "b": b"2"}, tmp_path / "first.zip")
    second = write_archive({"b": b"2", "a": b"1"}, tmp_path / "second.zip")
    assert first.sha256 == second.sha256
    with pytest.raises(TooLargeError, match="allowed"):
        write_archive({"a": b"1"}, tmp_path / "third.zip", max_bytes=50)
    assert not (tmp_path / "third.zip").exists()


def test_a_pin_with_extras_stands_without_them_too() -> None:
    plain = "anyio==4 \\\n    --hash=sha256:aa\n"
    hashes = "==2.62 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    found = for_resolver(f"{plain}google-auth[requests]{hashes}")
    assert found == f"{plain}google-auth{hashes}google-auth[requests]{hashes}"


def test_what_git_does_not_track_stays_here(checkout: Path) -> None:
    (checkout / "shared" / "notes.txt").write_text("mine")
    (checkout / "shared" / "__pycache__").mkdir()
    (checkout / "shared" / "__pycache__" / "ids.pyc").write_text("")
    assert list(bundle_files(checkout)) == [
        "LICENSE",
        "functions/chat/main.py",
        "node_modules/decimal.js/package.json",
        "requirements.txt",
        "shared/ids.py",
        INDEX,
    ]


@pytest.mark.parametrize(
    "name", ["shared/.env", "shared/.env.production", "functions/key.pem", "shared/agent.creds"]
)
def test_a_secret_that_git_tracks_stops_it(checkout: Path, name: str) -> None:
    (checkout / name).write_text("SECRET=1")
    _git(checkout, "add", "-f", name)
    with pytest.raises(ConfigurationError, match="looks like a secret"):
        bundle_files(checkout)


@pytest.mark.parametrize("name", [INDEX, "node_modules/decimal.js/package.json", "requirements.lock"])
def test_what_is_missing_is_named(checkout: Path, name: str) -> None:
    (checkout / name).unlink()
    with pytest.raises(ConfigurationError, match=name.removesuffix("/package.json")):
        bundle_files(checkout)


def test_a_folder_that_git_does_not_know_makes_no_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError, match="git checkout"):
        bundle_files(tmp_path)
    assert main([], root=tmp_path) == 1
    assert "index was not built" in capsys.readouterr().err


def test_each_function_starts_from_it_as_a_buildpack_starts_it(unpacked: Path, tmp_path: Path) -> None:
    def start(target: str) -> AbstractContextManager[str]:
        return started_as_buildpack(unpacked, target, _BINARIES, tmp_path / target)

    check_all(start)


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)
