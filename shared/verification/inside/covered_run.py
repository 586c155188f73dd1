"""Has a bot's modules run with marked blocks, and writes down at the end which of them never ran.

Loaded by sitecustomize.py where BLOCKS_FILE asks for it. What cannot be marked, for whatever reason, runs as
it is. The standard library is all it imports.
"""

import atexit
import builtins
import json
import os
import sys
import types
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from shared.verification.inside.block_marks import Block, marked
else:
    # Inside, the two lie in one folder and in no package.
    from block_marks import Block, marked

_JOB = "/job/"
_WATCH_FOLDER = "_watch/"
# The list of a module's marks is a built-in name, so that no module has a name more. Two underscores at the
# start would be mangled in classes.
_MARKS = "_the0_ran_"
# The blocks and the marks of each file.
_found: dict[str, tuple[list[Block], list[int]]] = {}
_plain_code = SourceFileLoader.source_to_code
_plain_exit = os._exit


def start(report: str) -> None:
    """Marks what is loaded from now on; the report is written to this file when the interpreter ends."""
    SourceFileLoader.source_to_code = _code_of_module  # type: ignore[method-assign,assignment]
    sys.addaudithook(_Entry())
    # The first to be registered, and so the last to be called.
    atexit.register(_write, report)

    def leave(status: int) -> NoReturn:
        _write(report)
        _plain_exit(status)

    # It ends a process without what is registered.
    os._exit = leave


def _code_of_module(loader: SourceFileLoader, data: Any, path: Any, *, _optimize: int = -1) -> types.CodeType:
    """In place of the loader's own: every module that is compiled from a file comes by here."""
    code = _marked_code(data, path, _optimize) if isinstance(path, str) else None
    return code if code is not None else _plain_code(loader, data, path, _optimize=_optimize)


def _marked_code(source: Any, path: str, optimize: int = -1) -> types.CodeType | None:
    """The module's code with its marks; None where it is not the bot's or cannot be marked."""
    name = os.path.normpath(path).removeprefix(_JOB)
    if name == path or name.startswith(_WATCH_FOLDER) or not isinstance(source, bytes):
        return None
    name_of_marks = _MARKS + name.encode().hex()
    try:
        tree, blocks = marked(source, marks=name_of_marks)
        code = compile(tree, path, "exec", dont_inherit=True, optimize=optimize)
        # A file may be loaded twice, as a module and as the program, and by two threads at once.
        known, marks = _found.setdefault(name, (blocks, [0] * len(blocks)))
        setattr(builtins, name_of_marks, marks)
        return code if known == blocks else None
    # Whatever it is: as it stands the module may run all the same, or fails by its own fault.
    except Exception:  # noqa: BLE001
        return None


class _Entry:
    """Runs the program that the interpreter was started with from its marked code, in its place.

    The interpreter reads that file itself, past all loaders. But it tells, as an audit event, when it is
    about to run it, and `__main__`, the arguments and the path are then as they are without us.
    """

    # Else tracing is off for all that runs below a hook.
    __cantrace__ = True

    def __init__(self) -> None:
        self._is_over = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Takes the place of the first code of the bot that is run at all."""
        if event != "exec" or self._is_over or not arguments[0].co_filename.startswith(_JOB):
            return
        self._is_over = True
        code = _code_of_entry(arguments[0].co_filename)
        if code is not None:
            _run(code)


def _code_of_entry(path: str) -> types.CodeType | None:
    try:
        with open(path, "rb") as file:
            return _marked_code(file.read(), path)
    except OSError:
        return None


def _run(code: types.CodeType) -> NoReturn:
    """Runs the program and ends the interpreter, which would go on with the code that is not marked."""
    try:
        # It is the bot, which was about to run.
        exec(code, sys.modules["__main__"].__dict__)  # noqa: S102
    # As the interpreter does it, without a trace of our frames.
    except Exception as error:  # noqa: BLE001
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        sys.excepthook(type(error), error, error.__traceback__)
        raise SystemExit(1) from None
    raise SystemExit(0)


def _write(report: str) -> None:
    files = {name: _never_ran(*found) for name, found in _found.items()}
    content = json.dumps({"files": files}).encode()
    try:
        os.makedirs(os.path.dirname(report), exist_ok=True)
        with open(report, "wb") as file:
            file.write(content)
    except OSError:
        # The bot may have made a file of its folder, or filled the disk.
        return


def _never_ran(blocks: list[Block], marks: list[int]) -> list[dict[str, int | str | bool]]:
    idle = [block for block, mark in zip(blocks, marks, strict=True) if not mark]
    aside = [block for block in idle if block.is_aside]
    return [
        {"first": block.first, "last": block.last, "function": block.function, "raises": block.raises}
        for block in idle
        if not any(one.first <= block.first and block.last <= one.last for one in aside)
    ]
