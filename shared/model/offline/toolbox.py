"""The tools of one request: which there are, and calls whose arguments fit their schemas."""

from __future__ import annotations

from typing import Any

from shared.messages import ToolSpec
from shared.model.offline.reply import PlannedCall


class Toolbox:
    """What a plan may call now."""

    def __init__(self, tools: tuple[ToolSpec, ...], *, allowed: bool) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._allowed = allowed

    def has(self, name: str) -> bool:
        """Whether the tool can be called in this reply."""
        return self._allowed and name in self._tools

    def missing(self, name: str) -> str:
        """Why the tool cannot be called, as a sentence for the user."""
        if not self._allowed:
            return "I may not call tools for this message, so I can only answer in words."
        return f"That needs the tool `{name}`, which this installation does not offer."

    def needs_approval(self, name: str) -> bool:
        """Whether the tool waits for the user's yes."""
        return name in self._tools and self._tools[name].requires_approval

    def accepts(self, name: str, argument: str) -> bool:
        """Whether the tool has a parameter of this name."""
        return name in self._tools and argument in self._properties(name)

    def choices(self, name: str, argument: str) -> tuple[str, ...]:
        """The values that the parameter takes, empty when the schema does not list them."""
        if name not in self._tools:
            return ()
        schema = self._tools[name].input_schema
        return _choices(self._properties(name).get(argument, {}), schema.get("$defs", {}))

    def call(self, name: str, /, **arguments: Any) -> tuple[PlannedCall, ...]:
        """The call with those arguments that the tool knows, None left out; empty when it is not there."""
        if not self.has(name):
            return ()
        known = self._properties(name)
        given = {key: value for key, value in arguments.items() if key in known and value is not None}
        return (PlannedCall(name, given),)

    def _properties(self, name: str) -> dict[str, Any]:
        properties = self._tools[name].input_schema.get("properties", {})
        return properties if isinstance(properties, dict) else {}


def _choices(schema: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, ...]:
    if "$ref" in schema:
        schema = definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
    if "enum" in schema:
        return tuple(str(value) for value in schema["enum"])
    if "const" in schema:
        return (str(schema["const"]),)
    return tuple(
        choice for option in schema.get("anyOf", ()) for choice in _choices(option, definitions) if choice
    )
