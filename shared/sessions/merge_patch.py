"""JSON merge patch, RFC 7396."""

from __future__ import annotations

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """The target with the patch applied, as in RFC 7396 section 2; neither argument is changed.

    A member of the patch that is null removes, an object merges, anything else replaces.
    """
    if not isinstance(patch, dict):
        return patch
    result: dict[str, Any] = dict(target) if isinstance(target, dict) else {}
    # A stack instead of recursion: how deep a caller's JSON goes must not matter.
    pending = [(result, patch)]
    while pending:
        node, changes = pending.pop()
        for name, value in changes.items():
            if value is None:
                node.pop(name, None)
            elif isinstance(value, dict):
                old = node.get(name)
                node[name] = dict(old) if isinstance(old, dict) else {}
                pending.append((node[name], value))
            else:
                node[name] = value
    return result
