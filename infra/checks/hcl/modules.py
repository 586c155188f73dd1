"""One module's files: what it declares, before anything has a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.checks.hcl.parsing import parse_file
from infra.checks.hcl.syntax import Block, Expression, Literal
from infra.checks.problem import ConfigurationProblem

_TAKES_LABELS = {
    "locals": 0,
    "terraform": 0,
    "check": 1,
    "moved": 0,
    "removed": 0,
    "import": 0,
    "variable": 1,
    "output": 1,
    "module": 1,
    "provider": 1,
    "resource": 2,
    "data": 2,
}


@dataclass(slots=True)
class ModuleFiles:
    """The declarations of a folder; `resources` also has the data sources, by mode, type and name."""

    folder: Path
    shown: str
    files: list[Block] = field(default_factory=list)
    variables: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    calls: dict[str, Block] = field(default_factory=dict)
    resources: dict[tuple[str, str, str], Block] = field(default_factory=dict)
    local_values: dict[str, tuple[Expression, str]] = field(default_factory=dict)

    def called(self, call: Block) -> Path:
        """The folder of a module that is called."""
        source = call.attributes.get("source")
        if not isinstance(source, Literal) or not str(source.value).startswith("."):
            raise ConfigurationProblem(call.where, "source takes the path of a module here, ./ or ../")
        return (self.folder / str(source.value)).resolve()


def read_module(folder: Path, root: Path) -> ModuleFiles:
    """A folder's files; `root` is what problems leave out of their paths.

    Raises:
        ConfigurationProblem: something cannot be read, or is declared twice.
    """
    shown = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else folder.name
    module = ModuleFiles(folder, shown)
    paths = sorted(folder.glob("*.tf"))
    if not paths:
        raise ConfigurationProblem(shown, "there are no .tf files")
    for path in paths:
        content = parse_file(path, f"{shown}/{path.name}")
        module.files.append(content)
        for block in content.blocks:
            _declare(module, block)
    return module


def _declare(module: ModuleFiles, block: Block) -> None:
    if block.kind not in _TAKES_LABELS:
        raise ConfigurationProblem(block.where, f"there are no blocks of the kind {block.kind}")
    if len(block.labels) != _TAKES_LABELS[block.kind]:
        raise ConfigurationProblem(block.where, f"{block.kind} takes {_TAKES_LABELS[block.kind]} labels")
    if block.kind == "locals":
        for name, value in block.attributes.items():
            _once(module.local_values, name, (value, block.places[name]), block.places[name])
    elif block.kind == "check":
        for inner in block.of_kind("data"):
            _declare(module, inner)
    elif block.kind in {"resource", "data"}:
        _once(module.resources, (block.kind, *block.labels), block, block.where)
    else:
        kinds = {"variable": module.variables, "output": module.outputs, "module": module.calls}
        if block.kind in kinds:
            _once(kinds[block.kind], block.labels[0], block, block.where)


def _once(declared: dict[Any, Any], name: Any, value: object, where: str) -> None:
    if name in declared:
        shown = name if isinstance(name, str) else ".".join(name[1:])
        raise ConfigurationProblem(where, f"{shown} is declared twice")
    declared[name] = value


def read_all(roots: list[Path], root: Path) -> dict[Path, ModuleFiles]:
    """The modules of some folders and all that they call, by folder."""
    found: dict[Path, ModuleFiles] = {}
    waiting = [folder.resolve() for folder in roots]
    while waiting:
        folder = waiting.pop()
        if folder not in found:
            found[folder] = read_module(folder, root)
            waiting.extend(found[folder].called(call) for call in found[folder].calls.values())
    return found


def all_blocks(block: Block) -> Iterator[Block]:
    """A block and all blocks in it."""
    yield block
    for inner in block.blocks:
        yield from all_blocks(inner)
