"""The JSON of the artifact routes, as contract section 4 names it."""

from __future__ import annotations

import base64
from typing import Any, Literal

from pydantic import Field

from shared.artifact import ArtifactContent, ArtifactType
from shared.artifacts.library import DirectUrl
from shared.clock import to_wire
from shared.web.model import WireModel


class ArtifactAnswer(WireModel):
    """One version of one file."""

    filename: str
    version: int
    type: ArtifactType
    mime_type: str
    size: int
    sha256: str
    created_at: str
    quality_score: int | None = None
    findings: list[dict[str, Any]] | None = None


class ContentAnswer(ArtifactAnswer):
    """One version with its content."""

    content: str
    encoding: Literal["utf-8", "base64"]


class ContentBody(WireModel):
    """`PUT /artifacts/session/{sid}/{filename}` as JSON."""

    content: str
    encoding: Literal["utf-8", "base64"] = "utf-8"


class RestoreBody(WireModel):
    """`POST /artifacts/versions/{sid}/{filename}`: the version to come back as the newest."""

    restore: int = Field(ge=1, le=10**9)


class UrlAnswer(ArtifactAnswer):
    """One version with a URL that serves it as it is stored: coded as `content_encoding` says."""

    url: str
    expires_at: str
    content_encoding: str


class DiffAnswer(WireModel):
    """`GET /artifacts/diff/{sid}/{filename}`."""

    diff: str


def content_wire(found: ArtifactContent) -> dict[str, Any]:
    """A version with its content: text as it is, anything else in base64."""
    try:
        content, encoding = found.data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        content, encoding = base64.b64encode(found.data).decode("ascii"), "base64"
    return {**found.artifact.wire(), "content": content, "encoding": encoding}


def url_wire(given: DirectUrl) -> dict[str, Any]:
    """A version with its URL."""
    return {
        **given.artifact.wire(),
        "url": given.url,
        "expires_at": to_wire(given.expires_at),
        "content_encoding": given.content_encoding,
    }
