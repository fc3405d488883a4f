"""Takes events from a queue into use cases: each effect once, poison set aside, the rest flowing.

A whole batch is tried in one transaction. When that fails, each event is tried alone; what fails alone becomes a row
that is tried again with growing pauses and is parked after five attempts. A redelivered event may have killed its
consumer, so its attempt is counted before it is handled, by our own counter, not by the broker's.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError

from kantis_contracts.base import Envelope, Event
from kantis_kit import failpoints, inbox, observability
from kantis_kit.brokers.port import Broker, Consumer, Delivery, Subscription, portions
from kantis_kit.db.database import is_away
from kantis_kit.ids import new_id
from kantis_kit.observability import OFF, correlation_id
from kantis_kit.parked import Parked, Row, Waiting
from kantis_kit.signing import Keys
from kantis_kit.tx import Scope, Tx, write

log = observability.get_logger(__name__)

MAX_ATTEMPTS = 5
EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True, slots=True)
class Meta:
    """What a handler may want to know of the envelope."""

    id: UUID
    occurred_at: datetime
    correlation_id: UUID
    causation_id: UUID | None


HandlerFunction = Callable[[Tx, Any, Meta], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handler:
    """One event type consumed by one queue."""

    event: type[Event]
    queue: str
    function: HandlerFunction
    is_sink: bool = False

    @property
    def name(self) -> str:
        """Where the code stands, for logs and parked messages."""
        return f"{self.function.__module__}.{self.function.__qualname__}"


def consumes(
    event: type[EventT], *, queue: str, sink: bool = False
) -> Callable[[Callable[[Tx, EventT, Meta], Awaitable[None]]], Handler]:
    """Bind a function to an event type on a queue named `<service>.<slice>`.

    A `sink` stages no event of its own; events that lie together in the queue and share everything beside their items
    are handed to it as one, so that a flood of small events costs as few statements as one large event.
    """

    def bind(function: Callable[[Tx, EventT, Meta], Awaitable[None]]) -> Handler:
        return Handler(event=event, queue=queue, function=function, is_sink=sink)

    return bind


def handlers_in(*modules: ModuleType) -> list[Handler]:
    """Collect the handlers of `consumers.py` modules, in the order of their names."""
    return [
        value
        for module in modules
        for _, value in sorted(vars(module).items())
        if isinstance(value, Handler)
    ]


def subscriptions(handlers: Sequence[Handler]) -> list[Subscription]:
    """Return the queues and bindings that the handlers need; one handler per queue and type."""
    by_queue: dict[str, list[str]] = {}
    for handler in handlers:
        types = by_queue.setdefault(handler.queue, [])
        if handler.event.type in types:
            message = f"{handler.queue} has two handlers for {handler.event.type}"
            raise TypeError(message)
        types.append(handler.event.type)
    return [Subscription(queue, tuple(sorted(types))) for queue, types in sorted(by_queue.items())]


class Refused(Exception):
    """A message that no number of attempts can help: it is parked at once."""


@dataclass(slots=True)
class _Work:
    delivery: Delivery
    envelope: Envelope
    handler: Handler
    event: Event


class QueueConsumer:
    """The consumer of one queue in one process."""

    def __init__(
        self, scope: Scope, broker: Broker, keys: Keys, queue: str, handlers: Sequence[Handler]
    ) -> None:
        self._scope = scope
        self._broker = broker
        self._keys = keys
        self.queue = queue
        self._handlers = {
            handler.event.type: handler for handler in handlers if handler.queue == queue
        }
        self._random = random.Random()  # noqa: S311 - jitter, not a secret

    async def run(self) -> None:
        """Consume for ever; the adapter reconnects, we survive everything else."""
        while True:
            try:
                async with self._broker.consume(self.queue) as consumer:
                    async for batch in consumer.batches():
                        await self.handle(consumer, batch)
            except Exception as error:  # noqa: BLE001 - the loop must outlive whatever a batch meets
                log.warning(
                    "consumer.failed",
                    queue=self.queue,
                    error=type(error).__name__,
                    problem=observability.name_of(error),
                )
                await asyncio.sleep(0.2)

    async def handle(self, consumer: Consumer, batch: Sequence[Delivery]) -> None:
        """Bring a batch to its end, a portion after the other: handled, set aside as rows, or given back."""
        waiting = list(batch)
        for portion in portions(batch):
            try:
                await self._settle(portion)
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("consumer.database_away", queue=self.queue, items=len(waiting))
                await asyncio.sleep(0.5)
                await consumer.release(waiting)
                return
            await failpoints.reach("consumer.before_ack")
            await consumer.ack(portion)
            del waiting[: len(portion)]

    async def _settle(self, batch: Sequence[Delivery]) -> None:
        together: list[_Work] = []
        for delivery in batch:
            try:
                work = self._read(delivery)
            except Refused as refusal:
                await self._park_unreadable(delivery, str(refusal))
                continue
            if delivery.redelivered:
                await self._alone(work, count_first=True)
            else:
                together.append(work)
        if not together:
            return
        try:
            await self._effect(together)
        except Exception as error:
            if is_away(error):
                raise
            for work in together:
                await self._alone(work, count_first=False)

    def _read(self, delivery: Delivery) -> _Work:
        envelope = delivery.envelope
        if envelope is None:
            raise Refused(f"unreadable: {delivery.problem}")
        if not self._keys.is_genuine(envelope):
            raise Refused("the signature is not the producer's")
        return self.work_of(delivery, envelope)

    def work_of(self, delivery: Delivery, envelope: Envelope) -> _Work:
        """Find the handler and read the payload; raises `Refused`."""
        handler = self._handlers.get(envelope.type)
        if handler is None:
            raise Refused(f"{self.queue} has no handler for {envelope.type}")
        try:
            event = handler.event.model_validate_json(envelope.data)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5]
            )
            raise Refused(
                f"the payload does not fit {handler.event.__name__}: {problems}"
            ) from error
        return _Work(delivery, envelope, handler, event)

    async def _effect(self, works: Sequence[_Work]) -> None:
        async with write(self._scope, actor=f"event:{self.queue}") as tx:
            session = tx._session  # noqa: SLF001 - the inbox row is part of this transaction
            new = await inbox.take(session, self.queue, [work.envelope.id for work in works])
            fresh = [work for work in works if _take_from(new, work.envelope.id)]
            for group in _together(fresh):
                await self._hand_over(tx, group)
            await failpoints.reach("consumer.before_commit")
        await failpoints.reach("consumer.after_commit")
        observability.events_consumed.labels(self.queue, "handled").inc(len(works))
        oldest = min(work.envelope.recorded_at for work in works)
        observability.consumer_lag_seconds.labels(self.queue).observe(
            max(0.0, (self._scope.clock.now() - oldest).total_seconds())
        )

    async def _hand_over(self, tx: Tx, group: Sequence[_Work]) -> None:
        first = group[0]
        event = first.event
        if len(group) > 1:
            items = tuple(item for work in group for item in work.event.items)
            event = event.model_copy(update={"items": items})
        token = correlation_id.set(first.envelope.correlation_id)
        try:
            with self._span(group):
                tx.caused_by(first.envelope)
                await first.handler.function(tx, event, _meta(first.envelope))
                if first.handler.is_sink and tx.has_staged:
                    message = f"{first.handler.name} is declared a sink, but it has staged an event"
                    raise TypeError(message)
                await tx.seal()
        finally:
            correlation_id.reset(token)

    def _span(self, group: Sequence[_Work]) -> AbstractContextManager[None]:
        if self._scope.tracing is OFF:
            return nullcontext()
        first = group[0].envelope
        return self._scope.tracing.span(
            f"consume {first.type}",
            kind="consumer",
            parent=first.traceparent,
            links=[work.envelope.traceparent for work in group[1:]],
            attributes={
                "messaging.destination.name": self.queue,
                "messaging.message.id": str(first.id),
                "messaging.batch.message_count": len(group),
            },
        )

    async def _alone(self, work: _Work, *, count_first: bool) -> None:
        rows = Waiting(self._scope)
        if count_first:
            attempts = await rows.begin(self.queue, work.envelope, work.handler.name)
            if attempts > MAX_ATTEMPTS:
                await rows.park(
                    self.queue,
                    work.envelope,
                    work.handler.name,
                    reason="its consumer died with it five times",
                )
                observability.events_consumed.labels(self.queue, "parked").inc()
                return
        await self.attempt(work)

    async def attempt(self, work: _Work) -> bool:
        """Try one event in a transaction of its own; say whether it is done with."""
        rows = Waiting(self._scope)
        try:
            await self._effect([work])
        except Exception as error:
            if is_away(error):
                raise
            parked = await rows.fail(
                self.queue,
                work.envelope,
                work.handler.name,
                problem=observability.problem_of(error),
                pause=self._pause,
                max_attempts=MAX_ATTEMPTS,
            )
            outcome = "parked" if parked else "retried"
            observability.events_consumed.labels(self.queue, outcome).inc()
            log.warning(
                "consumer.failed_message",
                outcome=outcome,
                queue=self.queue,
                type=work.envelope.type,
                event_id=str(work.envelope.id),
                error=observability.name_of(error),
            )
            return False
        await rows.forget(self.queue, work.envelope.id)
        return True

    def _pause(self, attempts: int) -> timedelta:
        # Full jitter: retries of many messages that failed together do not come back together.
        ceiling = min(300.0, 0.5 * 4 ** (attempts - 1))
        return timedelta(seconds=self._random.uniform(ceiling / 2, ceiling))

    async def _park_unreadable(self, delivery: Delivery, reason: str) -> None:
        await Parked(self._scope).add_unreadable(
            self.queue, delivery.envelope, delivery.raw, reason, fallback_id=new_id()
        )
        observability.events_consumed.labels(self.queue, "parked").inc()
        # What follows the colon may repeat what came; operators find it with the parked message.
        log.warning("consumer.parked", queue=self.queue, reason=reason.partition(":")[0][:200])


def _take_from(new: set[UUID], event_id: UUID) -> bool:
    # A batch may hold the same event twice: only the first of them is handled.
    if event_id not in new:
        return False
    new.discard(event_id)
    return True


def _together(works: Sequence[_Work]) -> Iterator[list[_Work]]:
    """Yield neighbours that a sink may be given as one, everything else alone."""
    group: list[_Work] = []
    for work in works:
        if group and not (work.handler.is_sink and _is_like(group[0], work)):
            yield group
            group = []
        group.append(work)
    if group:
        yield group


def _is_like(one: _Work, other: _Work) -> bool:
    if one.handler is not other.handler:
        return False
    shared = type(one.event).model_fields.keys() - {"items"}
    return all(getattr(one.event, name) == getattr(other.event, name) for name in shared)


def _meta(envelope: Envelope) -> Meta:
    return Meta(envelope.id, envelope.occurred_at, envelope.correlation_id, envelope.causation_id)


class Retrier:
    """Tries the rows that wait for another attempt, for all queues of a service."""

    def __init__(self, scope: Scope, consumers: Sequence[QueueConsumer]) -> None:
        self._scope = scope
        self._consumers = {consumer.queue: consumer for consumer in consumers}
        self.is_trying = False
        """Whether rows are out just now: they look like rows of a later time while they are."""

    async def run(self) -> None:
        """Try what is due, for ever."""
        while True:
            try:
                done = await self.step()
            except Exception as error:  # noqa: BLE001 - the loop must outlive whatever a row meets
                log.warning("retrier.failed", error=type(error).__name__)
                done = 0
            if not done:
                await asyncio.sleep(0.25)

    async def step(self) -> int:
        """Try every row that is due now; return how many were tried."""
        self.is_trying = True
        try:
            rows = await Waiting(self._scope).claim(limit=100)
            for row in rows:
                await self._try(row)
        finally:
            self.is_trying = False
        return len(rows)

    async def _try(self, row: Row) -> None:
        consumer = self._consumers.get(row.queue)
        if consumer is None or row.envelope is None:
            reason = f"nobody consumes {row.queue} any more"
            await Parked(self._scope).park(row.queue, row.event_id, reason)
            return
        try:
            work = consumer.work_of(Delivery(None, row.envelope, redelivered=True), row.envelope)
        except Refused as refusal:
            await Parked(self._scope).park(row.queue, row.event_id, str(refusal))
            return
        await consumer.attempt(work)
