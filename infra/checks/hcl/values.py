"""The values of a plan: Python's own, and what is known only once things are made."""

from __future__ import annotations

from typing import Any, TypeAlias

Value: TypeAlias = Any


class Unknown(str):
    """A text that is known only when things are made: it says of which parts, as `${google_x.y.uri}/path`."""

    __slots__ = ()


class Section(dict[str, Value]):
    """A resource, or a block in one: what is set in it; the rest is the provider's to say."""

    def __init__(self, address: str, values: dict[str, Value]) -> None:
        super().__init__(values)
        self.address = address

    def member(self, name: str) -> Value:
        """What is set, else unknown."""
        value = self.get(name)
        return Unknown(f"${{{self.address}.{name}}}") if value is None else value


def text_of(value: Value) -> str:
    """A value as Terraform writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def joined(parts: list[Value]) -> str:
    """A string of parts, unknown where one of them is."""
    text = "".join(text_of(part) for part in parts)
    return Unknown(text) if has_unknown(parts) else text


def has_unknown(value: Value) -> bool:
    """Whether a part of a value is not known."""
    if isinstance(value, Unknown):
        return True
    if isinstance(value, dict):
        return any(has_unknown(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(has_unknown(each) for each in value)


def path_of(value: Unknown) -> str:
    """The reference that an unknown value is, without its `${}`."""
    return value[2:-1] if value.startswith("${") and value.endswith("}") else str(value)
