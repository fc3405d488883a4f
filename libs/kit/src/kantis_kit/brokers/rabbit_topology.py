"""What we declare in RabbitMQ, as plain values: names, arguments, and the record of what a service has bound.

AMQP cannot list bindings. So each service keeps the list of its own in a small queue beside its others; comparing it
with the code tells which bindings are gone, without the management interface.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from kantis_kit.brokers.port import Subscription

# Our own counter parks a message after five attempts. This one counts every message that a dying consumer had
# prefetched, innocent ones too: it only stops what kills its process for ever.
DELIVERY_LIMIT = 1_000

Record = Mapping[str, frozenset[str]]
"""By queue, the types that are or may be bound to it."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names that belong to one service on one exchange."""

    service: str
    exchange: str

    @property
    def aside(self) -> str:
        """The exchange for dead letters and records: a queue is reached by its own name.

        A topic exchange too, because only there RabbitMQ can tell who may write to whom.
        """
        return f"{self.exchange}.aside"

    @property
    def record(self) -> str:
        """The queue that holds the record of what this service has bound."""
        return f"{self.service}.bindings"

    def dead(self, queue: str) -> str:
        """The queue that takes what exceeded the delivery limit."""
        return f"{queue}.dead"

    def queue_arguments(self, queue: str, delivery_limit: int) -> dict[str, str | int]:
        """Arguments of a working queue; changing them means deleting the queue."""
        return {
            **_quorum(delivery_limit),
            "x-dead-letter-exchange": self.aside,
            "x-dead-letter-routing-key": self.dead(queue),
            "x-dead-letter-strategy": "at-least-once",  # the default loses messages
        }

    def plain_arguments(self, delivery_limit: int) -> dict[str, str | int]:
        """Arguments of a dead queue and of the record."""
        return _quorum(delivery_limit)


def _quorum(delivery_limit: int) -> dict[str, str | int]:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": delivery_limit,  # 20 when unset since 4.0, none in 3.x
        "x-overflow": "reject-publish",  # the default drops the oldest
    }


def write_record(record: Record) -> bytes:
    """Return the record as it lies in its queue."""
    return orjson.dumps({queue: sorted(types) for queue, types in sorted(record.items())})


def read_records(bodies: Iterable[bytes]) -> dict[str, frozenset[str]]:
    """Return everything that any of these records mentions; unreadable ones count as empty.

    There are several after a crash between writing a new one and removing the old one.
    """
    merged: dict[str, frozenset[str]] = {}
    for body in bodies:
        try:
            record = orjson.loads(body)
            for queue, types in record.items():
                merged[queue] = merged.get(queue, frozenset()) | frozenset(map(str, types))
        except (orjson.JSONDecodeError, AttributeError, TypeError):
            continue
    return merged


@dataclass(frozen=True, slots=True)
class Change:
    """What must be done so that the bindings are those of the code."""

    bind: tuple[tuple[str, str], ...]
    unbind: tuple[tuple[str, str], ...]
    record: dict[str, frozenset[str]]


def plan(recorded: Record, subscriptions: Sequence[Subscription]) -> Change:
    """Compare the record with the code. Queues that are not among `subscriptions` are left alone."""
    wanted = {each.queue: frozenset(each.types) for each in subscriptions}
    return Change(
        bind=tuple((queue, type_) for queue, types in wanted.items() for type_ in sorted(types)),
        unbind=tuple(
            (queue, type_)
            for queue, types in wanted.items()
            for type_ in sorted(recorded.get(queue, frozenset()) - types)
        ),
        record={**recorded, **wanted},
    )
