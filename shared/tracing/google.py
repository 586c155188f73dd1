"""The door to Google's own collector (Cloud Trace): it takes OTLP from whom its identity names.

Source: Google Cloud, "Telemetry (OTLP) API": an access token of a principal with the role Cloud
Telemetry Traces Writer, and the resource attribute `gcp.project_id`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


def session_for(url: str) -> Any:
    """A session of `requests` with this process's credentials for an address of Google's; None for others."""
    host = urlsplit(url).hostname or ""
    if not host.endswith(".googleapis.com"):
        return None
    from google.auth import default
    from google.auth.transport.requests import AuthorizedSession

    # The library's own: it has no types.
    credentials, _ = default(scopes=_SCOPES)
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
