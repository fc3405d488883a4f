"""A server that was killed and started again: who asks afterwards does not notice the connections that died."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import registry

from kantis_kit.db import Database
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.settings import ServiceSettings
from kantis_kit.tx import Scope, read, write

CONNECTIONS = 3


class Note:
    """A row."""

    def __init__(self, number):
        self.number = number


NOTES = Table("note", MetaData(), Column("number", Integer, primary_key=True))
registry().map_imperatively(Note, NOTES)


@pytest.fixture
async def server(data_dir):
    async with EmbeddedPostgres(data_dir) as embedded:
        yield embedded


@asynccontextmanager
async def scope_of(server):
    database = Database(server.superuser_dsn())
    scope = Scope(database, ServiceSettings())
    try:
        async with write(scope) as tx:
            await tx.execute(text("CREATE TABLE note (number int PRIMARY KEY)"))
        async with AsyncExitStack() as stack:
            for _ in range(CONNECTIONS):
                await stack.enter_async_context(read(scope))
        yield scope
    finally:
        await database.close()


async def restart(server):
    await server.kill()
    await server.start()


async def restart_unnoticed(server):
    """Restart while this loop stands still: no connection of it learns that its end has gone."""
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(lambda: asyncio.run(restart(server))).result()


async def write_in_two_halves(scope, between):
    async with write(scope) as tx:
        tx.add(Note(1))
        await tx.flush()  # the first half
        await between()
        await tx.execute(insert(NOTES).values(number=2))


async def numbers(scope):
    async with read(scope) as tx:
        return sorted(await tx.scalars(text("SELECT number FROM note")))


@pytest.mark.parametrize("how", [restart, restart_unnoticed])
async def test_every_pooled_connection_is_replaced_and_no_reader_notices(server, how):
    async with scope_of(server) as scope:
        await how(server)

        async with AsyncExitStack() as stack:
            readers = [await stack.enter_async_context(read(scope)) for _ in range(CONNECTIONS)]
            found = [await tx.scalar(text("SELECT 1")) for tx in readers]

    assert [1] * CONNECTIONS == found


@pytest.mark.parametrize("how", [restart, restart_unnoticed])
async def test_a_write_whose_first_statement_finds_a_dead_connection_is_done_once(server, how):
    async with scope_of(server) as scope:
        await how(server)

        async with write(scope) as tx:
            await tx.execute(insert(NOTES).values(number=1))
            tx.add(Note(2))

        assert [1, 2] == await numbers(scope)


async def test_rows_that_only_wait_for_the_commit_find_a_living_connection(server):
    async with scope_of(server) as scope:
        await restart(server)

        async with write(scope) as tx:
            tx.add(Note(1))

        assert [1] == await numbers(scope)


async def test_a_transaction_that_loses_its_connection_half_way_is_not_continued_on_another(server):
    async with scope_of(server) as scope:
        with pytest.raises(DBAPIError):
            await write_in_two_halves(scope, lambda: restart(server))

        assert [] == await numbers(scope)
