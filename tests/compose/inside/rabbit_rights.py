"""Runs in the container of contacts: what its own login may not do in RabbitMQ. Prints what was allowed, as JSON."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aio_pika
from aio_pika.exceptions import AMQPError

URL = Path(os.environ["KANTIS_BROKER_URL_FILE"]).read_text(encoding="utf-8").strip()
EVENTS, ASIDE = "kantis.events", "kantis.events.aside"
Deed = Callable[[Any], Awaitable[object]]


def publish(exchange: str, key: str) -> Deed:
    async def deed(channel: Any) -> None:
        found = (
            await channel.get_exchange(exchange, ensure=False)
            if exchange
            else channel.default_exchange
        )
        await found.publish(aio_pika.Message(b"{}"), key, timeout=10)

    return deed


def queue(name: str, act: Callable[[Any], Awaitable[object]]) -> Deed:
    async def deed(channel: Any) -> None:
        await act(await channel.get_queue(name, ensure=False))

    return deed


async def consume(queue: Any) -> None:
    await queue.consume(lambda _message: None)


DEEDS: dict[str, Deed] = {
    "publish in the name of orders": publish(EVENTS, "orders.order.paid.v1"),
    "publish into a queue of orders by its name": publish("", "orders.responses"),
    "write into the record of orders": publish(ASIDE, "orders.bindings"),
    "publish to an exchange of RabbitMQ": publish("amq.topic", "contacts.person.changed.v1"),
    "take from a queue of orders": queue("orders.responses", consume),
    "get from a queue of orders": queue("orders.responses", lambda q: q.get(fail=False)),
    "empty a queue of orders": queue("orders.responses", lambda q: q.purge()),
    "delete a queue of orders": queue("orders.responses", lambda q: q.delete()),
    "bind a queue of orders": queue(
        "orders.responses", lambda q: q.bind(EVENTS, "contacts.person.changed.v1")
    ),
    "hear everything": queue("contacts.facts", lambda q: q.bind(EVENTS, "#")),
    "hear the records of all": queue("contacts.facts", lambda q: q.bind(ASIDE, "#")),
    "hear a producer that it has no handler for": queue(
        "contacts.facts", lambda q: q.bind(EVENTS, "stranger.x.y.v1")
    ),
    "make a queue in the name of orders": lambda c: c.declare_queue(
        "orders.intruder", durable=True
    ),
    "make a queue without a name": lambda c: c.declare_queue("", exclusive=True),
    "make an exchange": lambda c: c.declare_exchange("kantis.intruder", "topic"),
    "delete the exchange": lambda c: c.exchange_delete(EVENTS),
}


async def attempt(url: str, deed: Deed) -> bool:
    try:
        connection = await aio_pika.connect(url, timeout=10)
    except (AMQPError, OSError):
        return False
    async with connection:
        try:
            await deed(await connection.channel(on_return_raises=True))
        except (AMQPError, asyncio.CancelledError) as error:
            if "ACCESS_REFUSED" not in str(error):
                print(f"refused for another reason: {error!r}", file=sys.stderr)  # noqa: T201 - the test reads it
                return True
            return False
    return True


async def main() -> None:
    parts = urlsplit(URL)
    place = parts.netloc.rpartition("@")[2]
    allowed = [name for name, deed in DEEDS.items() if await attempt(URL, deed)]
    guest = urlunsplit(parts._replace(netloc=f"guest:guest@{place}"))
    strangers = {
        "guest": guest,
        "guest in the first virtual host": urlunsplit(
            parts._replace(netloc=f"guest:guest@{place}", path="/%2F")
        ),
        "itself in the first virtual host": urlunsplit(parts._replace(path="/%2F")),
    }

    async def nothing(_channel: Any) -> None:
        return None

    allowed += [name for name, url in strangers.items() if await attempt(url, nothing)]
    own = await attempt(URL, lambda c: c.declare_queue("contacts.bindings", passive=True))
    print(json.dumps({"allowed": allowed, "own_work": own}))  # noqa: T201 - the test reads it


asyncio.run(main())
