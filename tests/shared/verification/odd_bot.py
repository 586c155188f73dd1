"""A bot that does what a program seldom does, and tells of all it can see of itself."""

from __future__ import annotations

from tests.shared.verification.bots import free_bot

MAIN = '''\
#!/usr/bin/env python3
# -*- coding: latin-1 -*-
"""An odd bot: gr\xfcn."""

from __future__ import annotations

import __main__
import asyncio
import importlib.util
import inspect
import os
import sys
import threading
import traceback
import typing
from dataclasses import dataclass, fields
from pathlib import Path

import lib.prices as prices
from lib import helpers
from the0 import metric, success

if typing.TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 0


@dataclass
class Point:
    """A point."""

    x: int = 1
    y: int = 2

    def moved(self, by: int) -> Point:
        global COUNT
        COUNT += 1
        return Point(self.x + by, self.y + by)

    def flipped(self) -> Point:
        return Point(self.y, self.x)

    def area(self) -> int:
        raise NotImplementedError


class Closed(dict):
    def __missing__(self, name):
        raise KeyError(name)


def ticks(count: int) -> Iterator[int]:
    """Counts."""
    for number in range(count):
        if number > 3: return
        yield number
    else:
        yield -1


async def soon(value: int) -> int:
    async with asyncio.Lock():
        await asyncio.sleep(0)
        return value


def deep(level: int) -> int:
    return 0 if level == 0 else 1 + deep(level - 1)


def kind(value: object) -> str:
    match value:
        case int():
            return "int"
        case str():
            return "str"
        case _:
            return "other"


def chosen(value: int) -> str:
    if value < 0:
        return "below"
    elif value == 0:
        return "zero"
    else:
        word = "above"
    return word


def guarded() -> str:
    try:
        prices.of("nothing")
    except ZeroDivisionError:
        return "zero"
    except KeyError as missing:
        shown = traceback.format_exc()
        return shown + str(missing)
    else:
        return "found"
    finally:
        os.environ.get("NOTHING")
    return "never"


def loaded(path: Path):
    spec = importlib.util.spec_from_file_location("odd_name", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    here = Path(__file__).parent
    namespace = {"__builtins__": {"range": range}}
    exec((here / "plain.txt").read_text(), namespace)
    results = []
    worker = threading.Thread(target=lambda: results.append(deep(50)))
    worker.start()
    worker.join()
    told = {
        "names": sorted(set(globals()) | set(vars(prices))),
        "main": [__name__, __file__, __doc__, str(__spec__), repr(__loader__)[:30], __main__.COUNT == COUNT],
        "argv": [sys.argv, sys.path[:2], os.getcwd()],
        "environment": sorted(os.environ),
        "modules": sorted(name for name in sys.modules if "." not in name and name != "ast"),
        "source": [inspect.getsource(deep), Path(__file__).read_bytes()[:60].decode("latin-1")],
        "lines": [deep.__code__.co_firstlineno, list(inspect.signature(chosen).parameters)],
        "point": [str(Point().moved(3)), [one.name for one in fields(Point)], Point.__annotations__],
        "ticks": [list(ticks(9)), list(ticks(2)), asyncio.run(soon(4))],
        "kinds": [kind(1), kind("a"), chosen(1), chosen(0)],
        "threads": results,
        "executed": namespace["total"],
        "loaded": loaded(here / "lib" / "helpers.py").twice(4) + helpers.twice(1),
        "guarded": guarded(),
    }
    metric("odd", {"market_time": "2024-01-01T00:00:00Z", "told": told})
    success("Told")


if __name__ == "__main__":
    main()
else:
    COUNT = -1
'''
PRICES = """\
from lib import helpers


def of(name):
    if name in helpers.KNOWN:
        return helpers.KNOWN[name]
    raise KeyError(name)


def mean(values):
    return sum(values) / len(values)


if __name__ == "__main__":
    for value in (1, 2):
        print(mean([value]))
"""
HELPERS = """\
KNOWN = {"one": 1}
for _ in KNOWN:
    pass


def twice(value):
    def times(by):
        return value * by

    def unused(by):
        while by:
            by -= 1

    return times(2)
"""
# Written as executed text: a block of it is no code of the bot's files.
PLAIN = "total = 0\nfor number in range(4):\n    if number > 9:\n        total = -1\n    total += number\n"


def odd_bot() -> dict[str, bytes]:
    """The bot's files: its program is in Latin-1."""
    more = {"lib/__init__.py": "", "lib/prices.py": PRICES, "lib/helpers.py": HELPERS, "plain.txt": PLAIN}
    return {**free_bot(more=more), "main.py": MAIN.encode("latin-1")}


def line_of(source: str, piece: str) -> int:
    """The line, counted from 1, that a piece of a source begins on."""
    return source[: source.index(piece)].count("\n") + 1
