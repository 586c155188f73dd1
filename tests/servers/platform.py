"""A platform on loopback that takes custom bots in either form, and checks each field as the real one does.

The upload form is that of the platform's API (custom-bots/:name/upload, POST and PUT custom-bots/:name, GET
of a bot and of the user's bots); its rules for a configuration are those of its schema. The other form is
one POST with the code. What a test wants to go wrong it puts into `faults`, by what is asked.
"""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import io
import json
import re
import threading
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import jsonschema

from tests.servers.platform_instances import InstanceTable

WAIT_SECONDS = 60.0
INSTANCE_ROUTES = {
    ("POST", 1): "start",
    ("GET", 1): "instances",
    ("GET", 2): "instance",
    ("PUT", 2): "change",
    ("DELETE", 2): "stop",
}
_STRINGS = {"type": "array", "items": {"type": "string"}}
CONFIG_RULES: dict[str, Any] = {
    "type": "object",
    "required": ["name", "version", "entrypoints", "schema", "readme", "type", "runtime"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9-]+$", "minLength": 3, "maxLength": 50},
        "description": {"type": "string", "maxLength": 500},
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "runtime": {"enum": ["python3.11", "nodejs20", "rust-stable", "dotnet8", "gcc13", "scala3", "ghc96"]},
        "author": {"type": "string", "maxLength": 100},
        "type": {"enum": ["scheduled", "realtime", "event"]},
        "entrypoints": {
            "type": "object",
            "required": ["bot"],
            "additionalProperties": False,
            "properties": {"bot": {"type": "string"}},
        },
        "schema": {
            "type": "object",
            "required": ["bot"],
            "additionalProperties": False,
            "properties": {"bot": {"type": "object"}},
        },
        "readme": {"type": "string", "minLength": 50, "maxLength": 10_000},
        "metadata": {
            "type": "object",
            "properties": {
                "categories": {**_STRINGS, "maxItems": 10},
                "instruments": {**_STRINGS, "maxItems": 20},
                "exchanges": {**_STRINGS, "maxItems": 20},
                "tags": {**_STRINGS, "maxItems": 20},
            },
        },
    },
}
CODE_RULES: dict[str, Any] = {
    "type": "object",
    "required": ["name", "type", "code", "description", "tags"],
    "additionalProperties": False,
    "properties": {
        "name": CONFIG_RULES["properties"]["name"],
        "type": CONFIG_RULES["properties"]["type"],
        "code": {"type": "string", "minLength": 1},
        "description": {"type": "string", "maxLength": 500},
        "tags": {**_STRINGS, "maxItems": 20},
    },
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `lost` closes the connection in its place."""

    status: int
    body: Any = None
    lost: bool = False


@dataclass(slots=True)
class Fault:
    """What happens in place of the answer to the next request of its kind.

    `takes` says whether the request has its effect all the same. `reached` is set when it came; `holds`
    keeps the answer back until `release` is set.
    """

    reply: Reply
    takes: bool = False
    holds: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class Platform:
    """The running platform: the bots it has, what was asked, what is to go wrong.

    Kinds of requests, for `faults` and `asked`: create, find, mine, versions, version, upload, register,
    renew; of instances start, instances, instance, change, stop. `bodies` are those of start and change.
    """

    form: Literal["code", "upload", "neither"] = "upload"
    lists: bool = True
    shows: tuple[str, ...] = ("name", "code", "tags")
    users: dict[str | None, str] = field(
        default_factory=lambda: {"ApiKey planted-secret-platform-key": "agent"}
    )
    url: str = ""
    bots: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    bodies: list[Any] = field(default_factory=list)
    instances: InstanceTable = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.instances = InstanceTable(self.bots)

    def fail(self, kind: str, status: int = 503, *, takes: bool = False, **more: Any) -> Fault:
        """The next request of a kind gets this in place of its answer."""
        body = {"statusCode": status, "message": more.pop("message", "not now"), "error": "Fault"}
        fault = Fault(Reply(status, body, lost=more.pop("lost", False)), takes=takes, **more)
        self.faults.setdefault(kind, []).append(fault)
        return fault

    def times(self, kind: str) -> int:
        """How often a kind was asked."""
        return sum(1 for asked, _ in self.asked if asked == kind)

    def files(self, bot: dict[str, Any]) -> dict[str, bytes]:
        """The files of a version's zip."""
        with zipfile.ZipFile(io.BytesIO(self.uploads[bot["filePath"]])) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def answer(self, method: str, path: str, authorization: str | None, kind: str, body: bytes) -> Reply:
        """The platform's answer to a request with a JSON or multipart body."""
        found = self._route(method, path)
        if found is None:
            return _no(404, f"Cannot {method} {path}")
        name, parts = found
        with self.lock:
            self.asked.append((name, authorization))
            waiting = self.faults.get(name)
            fault = waiting.pop(0) if waiting else None
        if fault is None:
            return self._act(name, parts, authorization, kind, body)
        if fault.takes:
            self._act(name, parts, authorization, kind, body)
        fault.reached.set()
        if fault.holds:
            fault.release.wait(WAIT_SECONDS)
        return fault.reply

    def _route(self, method: str, path: str) -> tuple[str, list[str]] | None:
        parts = path.strip("/").split("/")
        if parts[0] == "bot" and len(parts) <= 2:
            named = INSTANCE_ROUTES.get((method, len(parts)))
            return None if named is None else (named, parts[1:])
        if parts[:2] == ["api", "custom-bots"] and len(parts) == 2 and self.form == "code":
            if method == "POST":
                return "create", []
            return ("find", []) if method == "GET" and self.lists else None
        if parts[0] != "custom-bots" or self.form != "upload":
            return None
        table = {
            ("GET", 1): "mine",
            ("GET", 2): "versions",
            ("GET", 3): "version",
            ("POST", 2): "register",
            ("PUT", 2): "renew",
        }
        if method == "POST" and len(parts) == 3 and parts[2] == "upload":
            return "upload", parts[1:]
        named = table.get((method, len(parts)))
        return None if named is None else (named, parts[1:])

    def _act(self, name: str, parts: list[str], authorization: str | None, kind: str, body: bytes) -> Reply:
        user = self.users.get(authorization)
        if user is None:
            return _no(401, "Unauthorized")
        with self.lock:
            match name:
                case "create":
                    return self._create(user, body)
                case "find":
                    shown = ("id", *self.shows)
                    mine = [bot for bot in self.bots if bot["userId"] == user]
                    return Reply(200, [{key: bot[key] for key in shown} for bot in mine])
                case "mine":
                    return Reply(200, {"success": True, "data": []})
                case "versions":
                    return self._versions(parts[0])
                case "version":
                    return self._version(*parts)
                case "start" | "instances" | "instance" | "change" | "stop":
                    return self._instance(name, user, parts, body)
                case "upload":
                    return self._upload(user, parts[0], kind, body)
                case _:
                    return self._register(user, parts[0], json.loads(body), is_first=name == "register")

    def _create(self, user: str, body: bytes) -> Reply:
        value = json.loads(body)
        if wrong := _wrong(value, CODE_RULES):
            return _no(400, wrong)
        if any(bot["name"] == value["name"] for bot in self.bots):
            return _no(409, "Custom bot with this name already exists")
        bot = {"id": str(uuid.uuid4()), "userId": user, **value}
        self.bots.append(bot)
        return Reply(201, {"id": bot["id"]})

    def _versions(self, name: str) -> Reply:
        mine = [bot for bot in self.bots if bot["name"] == name]
        if not mine:
            return _no(404, "Bot not found")
        data = {"name": name, "latestVersion": mine[-1]["version"], "versions": mine[::-1]}
        return Reply(200, {"success": True, "data": {"id": mine[-1]["id"], **data}})

    def _version(self, name: str, version: str) -> Reply:
        for bot in self.bots:
            if (bot["name"], bot["version"]) == (name, version):
                return Reply(200, {"success": True, "data": bot})
        return _no(404, "Version not found")

    def _instance(self, name: str, user: str, parts: list[str], body: bytes) -> Reply:
        value = json.loads(body) if body else None
        if name in ("start", "change"):
            self.bodies.append(value)
        status, told = self.instances.act(name, user, parts[0] if parts else None, value)
        return Reply(status, told) if status < 400 else _no(status, told)

    def _upload(self, user: str, name: str, kind: str, body: bytes) -> Reply:
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        if "file" not in parts or not str(parts["file"].get_filename()).endswith(".zip"):
            return _no(400, "Only ZIP files are allowed")
        version = parts["version"].get_content().strip() if "version" in parts else ""
        if not version:
            return _no(400, "Version is required")
        path = f"{user}/{name}/{version}"
        data = parts["file"].get_payload(decode=True)
        assert isinstance(data, bytes)
        self.uploads[path] = data
        return Reply(200, {"success": True, "filePath": path, "message": "File uploaded successfully"})

    def _register(self, user: str, name: str, value: Any, *, is_first: bool) -> Reply:
        if set(value) != {"config", "filePath"} or value["filePath"] not in self.uploads:
            return _no(400, "File not found at specified file path")
        config = json.loads(value["config"])
        if wrong := _wrong(config, CONFIG_RULES):
            return _no(400, f"Validation failed: {wrong}")
        try:
            jsonschema.Draft7Validator.check_schema(config["schema"]["bot"])
        except jsonschema.SchemaError as error:
            return _no(400, f"Validation failed: {error.message}")
        existing = [bot for bot in self.bots if bot["name"] == name]
        if refusal := _refusal(existing, user, name, config, is_first=is_first):
            return _no(400, refusal)
        with zipfile.ZipFile(io.BytesIO(self.uploads[value["filePath"]])) as archive:
            if config["entrypoints"]["bot"] not in archive.namelist():
                return _no(
                    400, f"ZIP validation failed: Required file missing: {config['entrypoints']['bot']}"
                )
        bot = {
            "id": str(uuid.uuid4()),
            "userId": user,
            "name": name,
            "version": config["version"],
            "config": config,
            "filePath": value["filePath"],
            "status": "pending_review",
        }
        self.bots.append(bot)
        return Reply(201 if is_first else 200, {"success": True, "data": bot, "message": "done"})


@contextlib.contextmanager
def platform_server(**settings: Any) -> Iterator[Platform]:
    """A platform on a free port until the block ends."""
    platform = Platform(**settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(platform))
    server.daemon_threads = True
    platform.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        for faults in platform.faults.values():
            for fault in faults:
                fault.release.set()
        server.shutdown()
        thread.join(10)
        server.server_close()


def _handler(platform: Platform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            path = unquote(urlsplit(self.path).path)
            kind = self.headers.get("content-type", "")
            reply = platform.answer(self.command, path, self.headers.get("authorization"), kind, body)
            self.close_connection = True
            if reply.lost:
                return
            data = json.dumps(reply.body).encode()
            with contextlib.suppress(ConnectionError):
                self.send_response(reply.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """The test's output is its own."""

    return Handler


def _refusal(
    existing: list[dict[str, Any]], user: str, name: str, config: dict[str, Any], *, is_first: bool
) -> str | None:
    """Why the platform does not record a version; None when it does."""
    if config["name"] != name:
        return "Bot name in config must match URL parameter"
    if is_first:
        return "Custom bot with this name already exists" if existing else None
    if not existing:
        return "Custom bot does not exist. Create it first using POST."
    if existing[0]["userId"] != user:
        return "Insufficient permissions"
    latest = max((bot["version"] for bot in existing), key=_numbers)
    if _numbers(config["version"]) <= _numbers(latest):
        return f"Version {config['version']} must be greater than current version {latest}"
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _wrong(value: Any, rules: dict[str, Any]) -> str:
    errors = jsonschema.Draft7Validator(rules).iter_errors(value)
    return ", ".join(f"/{'/'.join(map(str, error.absolute_path))} {error.message}"[:300] for error in errors)


def _no(status: int, message: str) -> Reply:
    return Reply(status, {"statusCode": status, "message": message, "error": "Error"})
