"""How text from outside is shown to a language model: between marks that it cannot close itself."""

from __future__ import annotations


def fence(source: str, text: str) -> str:
    """The text as fenced data; marks inside it are broken so that they end nothing."""
    safe = text.replace("<untrusted_data", "<untrusted-data").replace("</untrusted_data", "</untrusted-data")
    return f'<untrusted_data source="{source}">\n{safe}\n</untrusted_data>'
