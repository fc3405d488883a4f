"""What the embedded consumer does when single statements fail."""

import asyncio

from kantis_kit.brokers import embedded_sql as sql
from kantis_kit.brokers.embedded_consumer import EmbeddedConsumer, write_head
from kantis_kit.testing.broker_bench import envelope, take
from kantis_kit.testing.waiting import eventually


class Database:
    """Answers the consumer's statements; fails those that a test names, once each."""

    def __init__(self) -> None:
        self.rows = [(number, 1, write_head(envelope()), b"{}") for number in range(3)]
        self.fail: list[str] = []
        self.done: list[tuple[str, list[int], int]] = []

    async def work(self, statement: str, *arguments):
        await asyncio.sleep(0)
        if statement in self.fail:
            self.fail.remove(statement)
            raise ConnectionResetError("cut")
        if statement == sql.CLAIM_IN_ORDER:
            rows, self.rows = self.rows, []
            return rows
        self.done.append((statement, *arguments))
        return []


def consumer_of(database: Database, prefetch: int = 10) -> EmbeddedConsumer:
    consumer = EmbeddedConsumer(database.work, "probe.first", prefetch)
    consumer.enlisted(7)
    return consumer


async def test_a_claim_that_fails_is_tried_again():
    database = Database()
    database.fail = [sql.CLAIM_IN_ORDER]

    assert len(await take(consumer_of(database), 1)) == 3


async def test_an_ack_that_fails_is_tried_again_by_the_same_owner():
    database = Database()
    consumer = consumer_of(database, prefetch=3)
    batch = await take(consumer, 3)
    database.fail = [sql.ACK, sql.RELEASE, sql.ACK]

    await consumer.ack(batch[:1])
    await consumer.release(batch[1:2])
    assert database.done == []
    going_on = asyncio.ensure_future(take(consumer, 1))
    await eventually(lambda: len(database.done) == 2, message="both are done")
    going_on.cancel()
    await asyncio.wait({going_on})

    assert database.done == [(sql.ACK, [0], 7), (sql.RELEASE, [1], 7)]


async def test_what_an_earlier_owner_could_not_ack_is_left_to_come_again():
    database = Database()
    consumer = consumer_of(database)
    batch = await take(consumer, 3)
    database.fail = [sql.ACK, sql.ACK]

    await consumer.ack(batch[:1])
    consumer.enlisted(8)
    await consumer.ack(batch[1:])
    database.rows = [(9, 1, write_head(envelope()), b"{}")]
    await take(consumer, 1)

    assert database.done == []


async def test_a_consumer_without_an_owner_claims_nothing_until_it_has_one():
    database = Database()
    consumer = consumer_of(database)
    consumer.enlisted(None)
    taking = asyncio.ensure_future(take(consumer, 3))
    await asyncio.wait({taking}, timeout=0)
    assert len(database.rows) == 3

    consumer.enlisted(8)

    assert {8} == {each.tag[1] for each in await taking}
