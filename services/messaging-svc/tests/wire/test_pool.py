"""A pool opens connections as there is work, replaces those that break, and leaves without anything under way."""

import asyncio
from collections import deque

import pytest

from kantis_kit.testing.smtp import Fault, SmtpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.wire.connection import Parcel
from messaging_svc.wire.pool import Pool
from messaging_svc.wire.server import Deadlines, Server

PATIENT = Deadlines(60, 60, 60)


class Desk:
    """Hands out parcels, takes back what did not begin, and hands it out again."""

    def __init__(self, count):
        self.waiting = deque(
            Parcel("a@lys.example", f"k{n}@x.example", b"Subject: x\r\n\r\nHei\r\n")
            for n in range(count)
        )
        self.accepted_by, self.left, self.done = [], count, asyncio.Event()
        self.pool = None

    def poke(self):
        self.pool.poke(lambda: len(self.waiting))

    def take(self):
        return self.waiting.popleft() if self.waiting else None

    def begins(self, _parcel):
        return True

    def put_back(self, parcel):
        self.waiting.append(parcel)
        self.pool.want()

    def accepted(self, parcel, _answer):
        self.accepted_by.append(parcel.recipient)
        self.left -= 1
        if not self.left:
            self.done.set()


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        yield server


async def _send(desk, server, size):
    pool = desk.pool = Pool(server, desk, size, desk.poke)
    async with asyncio.TaskGroup() as group:
        group.create_task(pool.run())
        pool.want()
        await desk.done.wait()
        pool.finish()


async def test_work_is_shared_by_the_connections_there_may_be(sink):
    desk = Desk(60)
    sink.faults.set("*", Fault(delay_at="data", delay_seconds=0.002))

    await _send(desk, Server("127.0.0.1", sink.port, deadlines=PATIENT), 3)

    assert 60 == len(set(desk.accepted_by)) == len(sink.messages)
    assert 2 <= sink.most_connections <= 3


async def test_what_breaks_is_replaced_and_nothing_is_lost_or_doubled(sink):
    desk = Desk(10)
    sink.faults.set("*", Fault(reset_at="rcpt", times=2))

    await _send(desk, Server("127.0.0.1", sink.port, deadlines=PATIENT), 1)

    assert 10 == len(sink.messages) == len({record["rcpt"] for record in sink.messages})


async def test_a_server_that_is_full_is_asked_again_later(sink):
    desk = Desk(2)
    sink.faults.set("*", Fault(connect="421 4.3.2 not now", times=1))

    await _send(desk, Server("127.0.0.1", sink.port, deadlines=PATIENT), 1)

    assert 2 == len(sink.messages)


async def test_who_leaves_does_not_wait_for_a_server_that_never_greets(sink):
    desk = Desk(0)
    sink.faults.set("*", Fault(hang_at="connect"))
    desk.pool = pool = Pool(Server("127.0.0.1", sink.port, deadlines=PATIENT), desk, 2, desk.poke)

    async with asyncio.TaskGroup() as group:
        run = group.create_task(pool.run())
        pool.want()
        await eventually(lambda: sink.connections, message="nobody came")
        pool.finish()
        await run

    assert not pool.is_open
