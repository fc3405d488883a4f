"""What leaves a service is a row first, written in the transaction of its cause."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kantis_contracts.base import MAX_BYTES, MAX_ITEMS, Envelope, Event
from kantis_kit.errors import ItemTooLarge
from kantis_kit.ids import new_id

_INSERT = text(
    """
    INSERT INTO outbox (id, type, subject, occurred_at, recorded_at, correlation_id, causation_id, traceparent, data)
    SELECT id, type, subject, occurred_at, :recorded_at, :correlation_id, :causation_id, :traceparent, data
    FROM unnest(
        cast(:ids AS uuid[]), cast(:types AS text[]), cast(:subjects AS text[]),
        cast(:occurred AS timestamptz[]), cast(:data AS bytea[])
    ) AS staged (id, type, subject, occurred_at, data)
    """
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An event of many things whose items are JSON already: made beside the event loop, ten thousands at a time.

    Whoever makes one answers for the items being what `kind` describes; a test of theirs reads them back.
    """

    kind: type[Event]
    items: Sequence[bytes]
    pieces: Sequence[bytes] = ()
    """The event as `cut` gives it, where that was done before."""
    shared: bytes = b"{}"
    """What stands beside the items, as a JSON object: all of the event's fields but them."""

    @property
    def type(self) -> str:
        """The wire type of the event."""
        return self.kind.type

    def cut(self) -> Iterator[bytes]:
        """Yield the event in pieces as `cut` does.

        Raises:
            ItemTooLarge: not even alone can an item travel.
        """
        if self.pieces:
            yield from self.pieces
            return
        opening = b"{" + self.shared[1:-1] + (b"," if len(self.shared) > len(b"{}") else b"")
        opening += b'"items":['
        part: list[bytes] = []
        size = least = len(opening) + len(_CLOSE)
        for item in self.items:
            if len(item) > 2 * MAX_BYTES:
                raise ItemTooLarge(_too_large(self.type, len(item)))
            if part and (len(part) == MAX_ITEMS or size + len(item) + 1 > MAX_BYTES):
                yield opening + b",".join(part) + _CLOSE
                part, size = [], least
            part.append(item)
            size += len(item) + 1
        if part:
            yield opening + b",".join(part) + _CLOSE

    def ahead(self) -> "Encoded":
        """Return the event cut already, for who does that beside the event loop."""
        return replace(self, pieces=list(self.cut()))


_CLOSE = b"]}"


@dataclass(frozen=True, slots=True)
class Staged:
    """An event waiting for its transaction's commit."""

    event: Event | Encoded
    subject: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """What the staged events follow from."""

    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None


def cut(event: Event | Encoded) -> Iterator[bytes]:
    """Yield the event as JSON in pieces of at most 1,000 items and 256 KiB.

    A single item larger than that travels alone, up to twice the size.

    Raises:
        ItemTooLarge: not even alone can it travel; consumers would refuse it when nobody can mend it any more.
    """
    if isinstance(event, Encoded):
        yield from event.cut()
        return
    for start in range(0, len(event.items), MAX_ITEMS):
        yield from _halved(event, event.items[start : start + MAX_ITEMS])


def _halved(event: Event, items: tuple[Any, ...]) -> Iterator[bytes]:
    part = event if len(items) == len(event.items) else event.model_copy(update={"items": items})
    data = part.model_dump_json().encode()
    if len(data) <= MAX_BYTES:
        yield data
    elif len(items) > 1:
        middle = (len(items) + 1) // 2
        yield from _halved(event, items[:middle])
        yield from _halved(event, items[middle:])
    elif len(data) <= 2 * MAX_BYTES:
        yield data
    else:
        raise ItemTooLarge(_too_large(event.type, len(data)))


def _too_large(kind: str, size: int) -> str:
    return f"An item of {kind} has {size} bytes; at most {2 * MAX_BYTES} can travel"


async def insert(
    session: AsyncSession, staged: Sequence[Staged], cause: Cause, *, recorded_at: datetime
) -> int:
    """Write the staged events in one statement; return how many rows that made."""
    rows = [
        (new_id(), one.event.type, one.subject, one.occurred_at, data)
        for one in staged
        for data in cut(one.event)
    ]
    if not rows:
        return 0
    ids, types, subjects, occurred, data = (list(column) for column in zip(*rows, strict=True))
    await session.execute(
        _INSERT,
        {
            "ids": ids,
            "types": types,
            "subjects": subjects,
            "occurred": occurred,
            "data": data,
            "recorded_at": recorded_at,
            "correlation_id": cause.correlation_id,
            "causation_id": cause.causation_id,
            "traceparent": cause.traceparent,
        },
    )
    return len(rows)


COLUMNS = (
    "id",
    "type",
    "subject",
    "occurred_at",
    "recorded_at",
    "correlation_id",
    "causation_id",
    "traceparent",
    "data",
)


def rows_of(
    staged: Sequence[Staged], cause: Cause, *, recorded_at: datetime
) -> list[tuple[Any, ...]]:
    """Return the rows of staged events by `COLUMNS`, for a statement that writes them beside their effects."""
    return [
        (
            new_id(),
            one.event.type,
            one.subject,
            one.occurred_at,
            recorded_at,
            cause.correlation_id,
            cause.causation_id,
            cause.traceparent,
            data,
        )
        for one in staged
        for data in cut(one.event)
    ]


def to_envelope(row: Any, source: str) -> Envelope:
    """Turn a claimed outbox row into the envelope that is published."""
    return Envelope.model_construct(
        id=row["id"],
        type=row["type"],
        source=source,
        subject=row["subject"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        traceparent=row["traceparent"],
        signature="",
        data=row["data"],
    )
