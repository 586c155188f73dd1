"""Makes `provider_schema.json`: what the resources that our files use take and say.

It is read from type declarations that are made from the providers' own schemas:

    npm install --prefix FOLDER --ignore-scripts --legacy-peer-deps \\
        @cdktf/provider-google@16.12.1 @cdktf/provider-random@12.0.1
    python -m infra.checks.tables FOLDER

An argument has its type, with `!` where it is required; `computed` is what only the provider sets; a block is
an object whose member `""` says `block` or `blocks`, with `!` where one has to be there.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from infra.checks.hcl.modules import read_all
from infra.checks.repository import REPOSITORY

TABLE = Path(__file__).with_name("provider_schema.json")
PROVIDERS = {"google": "provider-google", "random": "provider-random", "archive": "provider-archive"}

_INTERFACE = re.compile(r"export interface (\w+)[^{]*\{(.*?)\n\}", re.S)
_PROPERTY = re.compile(
    r"/docs/(?:resources|data-sources)/\w+#(\w+) [^}]*\}(?:(?!\*/).)*\*/"
    r"\s+readonly \w+(\??): ((?:\{.*?\}|[^;{])+);",
    re.S,
)
_CLASS = re.compile(r"\nclass (\w+) extends cdktf\.\w+ \{(.*?)\n\}", re.S)
_READ = re.compile(r"""return this\.get\w+Attribute\('(\w+)'\)|= new (\w+)\(this, "(\w+)\"""")
_PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool"}


def table_of(folder: Path, mode: str, kind: str) -> tuple[str, dict[str, Any]]:
    """The provider's version and the table of one resource (`resource`) or data source (`data`).

    Raises:
        LookupError: the provider has none of this name.
    """
    provider, _, name = kind.partition("_")
    package = folder / "node_modules" / "@cdktf" / PROVIDERS.get(provider, provider) / "lib"
    dashed = name.replace("_", "-")
    library = package / (f"data-{provider}-{dashed}" if mode == "data" else dashed)
    if not (library / "index.d.ts").is_file():
        raise LookupError(f"{mode} {kind}: not in {PROVIDERS.get(provider, provider)}")
    declared = (library / "index.d.ts").read_text(encoding="utf-8")
    interfaces: dict[str, str] = dict(_INTERFACE.findall(declared))
    top = next(
        each for each in interfaces if each.endswith("Config") and "MetaArguments" in _head(declared, each)
    )
    version = re.search(rf"providers/\w+/{provider}/([\d.]+)/docs", declared)
    assert version is not None
    written = _arguments(interfaces, top)
    if written.get("id") == "string":
        # The packages let every resource take its id, the provider does not.
        written["id"] = "computed"
    return version[1], _with_computed(
        written, (library / "index.js").read_text(encoding="utf-8"), top.removesuffix("Config")
    )


def _head(declared: str, name: str) -> str:
    start = declared.index(f"export interface {name} ")
    return declared[start : declared.index("{", start)]


def _arguments(interfaces: dict[str, str], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for argument, optional, kind in _PROPERTY.findall(interfaces[name]):
        needed = "" if optional else "!"
        word = re.match(r"\w+", kind)
        if word is not None and word[0] in interfaces:
            many = "blocks" if "[]" in kind else "block"
            found[argument] = {"": many + needed, **_arguments(interfaces, word[0])}
        else:
            found[argument] = _type(kind) + needed
    return found


def _type(kind: str) -> str:
    map_of = re.match(r"\{\s*\[key: string\]: (\w+)", kind)
    if map_of is not None:
        return f"map({_PRIMITIVES.get(map_of[1], 'any')})"
    word = re.match(r"\w+", kind)
    name = _PRIMITIVES.get(word[0], "any") if word is not None else "any"
    return f"list({name})" if "[]" in kind else name


def _with_computed(written: dict[str, Any], source: str, top: str) -> dict[str, Any]:
    classes: dict[str, str] = dict(_CLASS.findall(source))
    return _read(written, classes, top)


def _read(written: dict[str, Any], classes: dict[str, str], name: str) -> dict[str, Any]:
    found = dict(written)
    for plain, nested, member in _READ.findall(classes.get(name, "")):
        if plain:
            found.setdefault(plain, "computed")
            continue
        inner = re.sub(r"(List|OutputReference)$", "", nested) + "OutputReference"
        known = found.get(member)
        if isinstance(known, dict):
            found[member] = _read(known, classes, inner)
        elif known is None and inner in classes:
            found[member] = {"": "computed", **_read({}, classes, inner)}
        elif known is None:
            found[member] = "computed"
    return found


def make(folder: Path, repository: Path) -> dict[str, Any]:
    """The table of all that our files use."""
    modules = read_all([repository / "infra" / "terraform"], repository)
    used = sorted({(mode, kind) for files in modules.values() for mode, kind, _ in files.resources})
    made: dict[str, Any] = {"providers": {}, "resource": {}, "data": {}}
    for mode, kind in used:
        if kind != "terraform_data":
            version, made[mode][kind] = table_of(folder, mode, kind)
            made["providers"][kind.partition("_")[0]] = version
    return made


@cache
def schema() -> dict[str, Any]:
    """The committed table."""
    loaded: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return loaded


def main(arguments: list[str]) -> int:
    """Writes the table; the argument is the folder that the packages were installed in."""
    made = make(Path(arguments[0]), REPOSITORY)
    lines = [
        f"  {json.dumps(mode)}: {{\n"
        + ",\n".join(
            f"    {json.dumps(kind)}: {json.dumps(table, separators=(',', ':'))}"
            for kind, table in made[mode].items()
        )
        + "\n  }"
        for mode in ("providers", "resource", "data")
    ]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
