"""Structured logs, metrics and traces; ids only, never an address, a name or a message."""

import logging
import sys
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

correlation_id: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)
"""The id that ties a request, its events and their effects together."""

registry = CollectorRegistry()
"""Metrics of this process; `/metrics` renders them."""

requests_seconds = Histogram(
    "kantis_http_request_seconds",
    "Duration of HTTP requests",
    ["service", "method", "route", "status"],
    registry=registry,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
outbox_age_seconds = Gauge(
    "kantis_outbox_age_seconds",
    "Age of the oldest unpublished event",
    ["service"],
    registry=registry,
)
outbox_rows = Gauge("kantis_outbox_rows", "Unpublished events", ["service"], registry=registry)
queue_depth = Gauge(
    "kantis_queue_depth", "Messages waiting in a queue", ["queue"], registry=registry
)
parked_rows = Gauge("kantis_parked_rows", "Parked messages", ["service"], registry=registry)
in_doubt_rows = Gauge("kantis_in_doubt_rows", "Dispatches in doubt", ["service"], registry=registry)
events_published = Counter(
    "kantis_events_published",
    "Events confirmed by the broker",
    ["service", "type"],
    registry=registry,
)
events_consumed = Counter(
    "kantis_events_consumed", "Events handled, by outcome", ["queue", "outcome"], registry=registry
)
timer_lateness_seconds = Histogram(
    "kantis_timer_lateness_seconds", "How late timers fired", ["service"], registry=registry
)


def get_logger(name: str) -> Any:
    """Return the structured logger of a module: `log.info("outbox.published", items=3)`."""
    return structlog.get_logger(name)


def _add_correlation(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    current = correlation_id.get()
    if current is not None:
        event.setdefault("correlation_id", str(current))
    return event


def configure_logging(level: str = "INFO", style: str = "json") -> None:
    """Send structured logs to standard error; control characters in values are escaped by the renderer."""
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_correlation,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if style == "json":
        structlog.configure(
            processors=[*processors, structlog.processors.JSONRenderer(serializer=_dumps)],
            wrapper_class=structlog.make_filtering_bound_logger(numeric),
            logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
            cache_logger_on_first_use=False,
        )
    else:
        structlog.configure(
            # Without the local variables of the frames: they hold names and addresses.
            processors=[
                *processors,
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
                ),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(numeric),
            logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
            cache_logger_on_first_use=False,
        )
    logging.basicConfig(level=max(numeric, logging.WARNING), stream=sys.stderr, force=True)


def _dumps(value: Any, **_: Any) -> bytes:
    return orjson.dumps(value, default=str)


# Before a process has chosen its style, logs are plain and quiet; the library's own default would print the local
# variables of every frame.
configure_logging("WARNING", "console")
