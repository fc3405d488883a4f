"""With the rights that a deployment gives, a service does its own work in RabbitMQ and nobody else's."""

import asyncio
import json
from contextlib import AsyncExitStack

import aio_pika
import pytest
from aio_pika.exceptions import AMQPError

from kantis.deployment.rabbit import ASIDE, VHOST, definitions
from kantis_kit.brokers.port import Subscription
from kantis_kit.brokers.rabbit import RabbitBroker
from kantis_kit.errors import BrokerError, PublishFailed
from kantis_kit.testing.broker_bench import empty, envelope, ids, until
from kantis_kit.testing.rabbit_server import RabbitServer

pytestmark = pytest.mark.rabbit

CHANGED = "contacts.person.changed.v1"
PAID = "orders.order.paid.v1"
SENT = "messaging.message.sent.v1"
DESK = Subscription("orders.desk", (CHANGED,))
FACTS = Subscription("contacts.facts", (PAID,))


def url_of(server: RabbitServer, service: str) -> str:
    return f"amqp://{service}:secret-{service}@127.0.0.1:{server.port}/{VHOST}"


@pytest.fixture(scope="module")
def server(rabbit_to_break: RabbitServer):
    given = definitions(
        {service: f"secret-{service}" for service in ("orders", "contacts")},
        {"orders": [DESK], "contacts": [FACTS]},
    )
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    given["permissions"] += [{"user": rabbit_to_break.user, "vhost": VHOST, **everything}]
    text = json.dumps(given).replace("\\", "\\\\").replace('"', '\\"')
    rabbit_to_break.ctl("eval", f'ok = rabbit_definitions:import_raw(<<"{text}">>).')
    yield rabbit_to_break
    rabbit_to_break.ctl(
        "eval",
        '[rabbit_auth_backend_internal:delete_user(U, <<"test">>) || U <- [<<"orders">>, <<"contacts">>]],'
        f'rabbit_vhost:delete(<<"{VHOST}">>, <<"test">>).',
    )


@pytest.fixture
async def brokers(server):
    """The brokers of both services, declared as the deployment leaves them to do."""
    async with AsyncExitStack() as stack:
        found = {}
        for service, subscription in (("orders", DESK), ("contacts", FACTS)):
            broker = RabbitBroker(url_of(server, service), service=service, settle_seconds=0)
            await broker.start()
            stack.push_async_callback(broker.stop)
            await broker.declare([subscription])
            await broker.declare([subscription])
            found[service] = broker
        yield found


@pytest.fixture
async def as_orders(server):
    """A channel of the user of orders, without our adapter."""
    async with await aio_pika.connect(url_of(server, "orders")) as connection:
        yield await connection.channel(on_return_raises=True)


async def test_each_publishes_its_own_and_hears_what_it_may(brokers):
    changed, paid = envelope(CHANGED), envelope(PAID)

    assert await brokers["contacts"].publish([changed]) == [None]
    assert await brokers["orders"].publish([paid]) == [None]

    assert [changed.id] == ids(await empty(brokers["orders"], DESK.queue))
    assert [paid.id] == ids(await empty(brokers["contacts"], FACTS.queue))


async def test_an_event_in_anothers_name_is_refused_and_one_s_own_go_on(brokers):
    forger = brokers["orders"]

    (outcome,) = await forger.publish([envelope(CHANGED)])

    assert isinstance(outcome, PublishFailed)
    assert "ACCESS_REFUSED" in str(outcome)

    async def own_is_taken() -> bool:
        return await forger.publish([envelope(PAID)]) == [None]

    await until(own_is_taken, "its own events are taken")
    assert await empty(forger, DESK.queue) == []
    assert 1 == len(await empty(brokers["contacts"], FACTS.queue))


@pytest.mark.parametrize(
    "subscription",
    [
        Subscription("orders.desk", (CHANGED, SENT)),
        Subscription("contacts.stolen", (CHANGED,)),
        Subscription("contacts.facts", (PAID,)),
    ],
    ids=["a producer it does not hear", "a queue in another's name", "another's queue"],
)
async def test_a_foreign_declaration_is_refused(brokers, subscription):
    with pytest.raises(BrokerError, match="ACCESS_REFUSED"):
        await brokers["orders"].declare([subscription])


async def test_a_binding_without_its_right_does_not_stop_the_service(brokers):
    with pytest.raises(BrokerError, match="ACCESS_REFUSED"):
        await brokers["orders"].declare([Subscription(DESK.queue, (CHANGED, SENT))])

    await brokers["orders"].declare([DESK])  # the record now names a type that it may not unbind

    assert await brokers["contacts"].publish([envelope(CHANGED)]) == [None]
    assert 1 == len(await empty(brokers["orders"], DESK.queue))


async def test_anothers_queue_cannot_be_read_emptied_or_removed(brokers, as_orders):
    await brokers["orders"].publish([envelope(PAID)])
    queue = await as_orders.get_queue(FACTS.queue, ensure=False)
    for attempt in (queue.get, queue.purge, queue.delete):
        with pytest.raises(AMQPError, match="ACCESS_REFUSED"):
            await attempt()
        await as_orders.reopen()

    assert 1 == len(await empty(brokers["contacts"], FACTS.queue))


async def test_anothers_record_cannot_be_written(brokers, as_orders):
    aside = await as_orders.get_exchange(ASIDE, ensure=False)

    with pytest.raises(AMQPError, match="ACCESS_REFUSED"):
        async with asyncio.timeout(10):
            await aside.publish(aio_pika.Message(b"{}"), "contacts.bindings")
