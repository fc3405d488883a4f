"""The reading side of the embedded broker, and how a row is written and read."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
import orjson
import structlog

from kantis_contracts.base import Envelope
from kantis_kit.brokers import embedded_sql as sql
from kantis_kit.brokers.port import Delivery
from kantis_kit.brokers.upkeep import describe
from kantis_kit.brokers.wire import Unreadable, from_attributes, to_attributes
from kantis_kit.errors import PublishFailed

log = structlog.get_logger("kantis.broker")

POLL_SECONDS = 1.0
# What one publish or claim may carry, so that memory stays bounded.
STATEMENT_BYTES = 16 * 1024 * 1024

LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

Work = Callable[..., Awaitable[list[Any]]]
"""Runs one statement with its arguments and returns the rows."""


class EmbeddedConsumer:
    """One process's open subscription to one queue."""

    def __init__(
        self, work: Work, queue: str, prefetch: int, shuffle: random.Random | None = None
    ) -> None:
        self.queue, self.prefetch = queue, prefetch
        self.owner: int | None = None
        self.wake = asyncio.Event()
        self._work, self._shuffle = work, shuffle
        self._held: set[int] = set()
        self._unfinished: list[tuple[str, list[int], int]] = []

    def enlisted(self, owner: int | None) -> None:
        """Claim as this owner from now on; what an earlier one holds comes again."""
        self.owner = owner
        self._held.clear()
        self._unfinished.clear()
        self.wake.set()

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield what waits in the queue, oldest first."""
        while True:
            self.wake.clear()
            room = self.prefetch - len(self._held)
            if self.owner is not None and (room > 0 or self._unfinished):
                try:
                    await self._finish_the_unfinished()
                    batch = await self._claim(room, self.owner) if room > 0 else []
                except LOST as error:
                    log.warning("broker.claim_failed", queue=self.queue, reason=describe(error))
                    await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311 - jitter
                    continue
                if batch:
                    self._held.update(delivery.tag[0] for delivery in batch)
                    yield batch
                    continue
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self.wake.wait()

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages. On a lost connection they come again."""
        await self._finish(sql.ACK, deliveries)

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Let anyone claim the messages again."""
        await self._finish(sql.RELEASE, deliveries)

    async def _claim(self, room: int, owner: int) -> list[Delivery]:
        if self._shuffle is None:
            rows = await self._work(sql.CLAIM_IN_ORDER, self.queue, room, owner, STATEMENT_BYTES)
            rows.sort(key=lambda row: row[0])  # RETURNING promises no order
        else:
            seed = self._shuffle.getrandbits(62)
            rows = await self._work(
                sql.CLAIM_SHUFFLED, self.queue, room, owner, STATEMENT_BYTES, seed
            )
            self._shuffle.shuffle(rows)
        return [_delivery(row, owner) for row in rows]

    async def _finish(self, statement: str, deliveries: Sequence[Delivery]) -> None:
        by_owner: dict[int, list[int]] = {}
        for delivery in deliveries:
            number, owner = delivery.tag
            by_owner.setdefault(owner, []).append(number)
        for owner, numbers in by_owner.items():
            try:
                await self._work(statement, numbers, owner)
            except LOST as error:
                log.warning(
                    "broker.ack_failed",
                    queue=self.queue,
                    messages=len(numbers),
                    reason=describe(error),
                )
                # Who still owns them must try again: nobody else can have them.
                if owner == self.owner:
                    self._unfinished.append((statement, numbers, owner))
            self._held.difference_update(numbers)
        self.wake.set()

    async def _finish_the_unfinished(self) -> None:
        while self._unfinished:
            entry = self._unfinished[0]
            await self._work(*entry)
            if self._unfinished and self._unfinished[0] is entry:  # not if the owner has changed
                del self._unfinished[0]


def write_head(envelope: Envelope) -> bytes:
    """Return the attributes as they are stored.

    Raises:
        PublishFailed: they cannot be stored.
    """
    if "\x00" in envelope.type:
        message = "the event's type contains a NUL character"
        raise PublishFailed(message)
    try:
        return orjson.dumps(to_attributes(envelope))
    except TypeError as error:  # a lone surrogate, for one: it must not hold back its neighbours
        message = f"the event's attributes cannot be written: {error}"
        raise PublishFailed(message) from error


def _delivery(row: Any, owner: int) -> Delivery:
    number, deliveries, head, data = row
    try:
        attributes = orjson.loads(head)
    except orjson.JSONDecodeError as error:
        problem = f"the attributes are not JSON: {error}"
        return Delivery((number, owner), None, deliveries > 1, raw=data, problem=problem)
    if not isinstance(attributes, dict):
        problem = "the attributes are not a JSON object"
        return Delivery((number, owner), None, deliveries > 1, raw=data, problem=problem)
    try:
        return Delivery((number, owner), from_attributes(attributes, data), deliveries > 1)
    except Unreadable as error:
        return Delivery((number, owner), None, deliveries > 1, raw=data, problem=str(error))
