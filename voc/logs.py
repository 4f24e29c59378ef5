"""Logs as one JSON object a line, with survey links and addresses masked on the way."""

import logging
import re
import time
import uuid

import structlog

# A token of 26 base32 characters, wherever it stands: in a path, a message, an exception.
TOKEN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z2-7]{4})[A-Za-z2-7]{22}(?![A-Za-z0-9])")
ADDRESS = re.compile(r"(?:\"[^\"\n]{1,64}\"|[^\s@<>\"'=/]{1,64})(?:@|%40)([\w-]+(?:\.[\w-]+)+)")
API_KEY = re.compile(r"(voc_[0-9a-f]{8})_[\w-]+")
RESET_LINK = re.compile(r"(/reset/[^/\s]+/)[^/\s]+")

log = structlog.get_logger("voc.requests")


def masked(text: str) -> str:
    """`text` without anything that opens a link or names a person; line breaks made visible."""
    text = TOKEN.sub(r"\1…", text)
    text = RESET_LINK.sub(r"\1…", text)
    text = API_KEY.sub(r"\1_…", text)
    return ADDRESS.sub(r"…@\1", text)


def mask_event(logger, method, event: dict) -> dict:
    return {key: _masked_value(value) for key, value in event.items()}


def _masked_value(value):
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, int | float | bool | type(None)):
        return value
    return masked(str(value))


def logging_config(level: str) -> dict:
    """A dictConfig for Django, Celery and gunicorn alike; `level` such as "INFO"."""
    before = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.contextvars.merge_contextvars,
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": before,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    mask_event,
                    structlog.processors.JSONRenderer(),  # ASCII: nothing steers a terminal
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": [], "propagate": True},
            "django": {"handlers": [], "propagate": True, "level": level},
            # Every sweep of every five seconds would be announced three times.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }


class RequestLog:
    """One line a request: method, path, status, milliseconds, request id. No addresses, no body."""

    QUIET = ("/healthz", "/readyz", "/static/")

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request_id = self._id_of(request)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        begun = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            if not request.path.startswith(self.QUIET):
                log.log(
                    logging.WARNING if response.status_code >= 500 else logging.INFO,
                    "request",
                    method=request.method,
                    path=request.path,
                    status=response.status_code,
                    ms=round((time.perf_counter() - begun) * 1000, 1),
                )
            return response
        finally:
            structlog.contextvars.unbind_contextvars("request_id")

    def _id_of(self, request) -> str:
        """The proxy's own id, if it sent one that can stand in a header, else a new one."""
        given = re.sub(r"[^A-Za-z0-9._-]", "", request.headers.get("X-Request-ID", ""))
        return given[:64] or uuid.uuid4().hex
