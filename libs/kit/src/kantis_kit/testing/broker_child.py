"""A process that consumes until it is killed: `python -m kantis_kit.testing.broker_child URL SERVICE EXCHANGE QUEUE`.

It forks a consumer for each line that it reads, so that a test can kill many without paying for many starts. A consumer
prints `pid N`, then the id of each event as soon as it holds it, and acks after that: an id that was printed counts as
handled, one that was not must come again.
"""

import asyncio
import os
import sys

from kantis_kit.brokers.embedded import EmbeddedBroker
from kantis_kit.brokers.port import Broker
from kantis_kit.brokers.rabbit import RabbitBroker


async def _consume(url: str, service: str, exchange: str, queue: str) -> None:
    broker: Broker = (
        RabbitBroker(url, service=service, exchange=exchange)
        if url.startswith("amqp")
        else EmbeddedBroker(url, name=service)
    )
    await broker.start()
    async with broker.consume(queue, prefetch=7) as consumer:
        async for batch in consumer.batches():
            for delivery in batch:
                if delivery.envelope is not None:
                    _say(str(delivery.envelope.id))
                await consumer.ack([delivery])


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main(url: str, service: str, exchange: str, queue: str) -> None:
    """Fork a consumer per line; end with the last line, and with the consumer that lives."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _say(f"pid {os.getpid()}")
            asyncio.run(_consume(url, service, exchange, queue))
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
