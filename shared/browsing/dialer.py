"""The real network, as the `Dialer` of tools/port.py."""

from __future__ import annotations

import functools
import ssl


@functools.cache
def _verifying_context() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context(trust_env=False)


class SystemDialer:
    """Connections go to the very address that was checked; certificates are verified."""

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        return address, port

    def tls_context(self) -> ssl.SSLContext:
        return _verifying_context()
