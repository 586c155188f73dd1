"""A bot's files in one piece: the zip of the upload form, and one source for a platform that takes no zip."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Mapping

from shared.deployment.bot import Bot
from shared.errors import TooLargeError

MAX_PACKAGE_BYTES = 64 * 1024 * 1024
# The same files give the same bytes: no time of day goes into the archive.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16
_UNIX = 3

_LOADER = """
# The platform takes one source: the bot's other modules are carried here, each as it was.
import importlib.abc as _abc
import importlib.machinery as _machinery
import sys as _sys

_MODULES = {{
{modules}}}


class _Carried(_abc.MetaPathFinder, _abc.InspectLoader):
    def find_spec(self, name, path=None, target=None):
        package = name in _MODULES and _MODULES[name][0]
        return _machinery.ModuleSpec(name, self, is_package=package) if name in _MODULES else None

    def is_package(self, name):
        return _MODULES[name][0]

    def get_source(self, name):
        return _MODULES[name][1]


_sys.meta_path.insert(0, _Carried())

"""


def check_size(sizes: Mapping[str, int]) -> None:
    """Returns when the files are few enough bytes to send; raises TooLargeError."""
    total = sum(sizes.values())
    if total > MAX_PACKAGE_BYTES:
        raise TooLargeError(
            f"the bot's files have {total} bytes: at most {MAX_PACKAGE_BYTES} are deployed",
            limit=MAX_PACKAGE_BYTES,
        )


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """The archive of the files by name, the same for the same files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = _REGULAR_FILE
            member.create_system = _UNIX
            archive.writestr(member, files[name])
    return target.getvalue()


def one_source(bot: Bot) -> str | None:
    """The bot's code as one source text: its entry point, which carries the modules beside it.

    An entry point alone is sent as it is. None when that cannot be: several files of another language.
    """
    try:
        entry = bot.files[bot.entry].decode("utf-8")
        modules = _modules(bot)
    except UnicodeDecodeError:
        return None
    if not modules:
        return entry
    return _with_modules(entry, modules) if bot.entry.endswith(".py") else None


def _with_modules(entry: str, modules: Mapping[str, tuple[bool, str]]) -> str | None:
    """The entry point with the modules behind its docstring and `from __future__` lines, which come first."""
    try:
        body = ast.parse(entry).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    first = 0
    for number, node in enumerate(body):
        is_docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        first = node.end_lineno or first
    lines = entry.split("\n")
    carried = "".join(f"    {name!r}: {module!r},\n" for name, module in modules.items())
    return "\n".join((*lines[:first], _LOADER.format(modules=carried), *lines[first:]))


def _modules(bot: Bot) -> dict[str, tuple[bool, str]]:
    """The modules beside the entry point, tests left out: whether each is a package, and its source."""
    ending = "." + bot.entry.rsplit(".", 1)[-1]
    found: dict[str, tuple[bool, str]] = {}
    for name, data in sorted(bot.files.items()):
        if name == bot.entry or not name.endswith(ending) or name.split("/")[0] in ("tests", "test"):
            continue
        path = name.removesuffix(ending).split("/")
        package = path[-1] == "__init__" and len(path) > 1
        found[".".join(path[:-1] if package else path)] = (package, data.decode("utf-8"))
    for parent in [parent for name in found for parent in _parents(name)]:
        found.setdefault(parent, (True, ""))
    return found


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]
