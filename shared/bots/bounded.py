"""JSON from outside, made to fit: what is kept of an event is bounded in size, depth and members."""

from __future__ import annotations

from typing import Any

import orjson

from shared.errors import UnprocessableError

MOST_BYTES = 8 * 1024
_MOST_DEPTH = 8
_MOST_MEMBERS = 50
_MOST_TEXT = 1000
_MOST_NAME = 100
CUT = "…"


def bounded(value: Any, most_bytes: int = MOST_BYTES) -> Any:
    """The value, or its beginning: long texts, lists and objects are cut, and what is too deep becomes `…`.

    Raises:
        UnprocessableError: it is nested beyond all reason.
    """
    try:
        if len(orjson.dumps(value)) <= most_bytes and not _is_deep(value, _MOST_DEPTH):
            return value
    except TypeError:
        raise UnprocessableError("a value is nested too deeply") from None
    return _Cutter(most_bytes).cut(value, _MOST_DEPTH)


def cut_line(text: str, length: int) -> str:
    """The beginning of a text."""
    return text if len(text) <= length else text[: length - 1] + CUT


def _is_deep(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth == 0 or any(_is_deep(each, depth - 1) for each in value.values())
    if isinstance(value, list):
        return depth == 0 or any(_is_deep(each, depth - 1) for each in value)
    return False


class _Cutter:
    """Takes as much of a value as there is room for, in its order."""

    def __init__(self, room: int) -> None:
        self._room = room

    def cut(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if not isinstance(value, dict | list):
            return self._took(value)
        if depth == 0:
            return self._took(CUT)
        return self._object(value, depth) if isinstance(value, dict) else self._list(value, depth)

    def _object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, inner in value.items():
            if self._room <= 0 or len(kept) == _MOST_MEMBERS:
                kept[CUT] = len(value) - len(kept)
                break
            short = self._took(cut_line(name, _MOST_NAME))
            kept[short] = self.cut(inner, depth - 1)
        return kept

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        kept: list[Any] = []
        for inner in value:
            if self._room <= 0 or len(kept) == _MOST_MEMBERS:
                kept.append(CUT)
                break
            kept.append(self.cut(inner, depth - 1))
        return kept

    def _text(self, text: str) -> Any:
        short = cut_line(text, _MOST_TEXT)
        if len(orjson.dumps(short)) > self._room:
            # JSON may need six bytes for a character.
            short = cut_line(text, max(1, min(_MOST_TEXT, self._room // 6)))
        return self._took(short)

    def _took(self, value: Any) -> Any:
        # With its comma or colon.
        self._room -= 2 + len(orjson.dumps(value))
        return value
