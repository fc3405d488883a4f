"""A lead is safe from the moment it is answered: whatever dies, none is lost and none comes twice."""

import random
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from lead_house import free_port, lead_house

from contacts_svc.main import SPEC as CONTACTS
from gateway.main import SPEC as GATEWAY
from kantis_contracts.base import SERVICES
from kantis_kit.brokers.embedded import create_schema
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.signing import make_keys
from kantis_kit.testing.proxy import FaultProxy

pytestmark = pytest.mark.timeout(300)
SEED = 20_260_503
LONG = 900
"""Seconds in which what waits must be delivered, however busy the machine."""


@pytest.fixture
async def house(rig_for, tmp_path):
    """A house on databases of the session's server."""
    rig = await rig_for(CONTACTS, GATEWAY, start=False)
    broker = rig.services["contacts"].settings.broker_url.get_secret_value()
    async with lead_house(tmp_path, rig.dsns, rig.keys_dir, broker) as opened:
        yield opened


async def kill(one):
    await one.kill()
    await one.launch()


async def test_contacts_or_the_gateway_killed_or_an_answer_lost_no_lead_is_lost_or_doubled(house):
    await house.play(24, lambda: kill(house.contacts), 2)
    assert house.statuses <= {202, 503}
    assert (2, 0) == (house.contacts.deaths, house.broken)

    await house.play(24, lambda: kill(house.gateway), 2, keyed_every=3, first=24)
    assert 2 == house.gateway.deaths
    assert house.statuses <= {201, 202, 409, 503}

    await lose_first_answers(house, 8, first=48)


async def test_the_database_crashing_loses_no_lead_and_answers_none_without_its_row(tmp_path):
    async with crashing_house(tmp_path) as (postgres, opened):
        await opened.play(40, lambda: crash(postgres), 2, keyed_every=3)

        await opened.check()


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_contacts_killed_fifty_times_in_two_thousand_posts(house):
    await house.play(2_000, lambda: kill(house.contacts), 50)

    await house.check(within=LONG)
    assert (50, 0) == (house.contacts.deaths, house.broken)
    assert house.statuses <= {202, 503}


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_the_gateway_killed_twenty_times_in_a_thousand_posts(house):
    await house.play(1_000, lambda: kill(house.gateway), 20, keyed_every=3)

    await house.check(within=LONG)
    assert 20 == house.gateway.deaths


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_either_killed_at_random_in_a_thousand_posts(house):
    rng = random.Random(SEED)
    await house.play(
        1_000, lambda: kill(rng.choice([house.contacts, house.gateway])), 20, keyed_every=4
    )

    await house.check(within=LONG)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_two_hundred_lost_answers(house):
    await lose_first_answers(house, 200)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_the_database_crashing_twenty_times_in_fifteen_hundred_posts(tmp_path):
    async with crashing_house(tmp_path) as (postgres, opened):
        await opened.play(1_500, lambda: crash(postgres), 20, keyed_every=3)

        await opened.check(within=LONG)


async def lose_first_answers(house, posts, *, first=0):
    """Break the connection of every first answer of a lead or a contact; the same under the same key is answered."""
    async with FaultProxy(f"127.0.0.1:{house.gateway.port}") as proxy:
        house.gateway.port, port = proxy.port, house.gateway.port
        try:
            before = house.broken
            for number in range(first, first + posts):
                proxy.mode(direction="down", cut_after_bytes=0, times=1)
                async with httpx.AsyncClient(timeout=30) as client:
                    await house.post(client, number, keyed=bool(number % 2))
        finally:
            house.gateway.port = port

    await house.check()
    assert posts == house.broken - before


async def crash(postgres):
    await postgres.kill()
    await postgres.start()


@asynccontextmanager
async def crashing_house(folder):
    """Open a house on a server of its own, reached by a port that stays through its crashes."""
    port = free_port(set())
    make_keys(folder / "keys", (*SERVICES, "gateway"))
    async with EmbeddedPostgres(folder / "postgres", port=port) as postgres:
        dsns = {}
        for name, spec in (("contacts", CONTACTS), ("gateway", GATEWAY), ("broker", None)):
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
        async with lead_house(folder, dsns, folder / "keys", dsns["broker"]) as opened:
            yield postgres, opened
