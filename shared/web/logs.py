"""Structured logs: one JSON object a line on standard error; ids, counts, durations and codes only."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.orjson import OrjsonFormatter

_SEVERITY = {"WARNING": "WARNING", "WARN": "WARNING", "CRITICAL": "CRITICAL"}


class _Formatter(OrjsonFormatter):
    """Cloud Logging reads `severity`, `message` and `time`."""

    def __init__(self) -> None:
        super().__init__("%(message)s", timestamp="time")

    def add_fields(
        self, log_data: dict[str, object], record: logging.LogRecord, message_dict: dict[str, object]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data["severity"] = _SEVERITY.get(record.levelname, record.levelname)
        log_data["logger"] = record.name


def configure_logs(level: str) -> None:
    """Sends every log of the process through the one format; safe to call again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "gunicorn.error", "gunicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = name != "uvicorn.access"
    # These tell addresses and bodies of requests at INFO, or what nobody asked.
    for name in ("httpx", "httpcore", "google_genai", "aiohttp", "asyncio", "sqlalchemy", "uvicorn.error"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
