"""Which URLs may be fetched: a pure decision on the text of the URL, before any name is looked up."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, unquote

MAX_URL_CHARS = 2048

# Pages that act on an account. They are refused as whole path segments, unless an earlier segment says that
# the page is documentation about them.
BLOCKED_SEGMENTS = frozenset(
    {
        "login", "log_in", "logon", "logout", "log_out", "signin", "sign_in", "signout", "sign_out",
        "signup", "sign_up", "sso", "oauth", "authorize", "password", "passwd", "password_reset",
        "reset_password", "forgot_password", "change_password", "credentials", "admin", "wp_admin",
        "wp_login", "checkout", "withdraw",
    }
)  # fmt: skip
DOCUMENTATION_SEGMENTS = frozenset(
    {
        "blob", "doc", "docs", "documentation", "guide", "guides", "help", "howto", "learn", "library",
        "manual", "questions", "reference", "tree", "tutorial", "tutorials", "wiki",
    }
)  # fmt: skip
# Files that hold secrets wherever they lie.
BLOCKED_FILES = frozenset(
    {".env", ".git", ".ssh", ".aws", ".netrc", ".npmrc", ".pgpass", "id_rsa", "id_ed25519"}
)
# Query names that carry a secret or take part in a sign-in.
BLOCKED_QUERY_NAMES = frozenset(
    {
        "access_token", "api_key", "apikey", "api_secret", "apisecret", "auth", "auth_token", "authorization",
        "bearer", "client_secret", "credential", "credentials", "id_token", "jwt", "login", "logout", "oauth",
        "passphrase", "passwd", "password", "private_key", "pwd", "redirect_uri", "refresh_token", "secret",
        "secret_key", "session_id", "sessionid", "session_token", "signature", "token", "x_amz_credential",
        "x_amz_security_token", "x_amz_signature", "x_goog_signature",
    }
)  # fmt: skip

_SECRET_SHAPES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}"
    r"|sk-[A-Za-z0-9_-]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"
    r"|-----BEGIN[A-Z ]{0,30}PRIVATE KEY"
)
_SHAPE = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"([^:]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# WHATWG URL: a host whose last label is a number is an IPv4 address, however it is spelled.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOTS = "\u3002\uff0e\uff61\ufe52"
_PORTS = {"http": 80, "https": 443}
_SERVER_ENDINGS = (".php", ".asp", ".aspx", ".jsp", ".do", ".cgi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL in its one accepted spelling: ASCII host, path with query, default port."""

    scheme: str
    host: str
    path: str

    @property
    def port(self) -> int:
        """The scheme's own port; no other is allowed."""
        return _PORTS[self.scheme]

    @property
    def origin(self) -> str:
        """Scheme and host."""
        return f"{self.scheme}://{self.host}"

    @property
    def url(self) -> str:
        """The whole URL, without a fragment."""
        return self.origin + self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the URL may be fetched, why in words, and the target when it may."""

    allowed: bool
    reason: str
    target: Target | None = None


class _RefusedError(Exception):
    """The reason; never leaves this module."""


def decide(url: str, allowed_hosts: tuple[str, ...]) -> Verdict:
    """The verdict on a URL; `allowed_hosts` hold host names, each with its subdomains."""
    try:
        target = _parse(url, allowed_hosts)
    except _RefusedError as refusal:
        return Verdict(allowed=False, reason=str(refusal))
    return Verdict(allowed=True, reason="the URL is allowed", target=target)


def _parse(url: str, allowed_hosts: tuple[str, ...]) -> Target:
    _check_characters(url)
    match = _SHAPE.fullmatch(url)
    if match is None:
        raise _RefusedError("only whole URLs that begin with https:// or http:// are fetched")
    scheme, authority, path, query = match[1].lower(), match[2], match[3] or "/", match[4] or ""
    host = _host(authority, scheme)
    if not _is_listed(host, _normal_hosts(allowed_hosts)):
        known = ", ".join(allowed_hosts[:40])
        raise _RefusedError(f"the host {host[:80]} is not allowed; pages come from these hosts only: {known}")
    _check_words(path, query)
    target = Target(scheme=scheme, host=host, path=quote(path + query, safe="/%:@!$&'()*+,;=~-._?[]"))
    if len(target.url) > 2 * MAX_URL_CHARS:
        raise _RefusedError("the URL is too long")
    return target


def _check_characters(url: str) -> None:
    if len(url) > MAX_URL_CHARS:
        raise _RefusedError(f"a URL has at most {MAX_URL_CHARS} characters")
    if "\\" in url:
        raise _RefusedError("a URL must not contain a backslash")
    if any(unicodedata.category(char)[0] in "CZ" for char in url):
        raise _RefusedError("a URL must not contain spaces, line breaks or invisible characters")
    if _BAD_ESCAPE.search(url):
        raise _RefusedError("a % in a URL is followed by two hexadecimal digits")
    if re.search(r"[\x00-\x1f\x7f]", _decoded(url)):
        raise _RefusedError("a URL must not contain encoded control characters")


def _host(authority: str, scheme: str) -> str:
    if "@" in authority:
        raise _RefusedError("a URL must not carry a user name or password")
    if "%" in authority:
        raise _RefusedError("a host name must not be percent-encoded")
    if "[" in authority or "]" in authority or authority.count(":") > 1:
        raise _RefusedError("an IP address is not allowed: name the host")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise _RefusedError("the URL names no proper host and port")
    if match[2] is not None and int(match[2]) != _PORTS[scheme]:
        raise _RefusedError("only the default ports are allowed: 443 for https, 80 for http")
    host = _ascii_host(match[1])
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise _RefusedError("an IP address is not allowed: name the host")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _RefusedError("the URL names no proper host")
    return host


def _ascii_host(host: str) -> str:
    """The host in lower case, IDNA-encoded, without the one trailing dot."""
    lower = host.lower()
    if not lower.isascii():
        if any(dot in lower for dot in _DOTS) or unicodedata.normalize("NFKC", lower) != lower:
            raise _RefusedError("the host name is written with look-alike characters")
        import idna

        try:
            lower = idna.encode(lower).decode("ascii")
        except idna.IDNAError:
            raise _RefusedError("the host name is not a valid international name") from None
    return lower.removesuffix(".")


@functools.lru_cache(maxsize=16)
def _normal_hosts(allowed_hosts: tuple[str, ...]) -> tuple[str, ...]:
    normal = []
    for entry in allowed_hosts:
        try:
            normal.append(_ascii_host(entry.strip().removeprefix("*").removeprefix(".")))
        except _RefusedError:
            # An entry that is no host name matches nothing.
            continue
    return tuple(entry for entry in normal if entry)


def _is_listed(host: str, allowed: tuple[str, ...]) -> bool:
    return any(host == entry or host.endswith("." + entry) for entry in allowed)


def _decoded(text: str) -> str:
    """The text with percent-encoding undone, also where it was applied several times."""
    for _ in range(4):
        plain = unquote(text)
        if plain == text:
            break
        text = plain
    return text


def _word(text: str) -> str:
    plain = _decoded(text).strip().lower().split(";")[0]
    for ending in _SERVER_ENDINGS:
        plain = plain.removesuffix(ending)
    return plain.replace("-", "_")


def _check_words(path: str, query: str) -> None:
    if _SECRET_SHAPES.search(_decoded(path + query)):
        raise _RefusedError("the URL carries what looks like a secret")
    documentation = False
    for segment in re.split(r"[/\\]", _decoded(path)):
        word = _word(segment)
        if word == "..":
            raise _RefusedError("a path must not climb with '..'")
        if word in BLOCKED_FILES or word.startswith(".env."):
            raise _RefusedError(f"the URL names a file that holds secrets ({word})")
        if word in BLOCKED_SEGMENTS and not documentation:
            raise _RefusedError(f"the URL leads to an account's page ({word}), which is not fetched")
        documentation = documentation or word in DOCUMENTATION_SEGMENTS
    for pair in re.split(r"[?&;]", query):
        name = _word(pair.partition("=")[0])
        if name in BLOCKED_QUERY_NAMES:
            raise _RefusedError(f"the URL carries the parameter {name}, which may hold a secret")
