"""The addresses of MCP resources: `docs://{path}` and `artifact://{session_id}/{filename}`."""

from __future__ import annotations

from urllib.parse import quote, unquote

DOCS = "docs://"
ARTIFACT = "artifact://"
DOCS_TEMPLATE = "docs://{+path}"
ARTIFACT_TEMPLATE = "artifact://{session_id}/{+filename}"


def docs_uri(path: str) -> str:
    """The address of a documentation page."""
    return DOCS + quote(path)


def artifact_uri(session_id: str, filename: str) -> str:
    """The address of a session's file, its newest version."""
    return f"{ARTIFACT}{session_id}/{quote(filename)}"


def docs_path(uri: str) -> str | None:
    """The page that the address names, or None when it is no page's."""
    return unquote(uri.removeprefix(DOCS)) if uri.startswith(DOCS) else None


def artifact_names(uri: str) -> tuple[str, str] | None:
    """The session and the filename that the address names, or None when it is no file's."""
    if not uri.startswith(ARTIFACT):
        return None
    session_id, slash, filename = uri.removeprefix(ARTIFACT).partition("/")
    return (session_id, unquote(filename)) if slash and filename else None
