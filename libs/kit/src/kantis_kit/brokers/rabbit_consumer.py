"""The reading side of the RabbitMQ adapter: batches of what has arrived, settled with as few frames as possible."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import structlog

from kantis_kit.brokers.port import Delivery
from kantis_kit.brokers.upkeep import Kept, describe, within
from kantis_kit.brokers.wire import Unreadable, from_attributes

log = structlog.get_logger("kantis.broker")

SETTLE_SECONDS = 5.0
PREFIX = "ce-"
"""What CloudEvents attributes begin with among the headers."""


Channel = Any
"""aiormq's channel: its interface lacks what its class has, and aio-pika is known to one module only."""

Message = Any
"""aiormq's DeliveredMessage."""


class _Stream:
    """One channel's life: what it delivered and what is not settled. A new channel is a new stream."""

    def __init__(self, channel: Channel, wake: asyncio.Event) -> None:
        self.channel = channel
        self.arrived: deque[Message] = deque()
        self.unsettled: dict[int, None] = {}  # ordered, because delivery tags grow
        self.is_cancelled = False
        self._wake = wake

    @property
    def is_open(self) -> bool:
        return not self.is_cancelled and not self.channel.is_closed

    async def on_message(self, message: Message) -> None:
        self.unsettled[message.delivery_tag or 0] = None
        self.arrived.append(message)
        self._wake.set()

    def on_cancel(self, _frame: object) -> None:
        self.is_cancelled = True
        self._wake.set()

    async def settle(self, tags: set[int], *, ack: bool) -> None:
        """Ack or give back: the oldest with one frame, the others one by one."""
        tags &= self.unsettled.keys()
        if not self.is_open:
            return  # the broker has them again
        prefix = 0
        for tag in self.unsettled:
            if tag not in tags:
                break
            prefix = tag
        frames = [(prefix, True)] if prefix else []
        frames += [(tag, False) for tag in sorted(tags) if tag > prefix]
        for tag, multiple in frames:
            if ack:
                await self.channel.basic_ack(tag, multiple=multiple, wait=False)
            else:
                await self.channel.basic_nack(tag, multiple=multiple, requeue=True, wait=False)
        for tag in tags:
            self.unsettled.pop(tag, None)


class RabbitConsumer:
    """One process's open subscription to one queue."""

    def __init__(
        self,
        kept: Kept,
        open_channel: Callable[[], Awaitable[Channel]],
        queue: str,
        prefetch: int,
        lost: tuple[type[Exception], ...],
    ) -> None:
        self.queue = queue
        self._kept, self._open_channel, self._lost = kept, open_channel, lost
        self._prefetch = prefetch
        self._wake = asyncio.Event()
        self._stream: _Stream | None = None

    @property
    def is_open(self) -> bool:
        """Whether the broker delivers to it now."""
        return self._stream is not None and self._stream.is_open

    @property
    def unsettled(self) -> int:
        """How many deliveries this process holds."""
        return len(self._stream.unsettled) if self._stream is not None and self.is_open else 0

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield what has arrived since the last batch."""
        while True:
            self._wake.clear()
            stream = self._stream
            if stream is None or not stream.is_open:
                await self._reopen()
            elif stream.arrived:
                messages = list(stream.arrived)
                stream.arrived.clear()
                yield [_delivery(message, stream) for message in messages]
            else:
                await self._wake.wait()

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker to forget these messages. On a lost connection they come again."""
        await self._settle(deliveries, ack=True)

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put these messages back into the queue."""
        await self._settle(deliveries, ack=False)

    async def open(self) -> None:
        """Start to receive."""
        channel = await self._open_channel()
        stream = _Stream(channel, self._wake)
        channel.closing.add_done_callback(lambda _: self._wake.set())
        channel.on_consumer_cancel_callbacks.add(stream.on_cancel)
        await channel.basic_qos(prefetch_count=self._prefetch)
        await channel.basic_consume(self.queue, stream.on_message)
        self._stream = stream

    async def close(self) -> None:
        """Stop receiving; the broker gives what was not settled to others."""
        stream, self._stream = self._stream, None
        if stream is not None and not stream.channel.is_closed:
            await stream.channel.close()

    async def _reopen(self) -> None:
        await self.close()
        await self._kept.up()
        try:
            await within(SETTLE_SECONDS, self.open())
        except self._lost as error:
            log.warning("broker.consume_failed", queue=self.queue, reason=describe(error))
            await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311 - jitter

    async def _settle(self, deliveries: Sequence[Delivery], *, ack: bool) -> None:
        by_stream: dict[_Stream, set[int]] = {}
        for delivery in deliveries:
            stream, tag = delivery.tag
            by_stream.setdefault(stream, set()).add(tag)
        for stream, tags in by_stream.items():
            try:
                await within(SETTLE_SECONDS, stream.settle(tags, ack=ack))
            except self._lost as error:
                log.warning("broker.ack_failed", queue=self.queue, reason=describe(error))


def _delivery(message: Message, stream: _Stream) -> Delivery:
    tag, redelivered = (stream, message.delivery_tag), bool(message.redelivered)
    headers = message.header.properties.headers or {}
    attributes = {
        name[len(PREFIX) :]: value for name, value in headers.items() if name.startswith(PREFIX)
    }
    try:
        return Delivery(tag, from_attributes(attributes, message.body), redelivered)
    except Unreadable as error:
        return Delivery(tag, None, redelivered, raw=message.body, problem=str(error))
