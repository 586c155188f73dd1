"""Lines of the log: what Cloud Logging reads, what people read, and no secret in either."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import orjson
import pytest

from shared.log_context import bound
from shared.settings import Settings, read_settings
from shared.tracing.context import TraceContext
from shared.tracing.spans import Within
from shared.web.logs import configure_logs, formatter_of
from shared.web.redaction import REDACTED, Redactor, secrets_of

# Not the marks of tests/planted.py: these lines hold secrets until the filter has seen them.
KEY = "gK9-quite-secret-key"
PLACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", True)


def record(message: str = "request", level: int = logging.INFO, **beside: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "request", "msg": message, "levelno": level})
    made.levelname = logging.getLevelName(level)
    vars(made).update(beside)
    return made


def in_json(line: logging.LogRecord, **variables: str) -> dict[str, object]:
    formatter = formatter_of(read_settings(variables), is_terminal=False)
    found: dict[str, object] = orjson.loads(formatter.format(line))
    return found


def test_a_request_is_what_cloud_logging_knows() -> None:
    line = record(method="POST", route="/chat", status=200, duration_ms=12.5)
    with bound(request_id="r"), Within(PLACE), bound(turn_id="t"):
        found = in_json(line, GOOGLE_CLOUD_PROJECT="my-project")
    assert str(found.pop("time")).endswith("+00:00")
    assert found == {
        "severity": "INFO",
        "message": "request",
        "logger": "request",
        "request_id": "r",
        "turn_id": "t",
        "method": "POST",
        "route": "/chat",
        "status": 200,
        "duration_ms": 12.5,
        "httpRequest": {
            "requestMethod": "POST",
            "requestUrl": "/chat",
            "status": 200,
            "latency": "0.012500s",
        },
        "logging.googleapis.com/trace": f"projects/my-project/traces/{PLACE.trace_id}",
        "logging.googleapis.com/spanId": PLACE.span_id,
        "logging.googleapis.com/trace_sampled": True,
    }


def test_a_line_outside_of_any_request_says_nothing_of_one() -> None:
    assert not {"request_id", "logging.googleapis.com/trace", "httpRequest"} & in_json(record()).keys()


def test_an_error_comes_with_its_stack() -> None:
    try:
        raise ValueError(f"wrong: {KEY}")
    except ValueError:
        line = record("turn failed", logging.ERROR, exc_info=sys.exc_info())
    found = in_json(line, GEMINI_API_KEY=KEY)
    assert found["severity"] == "ERROR"
    assert "Traceback" in str(found["stack_trace"])
    assert f"wrong: {REDACTED}" in str(found["stack_trace"])


def test_on_a_terminal_it_is_text() -> None:
    formatter = formatter_of(read_settings({}), is_terminal=True)
    with bound(request_id="r"):
        line = formatter.format(record(status=200))
    assert line.split(" ", 1)[1] == "INFO    request: request request_id=r status=200"


@pytest.mark.parametrize(
    ("variables", "is_terminal", "is_json"),
    [
        ({}, False, True),
        ({"K_SERVICE": "chat", "ALLOW_UNAUTHENTICATED": "true"}, True, True),
        ({"LOG_FORMAT": "json"}, True, True),
        ({"LOG_FORMAT": "text"}, False, False),
    ],
)
def test_the_form_is_chosen_by_where_it_goes(
    variables: dict[str, str], is_terminal: bool, is_json: bool
) -> None:
    line = formatter_of(read_settings(variables), is_terminal=is_terminal).format(record())
    assert line.startswith("{") is is_json


@pytest.fixture
def loggers_as_they_were() -> Iterator[None]:
    """Sets back what the set-up of logs does to the process."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers, root.level
    yield
    root.handlers, sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.usefixtures("loggers_as_they_were")
def test_servers_log_in_the_same_form_whatever_handlers_they_bring(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(read_settings({}))
    for name in ("gunicorn.error", "uvicorn.access"):
        # As gunicorn does when the application is loaded.
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.addHandler(logging.StreamHandler())
        logger.error("GET /chat?user_id=alice")
    [line] = capsys.readouterr().err.splitlines()
    assert orjson.loads(line)["logger"] == "gunicorn.error"


SECRETS = {
    "GEMINI_API_KEY": KEY,
    "NATS_URL": "nats://nats-own-token@a:4222,nats://user:nats%20pass%20word@b:4222",
    "DATABASE_URL": "postgresql://agent:database-password@db/agent",
    "REDIS_URL": "redis://:redis-password@cache:6379/0",
    "JWT_SECRET": 'quotes " and \\ and ü in it',
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20Y29sbGVjdG9y,x-team=a",
}


def settings() -> Settings:
    return read_settings(SECRETS)


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "nats-own-token",
        "nats pass word",
        "database-password",
        "redis-password",
        SECRETS["JWT_SECRET"],
        "Basic Y29sbGVjdG9y",
    ],
)
def test_every_secret_of_the_settings_is_kept_out_in_every_form(secret: str) -> None:
    for is_json in (True, False):
        formatter = formatter_of(
            read_settings({**SECRETS, "LOG_FORMAT": "json" if is_json else "text"}), is_terminal=False
        )
        line = formatter.format(record(f"at {secret}", beside=f"x{secret}y"))
        assert line.count(REDACTED) == 2
        assert secret not in line
        assert orjson.dumps(secret).decode()[1:-1] not in line


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("authorization: Bearer abcdefgh.1234", f"authorization: Bearer {REDACTED}"),
        ("ApiKey abcdefgh1234 was refused", f"ApiKey {REDACTED} was refused"),
        ("GET /v1/models?key=abcdefgh&alt=sse", f"GET /v1/models?key={REDACTED}&alt=sse"),
        ("https://s3/a?X-Amz-Signature=abc&x=1", f"https://s3/a?X-Amz-Signature={REDACTED}&x=1"),
        ("redis://:own@cache:6379", f"redis://{REDACTED}@cache:6379"),
        ("a token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln here", f"a token {REDACTED} here"),
        (f"key AIza{'x' * 35}", f"key {REDACTED}"),
    ],
)
def test_what_looks_like_a_credential_is_kept_out(line: str, kept: str) -> None:
    assert Redactor(())(line) == kept


def test_other_lines_stay_as_they_are() -> None:
    redact = Redactor(secrets_of(settings()))
    for line in (
        '{"message":"request","route":"/chat/turns/{turn_id}","status":200,"duration_ms":1.5}',
        "SELECT 1 FROM keys WHERE key = :key",
        "https://docs.the0.dev/a?q=rsi#token",
        "the key of a bearer bond",
    ):
        assert redact(line) == line


def test_a_word_is_no_secret_because_it_is_a_setting() -> None:
    short = read_settings({"JWT_SECRET": "request"})
    assert Redactor(secrets_of(short))("request failed") == "request failed"


def test_a_databases_user_is_no_secret() -> None:
    local = read_settings({"DATABASE_URL": "postgresql://postgres@127.0.0.1/agent"})
    assert Redactor(secrets_of(local))("asyncpg: postgres is away") == "asyncpg: postgres is away"
