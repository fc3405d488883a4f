"""Connections are lent on as long as they are good, and to so many at a time."""

import asyncio

import asyncpg
import pytest

from kantis_kit.db.lending import Lender


class Connection:
    """Stands for a connection."""

    def __init__(self):
        self.closed = False

    def is_closed(self):
        return self.closed

    def terminate(self):
        self.closed = True

    async def close(self, **_limits):
        self.closed = True


def lender(size=2):
    made = []

    async def connect():
        made.append(Connection())
        return made[-1]

    return Lender(connect, size=size), made


async def failing(lent, error):
    async with lent.acquire():
        raise error


async def test_one_connection_serves_statements_that_follow_each_other():
    lent, made = lender()

    for _ in range(3):
        async with lent.acquire() as connection:
            assert not connection.is_closed()
    with pytest.raises(asyncpg.UniqueViolationError):
        await failing(lent, asyncpg.UniqueViolationError())
    async with lent.acquire():
        pass

    assert 1 == len(made)


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(), asyncio.CancelledError()]
)
async def test_a_connection_that_was_lost_or_left_in_a_statement_is_not_lent_again(error):
    lent, made = lender()

    with pytest.raises(type(error)):
        await failing(lent, error)
    async with lent.acquire() as connection:
        connection.closed = True  # the server has gone meanwhile
    async with lent.acquire():
        pass

    assert [True, True, False] == [one.closed for one in made]


async def test_no_more_are_lent_at_a_time_than_there_may_be():
    lent, made = lender(size=1)
    seen = []

    async def use(name):
        async with lent.acquire():
            seen.append((name, "begins"))
            await asyncio.sleep(0)
            seen.append((name, "ends"))

    await asyncio.gather(use("one"), use("two"))

    assert [("one", "begins"), ("one", "ends"), ("two", "begins"), ("two", "ends")] == seen
    assert 1 == len(made)


async def test_what_is_lent_when_the_lender_closes_is_closed_when_it_comes_back():
    lent, made = lender()
    async with lent.acquire(), lent.acquire():
        pass

    async with lent.acquire():
        await lent.close()
        idle_closed = [one.closed for one in made]

    assert [False, True] == sorted(idle_closed)
    assert [True, True] == [one.closed for one in made]
