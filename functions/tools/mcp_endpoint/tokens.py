"""How many tokens a text costs a language model, estimated from above and without a vendor's tokenizer."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_BYTES_A_TOKEN = 3.5
_PIECES = re.compile(
    r"(?P<escape>\\[nrt\"\\])|(?P<letters>[A-Za-z]+)|(?P<digits>[0-9]+)"
    r"|(?P<marks>[!-/:-@\[\]-`{-~]+|\\)|(?P<rest>[^\s!-~])"
)
_PIECE_CHARS = {"escape": 2, "letters": 6, "digits": 1, "marks": 3, "rest": 1}


def tokens(text: str) -> int:
    """The larger of two estimates, so that neither prose, code, numbers nor other scripts come out too cheap.

    One: 3.5 bytes of UTF-8 a token (English prose has about 4.3 characters a token, JSON and code 3 to 4).
    Two: 6 letters, 1 digit, 3 punctuation marks, 1 escape or 1 other character a token, as the vocabularies
    of current models cut or finer (several give each digit a token of its own).
    """
    by_size = math.ceil(len(text.encode("utf-8", "surrogatepass")) / _BYTES_A_TOKEN)
    by_pieces = sum(
        math.ceil(len(piece.group()) / _PIECE_CHARS[piece.lastgroup or "rest"])
        for piece in _PIECES.finditer(text)
    )
    return max(by_size, by_pieces)


def compact_json(value: Any) -> str:
    """The value as JSON without needless spaces, other scripts unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
