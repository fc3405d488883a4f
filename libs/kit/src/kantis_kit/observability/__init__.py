"""Structured logs, metrics and traces; ids only, never an address, a name or a message."""

from kantis_kit.observability.context import correlation_id
from kantis_kit.observability.failures import name_of, problem_of, trace_of
from kantis_kit.observability.logs import configure_logging, get_logger
from kantis_kit.observability.metrics import (
    Figures,
    add_figures,
    consumer_lag_seconds,
    events_consumed,
    events_published,
    figures_fresh,
    in_doubt_rows,
    loops_died,
    observe_request,
    outbox_age_seconds,
    outbox_rows,
    parked_rows,
    parked_timers,
    queue_depth,
    registry,
    remove_figures,
    render,
    requests_seconds,
    saga_rows,
    sending_held,
    timer_lateness_seconds,
)
from kantis_kit.observability.switch import tracing_for
from kantis_kit.observability.tracing import OFF, Tracing, current_traceparent

__all__ = [
    "OFF",
    "Figures",
    "Tracing",
    "add_figures",
    "configure_logging",
    "consumer_lag_seconds",
    "correlation_id",
    "current_traceparent",
    "events_consumed",
    "events_published",
    "figures_fresh",
    "get_logger",
    "in_doubt_rows",
    "loops_died",
    "name_of",
    "observe_request",
    "outbox_age_seconds",
    "outbox_rows",
    "parked_rows",
    "parked_timers",
    "problem_of",
    "queue_depth",
    "registry",
    "remove_figures",
    "render",
    "requests_seconds",
    "saga_rows",
    "sending_held",
    "timer_lateness_seconds",
    "trace_of",
    "tracing_for",
]
