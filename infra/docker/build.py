"""Builds the stages of a Dockerfile in bare machines, instruction by instruction."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from infra.docker.dockerfile import DockerfileError, Instruction, Stage, filled, pairs
from infra.docker.machine import layer, run_in

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True)
class Image:
    """A stage while it is built, and when it is: its root file system and what a container of it is given."""

    root: Path
    arguments: dict[str, str]
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    labels: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    built: dict[str, Image] = field(default_factory=dict)
    context: Path = Path()

    def inside(self, path: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / str(Path(self.folder, path)).lstrip("/")


def build(
    stages: list[Stage],
    *,
    base_of: Callable[[str], Path],
    context: Path,
    folder: Path,
    arguments: dict[str, str],
    stack: ExitStack,
) -> Image:
    """The image of the last stage; `base_of` gives the root file system that stands for an image's name.

    Its layers stay mounted until the stack is closed.

    Raises:
        DockerfileError: an instruction asks for what is not there.
        subprocess.CalledProcessError: a RUN failed.
    """
    built: dict[str, Image] = {}
    for stage in stages:
        root = stack.enter_context(layer(base_of(stage.base), folder / stage.name))
        image = Image(root, dict(arguments), built=built, context=context)
        for instruction in stage.instructions:
            began = time.monotonic()
            _STEPS[instruction.word](image, instruction)
            seconds = time.monotonic() - began
            sys.stdout.write(f"{seconds:7.1f} s  {stage.name}: {instruction.word} {instruction.text[:120]}\n")
            sys.stdout.flush()
        built[stage.name] = image
    return built[stages[-1].name]


def _arg(image: Image, instruction: Instruction) -> None:
    for name, value in pairs(instruction).items():
        image.arguments.setdefault(name, value)


def _env(image: Image, instruction: Instruction) -> None:
    known = {**image.arguments, **image.environment}
    image.environment |= {name: filled(value, known) for name, value in pairs(instruction).items()}


def _label(image: Image, instruction: Instruction) -> None:
    known = {**image.arguments, **image.environment}
    image.labels |= {name: filled(value, known) for name, value in pairs(instruction).items()}


def _workdir(image: Image, instruction: Instruction) -> None:
    image.folder = str(Path(image.folder, instruction.text))
    image.inside(".").mkdir(parents=True, exist_ok=True)


def _run(image: Image, instruction: Instruction) -> None:
    if image.user != "0:0":
        raise DockerfileError("RUN: stands after USER, which is not used here")
    variables = {**image.arguments, **image.environment, "HOME": "/root"}
    run_in(image.root, instruction.text, folder=image.folder, variables=variables)


def _copy(image: Image, instruction: Instruction) -> None:
    words = instruction.words
    source = image.context
    if words[0].startswith("--from="):
        source = image.built[words.pop(0).removeprefix("--from=")].root
    if words[0].startswith("--"):
        raise DockerfileError(f"COPY: {words[0]} is not used here")
    *names, target = words
    for name in names:
        _copied(source / name.lstrip("/"), image, target, into=target.endswith("/"))


def _copied(source: Path, image: Image, target: str, *, into: bool) -> None:
    place = image.inside(target)
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
    elif source.is_file():
        place = place / source.name if into or place.is_dir() else place
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, place)
    else:
        raise DockerfileError(f"COPY: {source} is not there")


def _user(image: Image, instruction: Instruction) -> None:
    image.user = instruction.text


def _volume(image: Image, instruction: Instruction) -> None:
    for place in instruction.words:
        image.inside(place).mkdir(parents=True, exist_ok=True)
        image.volumes.append(place)


def _entrypoint(image: Image, instruction: Instruction) -> None:
    image.entrypoint = instruction.words


def _cmd(image: Image, instruction: Instruction) -> None:
    image.command = instruction.words


def _health(image: Image, instruction: Instruction) -> None:
    _, _, command = instruction.text.partition("CMD ")
    image.health = Instruction("CMD", command.strip()).words


def _told(image: Image, instruction: Instruction) -> None:
    """EXPOSE and STOPSIGNAL: for those who run the image; nothing is built by them."""


_STEPS: dict[str, Callable[[Image, Instruction], None]] = {
    "ARG": _arg,
    "ENV": _env,
    "LABEL": _label,
    "WORKDIR": _workdir,
    "RUN": _run,
    "COPY": _copy,
    "USER": _user,
    "VOLUME": _volume,
    "ENTRYPOINT": _entrypoint,
    "CMD": _cmd,
    "HEALTHCHECK": _health,
    "EXPOSE": _told,
    "STOPSIGNAL": _told,
}
