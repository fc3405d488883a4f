"""Traces by OpenTelemetry. Imported only when they are configured.

What leaves is let through by name: attributes that are not listed (addresses, queries, paths, statements, bodies), the
messages of errors and the descriptions of states stay here, whoever has put them on a span.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import Link, SpanKind, Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kantis_kit.observability.failures import name_of
from kantis_kit.observability.tracing import Kind, Tracing, enable_reading

ALLOWED = frozenset(
    {
        "db.system",
        "db.system.name",
        "error.type",
        "exception.type",
        "http.method",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "http.status_code",
        "messaging.batch.message_count",
        "messaging.destination.name",
        "messaging.message.id",
        "messaging.operation.type",
        "messaging.system",
        "network.protocol.version",
        "url.scheme",
    }
)
MOST_LINKS = 64
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_propagator = TraceContextTextMapPropagator()


class Reticent(SpanProcessor):
    """Passes spans on without what is not allowed out."""

    def __init__(self, inner: SpanProcessor) -> None:
        self._inner = inner

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing: what counts is what leaves."""

    def on_end(self, span: ReadableSpan) -> None:
        """Pass a cleaned copy on."""
        self._inner.on_end(cleaned(span))

    def shutdown(self) -> None:
        """Send what waits and stop."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._inner.force_flush(timeout_millis)


def _allowed(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name in ALLOWED}


def cleaned(span: ReadableSpan) -> ReadableSpan:
    """Return a copy of a span with the allowed attributes alone."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes),
        events=[Event(one.name, _allowed(one.attributes), one.timestamp) for one in span.events],
        links=[Link(one.context) for one in span.links],
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )


class _NoLoneStatements(Sampler):
    """Leaves out statements that belong to nothing: loops look into their tables all day."""

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        """Drop a root span that only calls something else."""
        if kind is SpanKind.CLIENT:
            return SamplingResult(Decision.DROP)
        return ALWAYS_ON.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        """Return the sampler's name."""
        return "NoLoneStatements"


class OpenTelemetry(Tracing):
    """The traces of one service."""

    def __init__(self, service: str, processor: SpanProcessor) -> None:
        self.provider = TracerProvider(
            resource=Resource.create({"service.name": f"kantis-{service}"}),
            sampler=ParentBased(root=_NoLoneStatements()),
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(Reticent(processor))
        self._tracer = self.provider.get_tracer("kantis_kit")
        enable_reading(present)
        client = HTTPXClientInstrumentor()
        if not client.is_instrumented_by_opentelemetry:
            # One for the process; in a process of many services the calls out are told as the first one's.
            client.instrument(tracer_provider=self.provider)

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
        return self._span(name, _KINDS[kind], parent, links, attributes)

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        parent: str | None,
        links: Sequence[str | None],
        attributes: Mapping[str, str | int] | None,
    ) -> Iterator[None]:
        known = list(dict.fromkeys(one for one in links if one))[:MOST_LINKS]
        with self._tracer.start_as_current_span(
            name,
            context=_context(parent) if parent else None,
            kind=kind,
            links=[Link(trace.get_current_span(_context(one)).get_span_context()) for one in known],
            attributes=dict(attributes or {}),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", name_of(error))
                span.set_status(trace.StatusCode.ERROR)
                raise

    def watch_engine(self, engine: Any) -> None:
        """Make a span of each statement of an SQLAlchemy engine."""
        # The instrumentor works once in a process, which would leave out every service but the first; what it hangs on
        # an engine works for each. A test holds that it fits the version in the lock.
        usage = NoOpMeter("kantis_kit").create_up_down_counter("db.client.connections.usage")
        EngineTracer(self._tracer, engine.sync_engine, usage)  # type: ignore[no-untyped-call]  # the library has no types

    def telemetry(self) -> dict[str, Any]:
        """Return FastAPI's own settings for it."""
        return {
            "tracer_provider": self.provider,
            "tracing": True,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
        }

    def close(self) -> None:
        """Send what waits to be sent."""
        self.provider.shutdown()


def _context(traceparent: str) -> Context:
    return _propagator.extract({"traceparent": traceparent}, context=Context())


def present() -> str | None:
    """Return the present span as a `traceparent`, or None."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def connect(service: str, endpoint: str) -> OpenTelemetry:
    """Return traces that are sent to an OTLP/HTTP endpoint, in batches, in the background."""
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    return OpenTelemetry(service, BatchSpanProcessor(exporter))
