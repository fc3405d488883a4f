"""Traces, off unless an endpoint is configured; off, nothing of OpenTelemetry's SDK is imported."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

Kind = Literal["internal", "server", "producer", "consumer"]


class Tracing:
    """The traces of one service; this one makes none."""

    provider: Any = None

    def span(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        parent: str | None = None,
        links: Sequence[str | None] = (),
        attributes: Mapping[str, str | int] | None = None,
    ) -> AbstractContextManager[None]:
        """Open a span: below `parent` (a traceparent) or the present span, linked to others."""
        del name, kind, parent, links, attributes
        return nullcontext()

    def watch_engine(self, engine: Any) -> None:
        """Make a span of each statement of an SQLAlchemy engine."""

    def telemetry(self) -> dict[str, Any]:
        """Return FastAPI's own settings for it."""
        return {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}

    def close(self) -> None:
        """Send what waits to be sent."""


OFF = Tracing()
_readers: list[Callable[[], str | None]] = []
"""Filled when traces are on: how to name the present span."""


def current_traceparent() -> str | None:
    """Return the present span as a `traceparent`, or None."""
    return _readers[0]() if _readers else None


def enable_reading(reader: Callable[[], str | None]) -> None:
    """Say how the present span is named; the first one stays."""
    if not _readers:
        _readers.append(reader)
