"""The embedded broker keeps the port's promises, and survives what can happen to a PostgreSQL."""

import asyncio
import random
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from kantis_kit.brokers import embedded, embedded_sql
from kantis_kit.brokers.embedded import EmbeddedBroker, create_schema
from kantis_kit.brokers.port import Subscription
from kantis_kit.db.provision import ServiceDsns
from kantis_kit.errors import BrokerError, PublishFailed
from kantis_kit.testing.broker_bench import (
    GUARD_SECONDS,
    HAPPENED,
    LEFT,
    empty,
    envelope,
    ids,
    take,
    until,
)
from kantis_kit.testing.broker_promises import BrokerPromises
from kantis_kit.testing.postgres import FreshDatabase, PostgresServer


async def build(dsns: ServiceDsns) -> None:
    connection = await asyncpg.connect(dsns.owner_dsn)
    await create_schema(connection)
    await create_schema(connection)
    await connection.close()


class EmbeddedBench:
    service, exchange = "probe", "unused"

    def __init__(self, server: PostgresServer, dsns: ServiceDsns) -> None:
        self.server, self.url, self.owner_dsn = server, dsns.app_dsn, dsns.owner_dsn
        self.database = urlsplit(dsns.app_dsn).path.removeprefix("/")

    def broker(self, *, deadline_seconds: float = GUARD_SECONDS) -> EmbeddedBroker:
        return EmbeddedBroker(self.url, deadline_seconds=deadline_seconds)

    async def put_rubbish(self, queue: str) -> bytes:
        raw = b"\xff\x00 no event"
        await self.execute(
            "INSERT INTO message (queue, head, data) VALUES ($1, $2, $3)", queue, b"{]", raw
        )
        return raw

    async def execute(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.owner_dsn)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    async def take_away(self) -> None:
        await self.server.execute(f"ALTER DATABASE {self.database} WITH ALLOW_CONNECTIONS false")
        await self.end_connections()

    async def end_connections(self) -> None:
        await self.server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{self.database}' AND pid <> pg_backend_pid()"
        )

    @asynccontextmanager
    async def hang(self):
        holder = await asyncpg.connect(self.owner_dsn)
        async with holder.transaction():
            await holder.execute("LOCK TABLE message IN ACCESS EXCLUSIVE MODE")
            yield
        await holder.close()

    async def bring_back(self) -> None:
        await self.server.execute(f"ALTER DATABASE {self.database} WITH ALLOW_CONNECTIONS true")


@pytest.fixture
async def bench(postgres_server: PostgresServer, fresh_database: FreshDatabase):
    return EmbeddedBench(postgres_server, await fresh_database("broker", build))


class TestEmbedded(BrokerPromises):
    async def test_it_can_deliver_everything_twice_and_in_any_order(self, bench, queue):
        sent = [envelope() for _ in range(40)]
        broker = EmbeddedBroker(bench.url, duplicate=True, shuffle=random.Random(3))
        await broker.start()
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish(sent)

        received = ids(await empty(broker, queue))
        await broker.stop()

        assert sorted(received) == sorted([each.id for each in sent] * 2)
        assert received != sorted(received)

    async def test_left_alone_it_delivers_once_and_oldest_first(self, bench, broker, queue):
        sent = [envelope() for _ in range(40)]
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish(sent)

        assert [each.id for each in sent] == ids(await empty(broker, queue))

    async def test_a_claim_takes_no_more_bytes_than_fit_into_memory(
        self, broker, queue, monkeypatch
    ):
        monkeypatch.setattr("kantis_kit.brokers.embedded_consumer.STATEMENT_BYTES", 25_000)
        monkeypatch.setattr(embedded, "STATEMENT_BYTES", 25_000)
        await broker.declare([Subscription(queue, (HAPPENED,))])
        sent = [envelope(data=bytes(size)) for size in (10_000, 10_000, 10_000, 40_000, 1, 1)]

        assert await broker.publish(sent) == [None] * 6
        sizes = []
        async with broker.consume(queue) as consumer:
            for _ in range(3):
                batch = await take(consumer, 1)
                sizes.append([len(each.envelope.data) for each in batch])
                await consumer.ack(batch)

        # The message that goes over the limit still belongs to the batch, so that a large one is ever taken.
        assert sizes == [[10_000] * 3, [40_000], [1, 1]]

    async def test_one_event_that_cannot_be_written_does_not_hold_back_the_others(
        self, broker, queue
    ):
        await broker.declare([Subscription(queue, (HAPPENED,))])
        nul = envelope().model_copy(update={"type": "probe.thing.\x00sent.v1"})
        surrogate = envelope().model_copy(update={"subject": "\ud800"})

        outcomes = await broker.publish([envelope(), nul, surrogate, envelope()])

        assert [None, PublishFailed, PublishFailed, None] == [
            each and type(each) for each in outcomes
        ]

    async def test_a_database_that_refuses_writes_is_blocked_until_it_takes_them(
        self, bench, broker, queue
    ):
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await bench.server.execute(
            f"ALTER DATABASE {bench.database} SET default_transaction_read_only = on"
        )
        await bench.end_connections()

        async def refused() -> bool:
            (outcome,) = await broker.publish([envelope()])
            return isinstance(outcome, PublishFailed) and "read-only" in str(outcome)

        async def taken() -> bool:
            return await broker.publish([envelope()]) == [None]

        await until(refused, "the publish is refused")
        await until(lambda: broker.state == "blocked", "it says that it is blocked")
        await bench.server.execute(
            f"ALTER DATABASE {bench.database} RESET default_transaction_read_only"
        )
        await until(taken, "the publish is taken")
        await until(lambda: broker.state == "up", "it says that it is up")

    async def test_a_consumer_that_was_frozen_loses_its_messages_and_goes_on(
        self, bench, broker, queue, monkeypatch
    ):
        monkeypatch.setattr(embedded, "BEATS_BETWEEN_SIGNS_OF_LIFE", 2)
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope(), envelope()])

        async with broker.consume(queue) as frozen:
            held = await take(frozen, 2)
            owner = frozen.owner

            async def buried() -> bool:  # again and again: a sign of life may just be on its way
                await bench.execute(
                    "UPDATE consumer SET seen_at = now() - interval '2 minutes' WHERE owner = $1",
                    owner,
                )
                return not await bench.execute("SELECT FROM consumer WHERE owner = $1", owner)

            await until(buried, "the silent one counts as dead")
            async with broker.consume(queue) as other:
                again = await take(other, 2)
                await frozen.ack(held)  # too late: they are another's
                assert await broker.depth(queue) == 2
                await other.ack(again)
            await broker.publish([envelope()])
            assert len(await take(frozen, 1)) == 1

        assert set(ids(held)) == set(ids(again))
        assert [each.redelivered for each in again] == [True, True]

    async def test_messages_that_belong_to_nobody_are_swept_up(
        self, bench, broker, queue, monkeypatch
    ):
        monkeypatch.setattr(embedded, "BEATS_BETWEEN_SIGNS_OF_LIFE", 2)
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope()])
        await bench.execute("UPDATE message SET owner = 4711")

        assert len(await empty(broker, queue)) == 1

    async def test_a_lost_notification_only_delays(self, broker, queue, monkeypatch):
        monkeypatch.setattr(EmbeddedBroker, "_wake", lambda *_: None)
        await broker.declare([Subscription(queue, (HAPPENED,))])

        async with broker.consume(queue) as consumer:
            taking = asyncio.ensure_future(take(consumer, 1))
            await until(lambda: consumer.owner is not None, "it consumes")
            await broker.publish([envelope()])
            assert len(await taking) == 1

    async def test_a_message_without_readable_attributes_is_named(self, bench, broker, queue):
        for head in (b"[1]", b'{"specversion": "1.0"}'):
            await bench.execute(
                "INSERT INTO message (queue, head, data) VALUES ($1, $2, '')", queue, head
            )

        problems = [each.problem for each in await empty(broker, queue)]

        assert "not a JSON object" in problems[0]
        assert "missing CloudEvents attributes" in problems[1]

    async def test_a_claim_that_fails_is_tried_again(self, bench, broker, queue):
        await broker.declare([Subscription(queue, (HAPPENED,))])
        async with broker.consume(queue) as consumer:
            taking = asyncio.ensure_future(take(consumer, 1))
            await bench.execute("ALTER TABLE message RENAME TO away")
            await bench.execute("SELECT pg_notify($1, '')", f"queue.{queue}")
            await until(lambda: broker.state == "down", "the reaper fails")
            await bench.execute("ALTER TABLE away RENAME TO message")
            await until(lambda: broker.state == "up", "it is back")
            await broker.publish([envelope()])
            assert len(await taking) == 1

    async def test_a_consumer_whose_first_question_is_lost_is_enlisted_all_the_same(
        self, broker, queue, monkeypatch
    ):
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope()])
        work, lost = broker.work, []

        async def lose_first(statement, *arguments):
            if statement == embedded_sql.NEW_OWNER and not lost:
                lost.append(statement)
                raise ConnectionResetError
            return await work(statement, *arguments)

        monkeypatch.setattr(broker, "work", lose_first)
        async with broker.consume(queue) as consumer:
            (delivery,) = await take(consumer, 1)
            await consumer.ack([delivery])

        assert [embedded_sql.NEW_OWNER] == lost

    async def test_names_that_do_not_fit_are_refused(self, broker):
        for name in ("", "a b", "x" * 57, "å"):
            with pytest.raises(BrokerError, match="no name for a queue"):
                await broker.declare([Subscription(name, (LEFT,))])

    async def test_without_its_tables_it_says_what_to_do(self, fresh_database):
        bare = await fresh_database("bare")

        with pytest.raises(BrokerError, match="create_schema"):
            await EmbeddedBroker(bare.app_dsn).start()

    async def test_without_start_it_says_what_to_do(self, bench, queue):
        with pytest.raises(BrokerError, match="start"):
            await bench.broker().publish([envelope()])

    async def test_claims_and_publishing_use_the_indexes(self, bench):
        connection = await asyncpg.connect(bench.owner_dsn)
        await connection.execute("SET enable_seqscan = off")
        for statement, arguments in (
            (embedded_sql.CLAIM_IN_ORDER, ("q", 10, 1, 1000)),
            (embedded_sql.LEAVE, (1,)),
        ):
            plan = await connection.fetch("EXPLAIN " + statement, *arguments)
            assert not [row[0] for row in plan if "Seq Scan on message" in row[0]]
        await connection.close()
