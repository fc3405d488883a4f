"""What every broker adapter promises; one suite of tests runs against all of them.

* At least once: a confirmed event reaches every queue that was bound when it was published, and stays until acked.
* `publish` returns only after the broker has stored the events, one outcome per event, never later than its deadline.
* An event that no queue is bound for is answered with `Unroutable`; it is never silently confirmed.
* Order is not promised, and an event may come twice: consumers deduplicate on `Envelope.id`.
* A delivery that is neither acked nor released comes again when its consumer dies.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from kantis_contracts.base import Envelope
from kantis_kit.errors import BrokerError

PORTION_BYTES = 1024 * 1024
"""So much is handled in one transaction: some thousand items, whose events then leave before the next are looked at."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A durable queue and the event types that are bound to it."""

    queue: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it lies in a queue.

    `envelope` is None when the bytes could not be read: `raw` and `problem` then say what came and why.
    `redelivered` is true when an earlier consumer may have died with it.
    """

    tag: Any
    envelope: Envelope | None
    redelivered: bool
    raw: bytes = b""
    problem: str = ""


def portions(batch: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """Cut a batch into what one transaction handles: what has come first is there before all the rest is."""
    portion: list[Delivery] = []
    size = 0
    for delivery in batch:
        more = len(delivery.envelope.data) if delivery.envelope else 0
        if portion and size + more > PORTION_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(delivery)
        size += more
    if portion:
        yield portion


class Consumer(Protocol):
    """An open subscription of one process to one queue."""

    def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield what is there, at most `prefetch` unacked at a time; wait when there is nothing.

        Never waits to fill a batch: the next one forms while this one is worked on. Reconnects by itself; deliveries
        of a lost connection come again.
        """
        ...

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Forget these messages: their effects are committed."""
        ...

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put these messages back: they could not even be recorded (the service's database is away)."""
        ...


class Broker(Protocol):
    """A connection of one service process to the broker."""

    async def start(self) -> None:
        """Connect; return when publishing is possible. Raises `BrokerError` when the broker is away."""
        ...

    async def stop(self) -> None:
        """Finish what is in flight and disconnect."""
        ...

    async def declare(self, subscriptions: Sequence[Subscription]) -> None:
        """Make the queues and bindings durable; idempotent. Bindings that are gone from the code are removed."""
        ...

    async def publish(self, envelopes: Sequence[Envelope]) -> list[BrokerError | None]:
        """Publish all; return per envelope None (stored) or why it was not.

        Takes at most five seconds, whatever the broker does.
        """
        ...

    def consume(
        self, queue: str, *, prefetch: int = 1_000
    ) -> AbstractAsyncContextManager[Consumer]:
        """Open a consumer; leaving the context gives back what was not acked."""
        ...

    async def depth(self, queue: str) -> int:
        """Return how many messages wait in the queue or are unacked."""
        ...

    @property
    def state(self) -> str:
        """Return `up`, `blocked` (connected, publishing refused by an alarm) or `down`."""
        ...
