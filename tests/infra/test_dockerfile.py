"""The Dockerfile and what goes to the engine, as far as they can be known without building."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from infra.docker.container import PROFILE, filter_descriptor
from infra.docker.context import context_files
from infra.docker.dockerfile import DockerfileError, Stage, filled, pairs, read_dockerfile
from infra.docker.trials import TRIALS
from infra.local.gateway import TARGETS
from tests.servers.agent_process import ROOT

# What bubblewrap and our own set-up program make a sandbox of.
_OF_THE_SANDBOX = {"clone", "mount", "pivot_root", "prctl", "seccomp", "umount2", "unshare"}


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    """The stages of our Dockerfile."""
    return read_dockerfile((ROOT / "Dockerfile").read_text())


def test_instructions_are_read_as_docker_reads_them() -> None:
    read = read_dockerfile(
        "# a comment\nFROM debian:12 AS first\nRUN one \\\n  # in between\n  && two\n"
        'from first\nENV A=1 B="two words"\nCMD ["x", "--y"]\n'
    )
    assert [(one.base, one.name) for one in read] == [("debian:12", "first"), ("first", "1")]
    assert read[0].instructions[0].text == "one && two"
    assert pairs(read[1].instructions[0]) == {"A": "1", "B": "two words"}
    assert read[1].instructions[1].words == ["x", "--y"]
    assert filled("${A}-$B-${C}", {"A": "1", "B": "2"}) == "1-2-"
    with pytest.raises(DockerfileError, match="MAINTAINER"):
        read_dockerfile("FROM a\nMAINTAINER me")
    with pytest.raises(DockerfileError, match="before the first FROM"):
        read_dockerfile("RUN x")


def test_bases_are_pinned_by_tag(stages: list[Stage]) -> None:
    for stage in stages:
        assert re.fullmatch(r"[a-z]+:\d+(\.\d+)*-(slim-)?bookworm(-slim)?(@sha256:[0-9a-f]{64})?", stage.base)


def test_the_image_runs_as_a_number_that_is_not_root_and_stops_and_is_asked(stages: list[Stage]) -> None:
    image = stages[-1]
    user = image.last("USER")
    assert user is not None
    # A number: Kubernetes' runAsNonRoot cannot judge a name.
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user.text)
    words = [one.word for one in image.instructions]
    # Nothing is built as anybody but root, and nothing after.
    assert "RUN" not in words[words.index("USER") :]
    for word in ("ENTRYPOINT", "HEALTHCHECK"):
        found = image.last(word)
        # In JSON form: through a shell no signal would reach the process.
        assert found is not None
        assert "[" in found.text
    stop = image.last("STOPSIGNAL")
    assert stop is not None
    assert stop.text == "SIGTERM"
    environment = {name for one in image.all("ENV") for name in pairs(one)}
    assert {"COMMIT_HASH", "BUILD_DATE", "DATA_DIR", "HOST", "PORT"} <= environment
    labels = {name for one in image.all("LABEL") for name in pairs(one)}
    assert {"org.opencontainers.image.revision", "org.opencontainers.image.created"} <= labels


def test_packages_come_with_hashes(stages: list[Stage]) -> None:
    python = next(one for one in stages if one.name == "python")
    installing = [one.text for one in python.all("RUN") if "pip install" in one.text]
    assert installing
    assert all("--require-hashes" in text for text in installing)


def test_every_copied_file_goes_to_the_engine(stages: list[Stage]) -> None:
    sent = [path.as_posix() for path in context_files(ROOT)]
    for stage in stages:
        for copy in stage.all("COPY"):
            if not copy.text.startswith("--from"):
                for name in copy.words[:-1]:
                    assert any(one == name or one.startswith(f"{name.rstrip('/')}/") for one in sent), name


def test_only_what_the_image_is_made_of_goes_to_the_engine(tmp_path: Path) -> None:
    for name in (
        *("functions/chat/main.py", "shared/ids.py", "infra/__init__.py", "infra/container/serve.py"),
        *("infra/terraform/main.tf", "infra/docker/prove.py", "tests/test_it.py", "bench/run.py", "LICENSE"),
        *(
            "shared/.env",
            "functions/chat/.env.local",
            "shared/key.pem",
            "shared/__pycache__/ids.pyc",
            "notes.txt",
        ),
        *(".env", "agent.env", "requirements.lock", "requirements-dev.lock", "node_modules/x/package.json"),
        *("shared/tools/documentation/pages/.search-index.json", "shared/tools/documentation/pages/a.md"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    assert [path.as_posix() for path in context_files(tmp_path)] == [
        "LICENSE",
        "functions/chat/main.py",
        "infra/__init__.py",
        "infra/container/serve.py",
        "requirements.lock",
        "shared/ids.py",
        "shared/tools/documentation/pages/a.md",
    ]


def test_the_profile_lets_the_sandbox_be_made_and_the_kernel_takes_it() -> None:
    profile = json.loads(PROFILE.read_text())
    refused = {name for group in profile["syscalls"] for name in group["names"]}
    assert not refused & _OF_THE_SANDBOX
    assert {"bpf", "io_uring_setup", "ptrace", "keyctl", "userfaultfd", "setns", "init_module"} <= refused
    descriptor = filter_descriptor(PROFILE)
    try:
        # struct sock_filter, eight bytes each.
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    assert size > 0
    assert size % 8 == 0


def test_every_function_is_tried() -> None:
    assert {trial.variables.get("FUNCTION_TARGET", "gateway") for trial in TRIALS} == {*TARGETS, "gateway"}
