"""How far a deployment has come, as its record keeps it: what was sent, under which name, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from shared.sessions.deployment_port import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The deployer's part of a record.

    `form` is the platform's form in use: `code` in one call, `upload` of a zip; None before it is known.
    `sent` says that a request which makes the bot has left or is about to, and no answer is recorded: then
    the platform is asked before anything else is sent. `refused` is what the platform said, at the end.
    """

    artifacts_sha256: str
    name: str
    version: str
    form: Literal["code", "upload"] | None = None
    sent: bool = False
    code_sha256: str = ""
    file_path: str = ""
    url: str = ""
    refused: str = ""
    refused_status: int = 0
    notes: tuple[str, ...] = ()

    def stored(self) -> dict[str, Any]:
        """The progress as JSON."""
        return {**asdict(self), "notes": list(self.notes)}


def progress_of(stored: Mapping[str, Any]) -> Progress:
    """The progress that `stored` gave; fields of a newer release are left out."""
    known = {each.name for each in fields(Progress)}
    values = {name: value for name, value in stored.items() if name in known}
    return Progress(**{**values, "notes": tuple(values.get("notes") or ())})


def made_by(record: Deployment) -> Progress | None:
    """The progress of a record by which a bot was made, None of any other."""
    return (
        progress_of(record.progress) if record.state == "created" and "kind" not in record.progress else None
    )
