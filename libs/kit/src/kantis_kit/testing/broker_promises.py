"""What every broker must keep, as tests: subclass `BrokerPromises` and give it a fixture `bench`.

A `BrokerBench` is a broker of its own for one test: nobody else's queues, and it can be taken away. The suite knows the
port alone; what only one adapter can be made to suffer is tested beside it.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from kantis_contracts.base import Envelope
from kantis_kit.brokers.port import Broker, Subscription
from kantis_kit.errors import BrokerError, PublishFailed, Unroutable
from kantis_kit.testing.broker_bench import (
    GUARD_SECONDS,
    HAPPENED,
    LEFT,
    UNHEARD,
    BrokerBench,
    empty,
    envelope,
    ids,
    nursery,
    take,
    until,
)

KILLS = 20


class BrokerPromises:
    """The promises of `kantis_kit.brokers.port`, one by one."""

    @pytest.fixture
    async def broker(self, bench: BrokerBench) -> AsyncIterator[Broker]:
        async with self.started(bench) as broker:
            yield broker

    @pytest.fixture
    def queue(self, bench: BrokerBench) -> str:
        return f"{bench.service}.first"

    @pytest.fixture
    def other_queue(self, bench: BrokerBench) -> str:
        return f"{bench.service}.second"

    @staticmethod
    @asynccontextmanager
    async def started(bench: BrokerBench) -> AsyncIterator[Broker]:
        broker = bench.broker()
        await broker.start()
        try:
            yield broker
        finally:
            await broker.stop()

    async def test_a_confirmed_event_is_stored_and_comes_out_as_it_went_in(
        self, bench: BrokerBench, queue: str
    ) -> None:
        sent = [
            envelope(data=b""),
            envelope(data='{"navn":"Åse"}'.encode()),
            envelope(data=bytes(range(256))),
        ]
        async with self.started(bench) as publisher:
            await publisher.declare([Subscription(queue, (HAPPENED,))])
            outcomes = await publisher.publish(sent)

        async with self.started(bench) as broker, broker.consume(queue) as consumer:
            received = await take(consumer, 3)
            await consumer.ack(received)

        assert outcomes == [None, None, None]
        assert {each.id: each for each in sent} == {
            each.envelope.id: each.envelope for each in received if each.envelope is not None
        }
        assert [each.redelivered for each in received] == [False, False, False]

    async def test_optional_attributes_may_be_absent(self, broker: Broker, queue: str) -> None:
        bare = envelope().model_copy(
            update={"subject": None, "causation_id": None, "traceparent": None, "signature": ""}
        )
        await broker.declare([Subscription(queue, (HAPPENED,))])

        await broker.publish([bare])

        assert [bare] == [each.envelope for each in await empty(broker, queue)]

    async def test_every_bound_queue_gets_the_event_and_no_other(
        self, broker: Broker, queue: str, other_queue: str
    ) -> None:
        await broker.declare(
            [Subscription(queue, (HAPPENED, LEFT)), Subscription(other_queue, (HAPPENED,))]
        )
        both, one = envelope(HAPPENED), envelope(LEFT)

        assert await broker.publish([both, one]) == [None, None]

        assert {both.id, one.id} == set(ids(await empty(broker, queue)))
        assert [both.id] == ids(await empty(broker, other_queue))

    async def test_unroutable_is_never_confirmed_and_its_neighbours_are(
        self, broker: Broker, queue: str
    ) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        lost = envelope(UNHEARD)
        sent = [envelope(), lost, envelope(), lost, lost, envelope()]

        outcomes = await broker.publish(sent)

        assert [type(each) for each in outcomes] == [
            type(None), Unroutable, type(None), Unroutable, Unroutable, type(None)
        ]  # fmt: skip
        assert UNHEARD in str(outcomes[1])
        assert {sent[0].id, sent[2].id, sent[5].id} == set(ids(await empty(broker, queue)))

    async def test_publishing_nothing_is_nothing(self, broker: Broker) -> None:
        assert await broker.publish([]) == []

    async def test_many_publishers_at_once_lose_nothing(self, broker: Broker, queue: str) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        batches = [[envelope() for _ in range(60)] for _ in range(20)]

        outcomes = await asyncio.gather(*(broker.publish(batch) for batch in batches))

        assert {None} == {each for outcome in outcomes for each in outcome}
        assert {each.id for batch in batches for each in batch} == set(
            ids(await empty(broker, queue))
        )

    async def test_large_events_pass(self, broker: Broker, queue: str) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        sent = [envelope(data=os.urandom(256 * 1024)) for _ in range(12)]

        assert await broker.publish(sent) == [None] * 12

        received = {
            each.envelope.id: each.envelope.data
            for each in await empty(broker, queue)
            if each.envelope
        }
        assert {each.id: each.data for each in sent} == received

    async def test_what_is_acked_is_forgotten_and_the_rest_comes_again(
        self, broker: Broker, queue: str
    ) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope() for _ in range(10)])

        async with broker.consume(queue) as consumer:
            first = await take(consumer, 10)
            done = [
                each for position, each in enumerate(first) if position % 3
            ]  # gaps, so not one multiple ack
            await consumer.ack(done)
        again = await empty(broker, queue, at_least=4)

        assert set(ids(first)) - set(ids(done)) == set(ids(again))
        assert {True} == {each.redelivered for each in again}

    async def test_what_is_released_comes_again(self, broker: Broker, queue: str) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope() for _ in range(6)])

        async with broker.consume(queue) as consumer:
            first = await take(consumer, 6)
            await consumer.ack(first[3:5])
            await consumer.release([first[0], first[2], first[5]])
            again = await take(consumer, 3)
            await consumer.ack([*again, first[1]])

        assert {ids(first)[position] for position in (0, 2, 5)} == set(ids(again))
        assert await empty(broker, queue) == []

    async def test_a_consumer_holds_at_most_its_prefetch(self, broker: Broker, queue: str) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope() for _ in range(9)])

        async with broker.consume(queue, prefetch=4) as slow, broker.consume(queue) as quick:
            held = await take(slow, 4)
            others = await take(quick, 5)
            await slow.ack(held)
            await quick.ack(others)

        assert (len(held), len(others)) == (4, 5)

    async def test_depth_counts_what_waits_and_what_is_held(
        self, broker: Broker, queue: str
    ) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope() for _ in range(7)])

        async def depth_is(wanted: int) -> None:
            async def check() -> bool:
                return await broker.depth(queue) == wanted

            await until(check, f"the depth is {wanted}")

        await depth_is(7)
        async with broker.consume(queue, prefetch=3) as consumer:
            held = await take(consumer, 3)
            await depth_is(7)
            await consumer.ack(held[:2])
            await depth_is(5)

    async def test_two_consumers_never_hold_the_same_message(
        self, bench: BrokerBench, queue: str
    ) -> None:
        sent = [envelope() for _ in range(600)]
        held: set[UUID] = set()
        handled: list[UUID] = []
        everything = asyncio.Event()

        async def work() -> None:
            async with (
                self.started(bench) as broker,
                broker.consume(queue, prefetch=16) as consumer,
            ):
                async for batch in consumer.batches():
                    assert held.isdisjoint(ids(batch))
                    held.update(ids(batch))
                    await asyncio.sleep(0)  # let the other one run in between
                    held.difference_update(ids(batch))
                    handled.extend(ids(batch))
                    await consumer.ack(batch)
                    if len(handled) >= len(sent):
                        everything.set()

        async with self.started(bench) as publisher:
            await publisher.declare([Subscription(queue, (HAPPENED,))])
            workers = [asyncio.ensure_future(work()) for _ in range(2)]
            await publisher.publish(sent)
            waiting = asyncio.ensure_future(everything.wait())
            await asyncio.wait(
                {waiting, *workers}, timeout=GUARD_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for task in (waiting, *workers):
                task.cancel()
            results = await asyncio.gather(waiting, *workers, return_exceptions=True)
        assert [each for each in results if isinstance(each, Exception)] == []
        assert sorted(each.id for each in sent) == sorted(handled)

    async def test_rubbish_comes_without_an_envelope_and_can_be_acked(
        self, bench: BrokerBench, broker: Broker, queue: str
    ) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        good = envelope()
        raw = await bench.put_rubbish(queue)
        await broker.publish([good])

        received = await empty(broker, queue)

        (bad,) = (each for each in received if each.envelope is None)
        assert raw == bad.raw
        assert bad.problem
        assert [good.id] == ids(received)

    async def test_declaring_again_changes_nothing(
        self, broker: Broker, queue: str, other_queue: str
    ) -> None:
        wanted = [Subscription(queue, (HAPPENED, LEFT)), Subscription(other_queue, (LEFT,))]
        await broker.declare(wanted)
        await broker.publish([envelope()])

        await broker.declare(wanted)
        await broker.declare(list(reversed(wanted)))

        assert await broker.publish([envelope(), envelope(LEFT)]) == [None, None]
        assert len(await empty(broker, queue)) == 3
        assert len(await empty(broker, other_queue)) == 1

    async def test_a_binding_that_left_the_code_is_removed(
        self, bench: BrokerBench, broker: Broker, queue: str, other_queue: str
    ) -> None:
        await broker.declare(
            [Subscription(queue, (HAPPENED, LEFT)), Subscription(other_queue, (HAPPENED,))]
        )
        kept = envelope()
        await broker.publish([kept])

        async with self.started(bench) as newer:
            await newer.declare([Subscription(queue, (HAPPENED,))])
        gone, stays = await broker.publish([envelope(LEFT), envelope()])
        async with self.started(bench) as newest:
            await newest.declare([Subscription(queue, ())])
        await broker.publish([envelope()])

        assert isinstance(gone, Unroutable)
        assert stays is None
        assert len(await empty(broker, queue)) == 2
        assert len(await empty(broker, other_queue)) == 3

    async def test_a_broker_that_is_away_fails_the_publish_and_works_when_it_is_back(
        self, bench: BrokerBench, broker: Broker, queue: str
    ) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        before, after = envelope(), envelope()
        await broker.publish([before])
        received: list[UUID] = []

        async def read() -> None:
            async with broker.consume(queue) as consumer:
                async for batch in consumer.batches():
                    received.extend(ids(batch))
                    await consumer.ack(batch)

        reader = asyncio.ensure_future(read())
        try:
            await until(lambda: before.id in received, "the first event came")
            await bench.take_away()
            try:
                async with asyncio.timeout(GUARD_SECONDS):
                    outcomes = await broker.publish([envelope(), envelope()])
                await until(lambda: broker.state == "down", "the loss was noticed")
                with pytest.raises(BrokerError):
                    await broker.depth(queue)
                late = bench.broker()
                with pytest.raises(BrokerError):
                    await late.start()
            finally:
                await bench.bring_back()
            await until(lambda: _is_published(broker, after), "publishing works again")
            # The same consumer goes on: nobody opens it again.
            await until(lambda: after.id in received, "the consumer is back")
            await late.start()  # after a failed start, too
            assert late.state == "up"
            await late.stop()
        finally:
            reader.cancel()
            await asyncio.wait({reader})
        assert [PublishFailed, PublishFailed] == [type(each) for each in outcomes]
        assert broker.state == "up"

    async def test_a_broker_that_hangs_fails_the_publish_and_works_when_it_answers(
        self, bench: BrokerBench, queue: str
    ) -> None:
        after = envelope()
        hurried = bench.broker(deadline_seconds=1)
        await hurried.start()
        await hurried.declare([Subscription(queue, (HAPPENED,))])

        async with bench.hang(), asyncio.timeout(GUARD_SECONDS):
            outcomes = await hurried.publish([envelope(), envelope()])

        await until(lambda: _is_published(hurried, after), "publishing works again")
        assert [PublishFailed, PublishFailed] == [type(each) for each in outcomes]
        assert after.id in ids(await empty(hurried, queue))
        await hurried.stop()

    async def test_acks_on_a_lost_connection_do_not_raise_and_the_messages_come_again(
        self, bench: BrokerBench, broker: Broker, queue: str
    ) -> None:
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope(), envelope()])

        async with broker.consume(queue) as consumer:
            held = await take(consumer, 2)
            await bench.take_away()
            try:
                await until(lambda: broker.state == "down", "the loss was noticed")
                await consumer.ack(held[:1])
                await consumer.release(held[1:])
                with pytest.raises(BrokerError):
                    await broker.declare([Subscription(queue, (HAPPENED,))])
            finally:
                await bench.bring_back()
            again = await take(consumer, 2)
            await consumer.ack(again)

        assert set(ids(held)) == set(ids(again))
        assert {True} == {each.redelivered for each in again}

    async def test_consumers_killed_at_random_lose_nothing(
        self, bench: BrokerBench, broker: Broker, queue: str
    ) -> None:
        seed = 20261122
        chance = random.Random(seed)  # noqa: S311 - a replay needs the seed
        await broker.declare([Subscription(queue, (HAPPENED,))])
        sent, handled = set[UUID](), set[UUID]()

        async with nursery(bench, queue) as children:
            for _ in range(KILLS):
                batch = [envelope() for _ in range(chance.randrange(1, 40))]
                assert {None} == set(await broker.publish(batch))
                sent |= {each.id for each in batch}
                wanted = chance.randrange(0, len(batch) + 1)
                handled |= await children.consume_and_kill(wanted)
            handled |= await children.finish()
        rest = set(ids(await empty(broker, queue, at_least=len(sent - handled))))

        assert sent == handled | rest, f"seed {seed}"


async def _is_published(broker: Broker, event: Envelope) -> bool:
    return await broker.publish([event]) == [None]
