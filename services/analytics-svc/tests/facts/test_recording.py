"""Recording facts in the database: once, whoever records at the same time."""

import asyncio
from uuid import UUID

from analytics_svc.facts.model import Fact, Mark
from analytics_svc.facts.usecases import rebuild, record
from analytics_svc.main import SPEC
from kantis_kit.tx import write

CAMPAIGN, CELL = UUID(int=1), UUID(int=2)


def pieces(at, count=200):
    return [
        Fact(
            "piece", UUID(int=100 + number), CAMPAIGN, CELL, currency="NOK",
            marks={"released": Mark(0, at, 50), "accepted": Mark(0, at)},
        )
        for number in range(count)
    ]  # fmt: skip


async def test_the_same_facts_recorded_at_the_same_time_count_once(rig_for):
    rig = await rig_for(SPEC)
    facts = pieces(rig.clock.now())

    async def tell(part):
        async with write(rig.service.scope) as tx:
            await record(tx, part)

    await asyncio.gather(tell(facts), tell(reversed(facts)), tell(facts[100:]), tell(facts[:100]))
    async with write(rig.service.scope) as tx:
        mended = await rebuild(tx)

    pool = await rig.service.database.pool()
    found = dict(await pool.fetch("SELECT measure, value FROM tally WHERE value <> 0"))
    assert {"planned": 200, "sent": 200, "delivered": 200, "cost_minor": 10_000} == found
    assert 0 == mended


async def test_a_fact_without_a_campaign_is_kept_and_counts_when_it_gets_one(rig_for):
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    pool = await rig.service.database.pool()
    settled = Fact("piece", UUID(int=5), marks={"accepted": Mark(0, now)})

    async with write(rig.service.scope) as tx:
        await record(tx, [settled])
    before = await pool.fetchval("SELECT count(*) FROM tally")
    async with write(rig.service.scope) as tx:
        await record(tx, [Fact("piece", UUID(int=5), CAMPAIGN, CELL)])

    assert 0 == before
    assert 1 == await pool.fetchval("SELECT value FROM tally WHERE measure = 'sent'")
