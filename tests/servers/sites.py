"""Web sites on test hosts: real HTTP and HTTPS servers on loopback, with their own names and certificates.

Each host gets a public-looking address of its own; the dialer leads connections to that address and port to
the site's server. What the dialer does not know is refused and recorded, so that no test reaches the network.
"""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.browsing.addresses import is_public


@dataclass(frozen=True, slots=True)
class Request:
    """What a site was asked; header names are lower case."""

    path: str
    headers: dict[str, str]


@dataclass(slots=True)
class Reply:
    """What a site answers; `chunks` instead of `body` come one by one, without a length."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Callable[[], AsyncIterator[bytes]] | None = None

    def head(self) -> bytes:
        """The status line and headers."""
        headers = {"Content-Type": "text/html; charset=utf-8", **self.headers, "Connection": "close"}
        if self.chunks is None and "Content-Length" not in headers:
            headers["Content-Length"] = str(len(self.data()))
        lines = [f"HTTP/1.1 {self.status} Test", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("utf-8")

    def data(self) -> bytes:
        """The body as bytes."""
        return self.body.encode() if isinstance(self.body, str) else self.body


Handler = Callable[[Request], Reply]


def redirect(location: str, status: int = 302) -> Reply:
    """A redirect."""
    return Reply(status=status, headers={"Location": location})


def page(body: str, **headers: str) -> Reply:
    """A small HTML page."""
    return Reply(f"<html><head><title>Page</title></head><body>{body}</body></html>", headers=headers)


@dataclass(slots=True)
class Site:
    """One host: its answers by path, what it was asked, how many connections and bytes it got."""

    host: str
    addresses: tuple[str, ...]
    replies: dict[str, Reply | Handler] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    received: int = 0

    def paths(self) -> list[str]:
        """The paths asked for, robots.txt left out."""
        return [request.path for request in self.requests if request.path != "/robots.txt"]

    def reply(self, request: Request) -> Reply:
        """The answer to a request: 404 for what is not there."""
        found = self.replies.get(request.path, Reply("nothing here", status=404))
        return found(request) if callable(found) else found


class Sites:
    """The sites of a test, their `Resolver` and their `Dialer` in one; open with `async with`."""

    def __init__(self) -> None:
        self.lookups: list[str] = []
        self.strays: list[tuple[str, int]] = []
        self.answers: dict[str, list[tuple[str, ...]]] = {}
        self._sites: dict[str, Site] = {}
        self._ports: dict[tuple[str, int], int] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Sites:
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    async def add(
        self,
        host: str,
        *,
        address: str | None = None,
        certificate: str = "trusted",
        **replies: Reply | Handler,
    ) -> Site:
        """A site on ports 80 and 443; keyword arguments are its pages (`index` is `/`).

        `certificate` is `trusted`, `self_signed` or the host name that a trusted one is wrongly made for.
        """
        site = Site(host, (address or f"93.184.216.{len(self._sites) + 1}",))
        site.replies = {"/" if name == "index" else f"/{name}": reply for name, reply in replies.items()}
        self._sites[host] = site
        for port, context in ((80, None), (443, server_context(host, certificate))):
            server = await asyncio.start_server(self._server(site), "127.0.0.1", 0, ssl=context)
            self._servers.append(server)
            for one in site.addresses:
                self._ports[(one, port)] = server.sockets[0].getsockname()[1]
        return site

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses set in `answers` for the host, one a look-up, then those of its site."""
        self.lookups.append(host)
        if self.answers.get(host):
            return self.answers[host].pop(0)
        if host not in self._sites:
            raise OSError("no such host")
        return self._sites[host].addresses

    def is_allowed(self, address: str) -> bool:
        """The rule of production."""
        return is_public(address)

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        """The site's server; a closed port for an address that no site has."""
        if (address, port) not in self._ports:
            self.strays.append((address, port))
            return "127.0.0.1", 1
        return "127.0.0.1", self._ports[(address, port)]

    def tls_context(self) -> ssl.SSLContext:
        """Believes the tests' own authority."""
        return client_context()

    def _server(self, site: Site) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            site.connections += 1
            task = asyncio.create_task(_serve(site, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return connected


async def _serve(site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        site.received += len(head)
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines if ": " in line)
        request = Request(first.split(" ")[1], {name.lower(): value for name, value in pairs})
        site.requests.append(request)
        reply = site.reply(request)
        writer.write(reply.head())
        if reply.chunks is None:
            writer.write(reply.data())
            await writer.drain()
        else:
            async for chunk in reply.chunks():
                writer.write(chunk)
                await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        # The client went away, as it does when it has read enough.
        return
    finally:
        writer.transport.abort() if writer.transport.is_closing() else writer.close()


Identity = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _certificate(name: str, issuer: Identity | None) -> Identity:
    """A certificate for a name; without an issuer it signs itself and is an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    authority, signer = (subject, key) if issuer is None else (issuer[0].subject, issuer[1])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    return built, key


@cache
def _authority() -> Identity:
    return _certificate("authority.test", None)


def authority_pem() -> str:
    """The certificate of the tests' own authority, for programs that are told whom to believe."""
    return _authority()[0].public_bytes(serialization.Encoding.PEM).decode()


@cache
def client_context() -> ssl.SSLContext:
    """A verifying context that believes the tests' own authority."""
    return ssl.create_default_context(cadata=authority_pem())


@cache
def server_context(host: str, certificate: str) -> ssl.SSLContext:
    """The server's side, for one of the kinds of certificate that `Sites.add` names."""
    if certificate == "self_signed":
        made, key = _certificate(host, None)
    else:
        made, key = _certificate(host if certificate == "trusted" else certificate, _authority())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "identity.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(file)
    return context
