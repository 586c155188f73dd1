"""Logs: a line for each thing on standard error; ids, counts, durations and codes only.

In the cloud, and wherever standard error is no terminal, a line is a JSON object as Cloud Logging reads it;
on a terminal it is text. Source: Google Cloud, "Structured logging" and "LogEntry".
"""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Any

from pythonjsonlogger.orjson import OrjsonFormatter

from shared.log_context import log_ids
from shared.settings import Settings
from shared.tracing.context import current
from shared.web.redaction import Redactor, secrets_of

# What of a record is not what the caller put beside the message.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Servers give these loggers handlers of their own, after the application is loaded too.
_SERVERS = ("uvicorn", "uvicorn.error", "gunicorn", "gunicorn.error")
_ACCESS = ("uvicorn.access", "gunicorn.access")
# These tell addresses and bodies of requests at INFO, or what nobody asked.
_TALKATIVE = ("httpx", "httpcore", "google_genai", "aiohttp", "asyncio", "sqlalchemy", "uvicorn.error")

_log = logging.getLogger("process")


class CloudFormatter(OrjsonFormatter):
    """A JSON object with what Cloud Logging knows by name: severity, message, time, trace, httpRequest."""

    def __init__(self, redact: Redactor, project: str | None) -> None:
        super().__init__("%(message)s", timestamp="time", rename_fields={"exc_info": "stack_trace"})
        self._redact = redact
        self._project = project

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data.update(log_ids())
        super().add_fields(log_data, record, message_dict)
        log_data["severity"] = record.levelname
        log_data["logger"] = record.name
        log_data.update(_trace(self._project))
        if "route" in log_data and "status" in log_data:
            log_data["httpRequest"] = _request(log_data)

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class TextFormatter(logging.Formatter):
    """A line to be read: time, severity, logger, message, then `name=value`."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        self._redact = redact

    def formatMessage(self, record: logging.LogRecord) -> str:
        beside = {name: value for name, value in vars(record).items() if name not in _OWN}
        facts = (f"{name}={value}" for name, value in {**log_ids(), **beside}.items())
        return " ".join([super().formatMessage(record), *facts])

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class _ServersLogger(logging.Logger):
    """Hands its records to the root's handler, whatever handlers its server gives it."""

    def callHandlers(self, record: logging.LogRecord) -> None:
        logging.getLogger().callHandlers(record)


def configure_logs(settings: Settings) -> None:
    """Sends every log of the process through the one format; safe to call again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter_of(settings, is_terminal=sys.stderr.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for name in _SERVERS:
        logging.getLogger(name).__class__ = _ServersLogger
    for name in _ACCESS:
        # They quote addresses with their queries; our own line of a request says more.
        logging.getLogger(name).disabled = True
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: _uncaught(
        failed.exc_type, failed.exc_value or failed.exc_type(), failed.exc_traceback
    )


def formatter_of(settings: Settings, *, is_terminal: bool) -> logging.Formatter:
    """The form of lines: LOG_FORMAT, else JSON but on a terminal of a machine that is not the cloud's."""
    redact = Redactor(secrets_of(settings))
    chosen = settings.log_format or ("text" if is_terminal and not settings.k_service else "json")
    if chosen == "text":
        return TextFormatter(redact)
    return CloudFormatter(redact, settings.google_cloud_project)


def _trace(project: str | None) -> dict[str, Any]:
    found = current()
    if found is None:
        return {}
    trace = found.trace_id if project is None else f"projects/{project}/traces/{found.trace_id}"
    return {
        "logging.googleapis.com/trace": trace,
        "logging.googleapis.com/spanId": found.span_id,
        "logging.googleapis.com/trace_sampled": found.sampled,
    }


def _request(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "requestMethod": facts.get("method"),
        # The route, not the address: ids and queries are the user's.
        "requestUrl": facts["route"],
        "status": facts["status"],
        "latency": f"{facts.get('duration_ms', 0) / 1000:.6f}s",
    }


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    _log.critical("uncaught error", exc_info=(kind, error, trace))
