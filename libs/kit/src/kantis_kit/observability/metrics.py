"""The figures of a process, and how those that must be asked for are kept fresh."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

registry = CollectorRegistry()
"""Metrics of this process; `/metrics` renders them."""

requests_seconds = Histogram(
    "kantis_http_request_seconds",
    "Duration of HTTP requests",
    ["service", "method", "route", "status"],
    registry=registry,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


@lru_cache(maxsize=10_000)
def _requests(service: str, method: str, route: str, status: int) -> Histogram:
    return requests_seconds.labels(service, method, route, str(status))


def observe_request(service: str, method: str, route: str, status: int, *, seconds: float) -> None:
    """Count a request and its duration; finding its series costs more than counting, so that is remembered."""
    _requests(service, method, route, status).observe(seconds)


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
parked_timers = Gauge("kantis_parked_timers", "Parked timers", ["service"], registry=registry)
saga_rows = Gauge(
    "kantis_saga_rows",
    "Long transactions that have not ended",
    ["service", "kind", "state"],
    registry=registry,
)
in_doubt_rows = Gauge("kantis_in_doubt_rows", "Dispatches in doubt", ["service"], registry=registry)
conversations_overdue = Gauge(
    "kantis_conversations_overdue",
    "Conversations in which no answer came by the end of the second working day",
    ["service"],
    registry=registry,
)
reputation_bounces = Gauge(
    "kantis_reputation_bounces",
    "Messages that came back within a day because other servers do not like our network",
    ["service"],
    registry=registry,
)
relay_up = Gauge(
    "kantis_relay_up",
    "1 unless messages wait for a mail server that cannot be reached",
    ["service", "relay"],
    registry=registry,
)
slow_domains = Gauge(
    "kantis_slow_domains",
    "Mail domains that put messages off and are left alone for a while",
    ["service"],
    registry=registry,
)
sending_held = Gauge(
    "kantis_sending_held", "1 while sending waits for a person", ["service"], registry=registry
)
spend_caps_reached = Gauge(
    "kantis_spend_caps_reached", "Spend caps that messages wait for", ["service"], registry=registry
)
events_published = Counter(
    "kantis_events_published",
    "Events confirmed by the broker",
    ["service", "type"],
    registry=registry,
)
events_consumed = Counter(
    "kantis_events_consumed", "Events handled, by outcome", ["queue", "outcome"], registry=registry
)
consumer_lag_seconds = Histogram(
    "kantis_consumer_lag_seconds",
    "Time from the recording of an event to its effect, of the oldest of a batch",
    ["queue"],
    registry=registry,
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600),
)
timer_lateness_seconds = Histogram(
    "kantis_timer_lateness_seconds", "How late timers fired", ["service"], registry=registry
)
loops_died = Counter(
    "kantis_loops_died",
    "Times that a loop of the worker side ended unexpectedly and was begun anew",
    ["service", "loop"],
    registry=registry,
)
figures_fresh = Gauge(
    "kantis_figures_fresh",
    "1 when the figures that are asked for (outbox, parked, queues) could be read",
    ["service"],
    registry=registry,
)

FRESH_SECONDS = 1.0
READ_SECONDS = 2.0


@dataclass
class Figures:
    """Figures that must be asked for: read when somebody looks, at most once a second, never for long.

    A reading that fails leaves the old values and says so in `kantis_figures_fresh`.
    """

    service: str
    read: Callable[[], Awaitable[None]]
    fresh_seconds: float = FRESH_SECONDS
    read_seconds: float = READ_SECONDS
    _read_at: float | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> BaseException | None:
        """Read when the last reading is old; return why that failed, or None."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            if self._read_at is not None and loop.time() - self._read_at < self.fresh_seconds:
                return None
            try:
                async with asyncio.timeout(self.read_seconds):
                    await self.read()
            except Exception as error:  # noqa: BLE001 - figures are told when they can be, whatever is away
                self._read_at = None
                figures_fresh.labels(self.service).set(0)
                return error
            self._read_at = loop.time()
            figures_fresh.labels(self.service).set(1)
            return None


_sources: list[Figures] = []


def add_figures(figures: Figures) -> None:
    """Have figures refreshed before the metrics of this process are rendered."""
    _sources.append(figures)


def remove_figures(figures: Figures) -> None:
    """Forget figures; those that are gone already are no error."""
    _sources[:] = [one for one in _sources if one is not figures]


async def render() -> bytes:
    """Return all metrics of this process, of every service that runs in it."""
    await asyncio.gather(*(one.refresh() for one in tuple(_sources)))
    return generate_latest(registry)
