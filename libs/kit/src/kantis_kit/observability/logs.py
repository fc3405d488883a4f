"""Structured logs; ids only, never an address, a name or a message."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import orjson
import structlog

from kantis_kit.observability.context import correlation_id
from kantis_kit.observability.failures import error_of, trace_of

_EMAIL = re.compile(r"[^\s@<>\"'(),;:=]{1,64}@[^\s@<>\"'(),;:=]{1,255}")
_PHONE = re.compile(r"\+\d(?:[ -]?\d){7,14}")
_LIBRARY_LENGTH = 300


def get_logger(name: str) -> Any:
    """Return the structured logger of a module: `log.info("outbox.published", items=3)`."""
    return structlog.get_logger(name)


def _add_correlation(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    current = correlation_id.get()
    if current is not None:
        event.setdefault("correlation_id", str(current))
    return event


def _add_frames(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    error = error_of(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = trace_of(error)
    return event


def _clean(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    return {
        key if key.isprintable() else _escape(key, lines=False): clean(
            value, lines=key == "exception"
        )
        if type(value) not in _HARMLESS
        else value
        for key, value in event.items()
    }


_HARMLESS = frozenset({int, float, bool, type(None)})


def clean(value: Any, *, lines: bool = False) -> Any:
    """Return a value fit for a log: control characters escaped, what looks like an address or a number masked.

    Values that name people are not to be logged in the first place; the mask is for what slips through.
    """
    if isinstance(value, str):
        if "@" in value:
            value = _EMAIL.sub("[e-mail]", value)
        if "+" in value:
            value = _PHONE.sub("[phone]", value)
        return value if value.isprintable() else _escape(value, lines=lines)
    if isinstance(value, Mapping):
        return {clean(str(key)): clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(one) for one in value]
    if type(value) in _HARMLESS:
        return value
    return clean(str(value))


def _escape(value: str, *, lines: bool) -> str:
    return "".join(
        one
        if one.isprintable() or (lines and one == "\n")
        else one.encode("unicode_escape").decode("ascii")
        for one in value
    )


class _Bridge(logging.Handler):
    """Takes what libraries log: its first line, and the frames of an error without its message."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # What asyncio says of a task holds the task's error as text; its own words are in the pattern alone.
            said = str(record.msg) if record.name == "asyncio" else record.getMessage()
            first = said.partition("\n")[0][:_LIBRARY_LENGTH]
            structlog.get_logger(record.name).log(
                record.levelno,
                "library",
                logger=record.name,
                message=first,
                exc_info=record.exc_info,
            )
        except Exception:  # noqa: BLE001 - a log line must never break what it tells of
            self.handleError(record)


def configure_logging(level: str = "INFO", style: str = "json") -> None:
    """Send structured logs to standard error; those of libraries too, from WARNING on."""
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_correlation,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_frames,
        _clean,
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
            processors=[*processors, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())],
            wrapper_class=structlog.make_filtering_bound_logger(numeric),
            logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
            cache_logger_on_first_use=False,
        )
    logging.basicConfig(level=max(numeric, logging.WARNING), handlers=[_Bridge()], force=True)
    logging.raiseExceptions = False


def _dumps(value: Any, **_: Any) -> bytes:
    return orjson.dumps(value, default=str)


# Before a process has chosen its style, logs are plain and quiet; the library's own default would print the local
# variables of every frame.
configure_logging("WARNING", "console")
