"""A lead is safe from the moment it is answered: whatever dies, none is lost and none comes twice."""

import itertools
import os
import random
import signal
import subprocess
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from lead_house import SPECS, lead_house
from nursery import Nursery, free_port

from kantis_contracts.base import SERVICES
from kantis_kit.brokers.embedded import create_schema
from kantis_kit.db.cluster import bin_dir
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.signing import make_keys
from kantis_kit.testing.proxy import FaultProxy
from kantis_kit.testing.waiting import eventually

SEED = 20_260_503
ALL = ("lead", "contact", "order")
LONG = 900
"""Seconds in which what waits must be delivered, however busy the machine."""


@pytest.fixture(scope="module")
def nursery():
    """Provide what the services of all tests are forked from."""
    opened = Nursery(*SPECS)
    yield opened
    opened.close()


@pytest.fixture
async def house(rig_for, nursery, tmp_path):
    """A house on databases of the session's server."""
    rig = await rig_for(*SPECS.values(), start=False)
    broker = rig.services["contacts"].settings.broker_url.get_secret_value()
    async with lead_house(nursery, tmp_path, rig.dsns, rig.keys_dir, broker) as opened:
        yield opened


async def kill(one):
    await one.kill()
    await one.launch()


async def test_whoever_is_killed_or_an_answer_lost_no_lead_or_order_is_lost_or_doubled(house):
    await house.play(24, lambda: kill(house.contacts), 2)
    assert house.statuses <= {202, 503}
    assert (2, 0) == (house.contacts.deaths, house.broken)

    await house.play(24, lambda: kill(house.gateway), 2, kinds=ALL, first=24)
    assert 2 == house.gateway.deaths
    await house.play(12, lambda: kill(house.orders), 1, kinds=ALL, first=48)

    await lose_first_answers(house, 12, kinds=ALL, first=60)
    assert house.statuses <= {201, 202, 409, 503}


async def test_the_database_crashing_loses_nothing_and_answers_nothing_without_its_row(
    nursery, tmp_path
):
    async with crashing_house(nursery, tmp_path) as (postgres, opened):
        await opened.play(40, crashes(postgres), 2, kinds=ALL)

        await opened.check()


@pytest.mark.slow
async def test_contacts_killed_fifty_times_in_two_thousand_posts(house):
    await house.play(2_000, lambda: kill(house.contacts), 50, rng=random.Random(SEED))

    counts = await house.check(within=LONG)
    assert 2_000 == counts["leads"]
    assert (50, 0) == (house.contacts.deaths, house.broken)
    assert house.statuses <= {202, 503}


@pytest.mark.slow
async def test_the_gateway_killed_twenty_times_in_a_thousand_leads_and_orders(house):
    await house.play(1_000, lambda: kill(house.gateway), 20, kinds=ALL, rng=random.Random(SEED))

    await house.check(within=LONG)
    assert 20 == house.gateway.deaths


@pytest.mark.slow
async def test_any_of_them_killed_at_random_in_a_thousand_posts(house):
    rng = random.Random(SEED)
    victims = [house.contacts, house.gateway, house.orders]
    await house.play(1_000, lambda: kill(rng.choice(victims)), 20, kinds=ALL, rng=rng)

    await house.check(within=LONG)
    assert 20 == sum(one.deaths for one in victims)


@pytest.mark.slow
async def test_the_first_answers_to_two_hundred_orders_and_two_hundred_leads_are_lost(house):
    await lose_first_answers(house, 200, kinds=("order",))
    counts = await lose_first_answers(house, 200, kinds=("lead", "contact"), first=200)

    assert 200 == counts["orders"]


@pytest.mark.slow
async def test_the_database_crashing_twenty_times_in_a_thousand_leads_and_five_hundred_orders(
    nursery, tmp_path
):
    async with crashing_house(nursery, tmp_path) as (postgres, opened):
        await opened.play(1_500, crashes(postgres), 20, kinds=("lead", "lead", "order"))

        counts = await opened.check(within=LONG)
        assert {"posts": 1_500, "leads": 1_000, "orders": 500} == counts


async def lose_first_answers(house, posts, *, kinds, first=0):
    """Break the connection of every first answer; the same under the same key is answered, and is there once."""
    async with FaultProxy(f"127.0.0.1:{house.gateway.port}") as proxy:
        house.gateway.port, port = proxy.port, house.gateway.port
        try:
            before = house.broken
            for number in range(first, first + posts):
                proxy.mode(direction="down", cut_after_bytes=0, times=1)
                async with httpx.AsyncClient(timeout=30) as client:
                    await house.post(client, number, kinds[number % len(kinds)])
        finally:
            house.gateway.port = port

    counts = await house.check()
    assert posts == house.broken - before
    return counts


def crashes(postgres):
    """Return what crashes the server: by turns all of its processes die at once, and it stops where it is."""
    turns = itertools.cycle((False, True))

    async def crash():
        if next(turns):
            os.kill(postgres.pid, signal.SIGQUIT)
            await eventually(lambda: not postgres.is_alive(), message="the server does not stop")
        await postgres.kill()
        await postgres.start()

    return crash


@asynccontextmanager
async def crashing_house(nursery, folder):
    """Open a house on a server of its own, reached by a port that stays through its crashes; at the end it is whole."""
    port = free_port(set())
    make_keys(folder / "keys", (*SERVICES, "gateway"))
    async with EmbeddedPostgres(folder / "postgres", port=port) as postgres:
        dsns = {}
        for name, spec in (*SPECS.items(), ("broker", None)):
            made = await provision(postgres.superuser_dsn(), name, passwords=postgres.secrets)
            if spec is None:
                connection = await asyncpg.connect(made.owner_dsn)
                await create_schema(connection)
                await connection.close()
            else:
                await migrate(made.owner_dsn, spec.migrations)
            parts = urlsplit(made.app_dsn)
            login = parts.netloc.rpartition("@")[0]
            dsns[name] = f"postgresql://{login}@127.0.0.1:{port}{parts.path}"
        async with lead_house(nursery, folder, dsns, folder / "keys", dsns["broker"]) as opened:
            yield postgres, opened
            for name in SPECS:
                await read_everything(opened, name)
        pgdata = postgres.pgdata
    check_sums(pgdata)


async def read_everything(house, name):
    """Read every row of every table: none is damaged."""
    tables = await house.ask(
        name,
        "SELECT oid::regclass AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    for table in tables:
        await house.ask(name, f"SELECT count(t::text) FROM {table['name']} AS t")


def check_sums(pgdata):
    """Hold every page of a stopped server against its sum."""
    checked = subprocess.run(
        [bin_dir() / "pg_checksums", "--check", "-D", pgdata],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not checked.returncode, checked.stderr + checked.stdout
