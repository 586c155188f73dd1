"""A symbol as people write it, found among those of an exchange."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from shared.errors import ToolInputError

_NEAREST = 5


def find_symbol(wanted: str, known: Collection[str], *, exchange: str) -> str:
    """The exchange's own writing of the symbol.

    Raises:
        ToolInputError: there is none; names the nearest, those of the same base first.
    """
    wanted = wanted.strip()[:40]
    upper = wanted.upper()
    if upper in known:
        return upper
    bare = _bare(upper)
    for symbol in known:
        if bare and _bare(symbol) == bare:
            return symbol
    near = _nearest(upper, known)
    hint = f"; the nearest are {', '.join(near)}" if near else "; write it as base/quote, such as BTC/USDT"
    raise ToolInputError(f"symbol: {exchange} has no spot market {wanted!r}{hint}")


def _nearest(upper: str, known: Collection[str]) -> list[str]:
    base = re.split(r"[^A-Z0-9]", upper, maxsplit=1)[0]
    same = [symbol for symbol in known if base and symbol.split("/")[0] == base]
    quote = upper[len(base) + 1 :]
    same.sort(key=lambda symbol: (not symbol.split("/")[-1].startswith(quote or "USD"), len(symbol), symbol))
    close = difflib.get_close_matches(upper, known, n=_NEAREST, cutoff=0.5)
    return list(dict.fromkeys((*same[:_NEAREST], *close)))[:_NEAREST]


def _bare(symbol: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", symbol)
