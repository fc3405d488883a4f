"""Who asks to be forgotten is forgotten here, and the figures stay."""

from datetime import timedelta

from analytics_svc.base import Base
from analytics_svc.main import SPEC
from analytics_svc.privacy.retention import unlink_old
from analytics_svc.privacy.usecases import KEPT, doomed
from kantis_contracts.analytics import AnalyticsDossierAnsweredV1, AnalyticsErasureCompletedV1
from kantis_contracts.contacts.privacy import (
    DossierRequest,
    DossierRequestedV1,
    ErasureRequest,
    ErasureRequestedV1,
)
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write

FACT = """
INSERT INTO fact (kind, key, campaign_id, person_id, currency, label, marks)
VALUES ('clicker', $1, $2, $3, '', '', '{}')
"""


def erasure(rig, person_id, **more):
    item = ErasureRequest(
        erasure_id=new_id(), person_ids=(person_id,), requested_at=rig.clock.now()
    )
    return ErasureRequestedV1(items=(item,), **more)


async def test_what_happened_is_counted_on_and_belongs_to_nobody_any_more(rig_for):
    rig = await rig_for(SPEC)
    kari, per, campaign = new_id(), new_id(), new_id()
    pool = await rig.service.database.pool()
    for person_id in (kari, per):
        await pool.execute(FACT, new_id(), campaign, person_id)
    wanted = DossierRequest(dossier_id=new_id(), person_ids=(kari,))
    await rig.publish(DossierRequestedV1(items=(wanted,)))
    await rig.drain()

    await rig.publish(erasure(rig, kari))
    await rig.drain()

    (part,) = rig.items(AnalyticsDossierAnsweredV1)
    assert str(kari) in part.content
    assert str(per) not in part.content
    rows = await pool.fetch("SELECT person_id FROM fact ORDER BY person_id NULLS FIRST")
    assert [None, per] == [row["person_id"] for row in rows]
    (receipt,) = rig.items(AnalyticsErasureCompletedV1)
    assert {"fact": 1} == receipt.removed


async def test_a_fact_that_is_told_late_is_unlinked_too(rig_for):
    rig = await rig_for(SPEC)
    kari = new_id()
    await rig.publish(erasure(rig, kari))
    await rig.drain()
    pool = await rig.service.database.pool()
    await pool.execute(FACT, new_id(), new_id(), kari)
    rig.clock.advance(timedelta(minutes=1, seconds=1))

    async def is_empty():
        return await pool.fetchval("SELECT person_id IS NULL FROM fact")

    await eventually(is_empty, message="what came late still belongs to somebody")


def test_every_table_that_names_a_person_has_a_fate():
    named = {name for name, table in Base.metadata.tables.items() if "person_id" in table.c}
    assert named == {table.name for table in doomed()} | KEPT.keys()


async def test_facts_of_old_campaigns_belong_to_nobody_any_more(rig_for):
    rig = await rig_for(SPEC)
    kari, old, young = new_id(), new_id(), new_id()
    pool = await rig.service.database.pool()
    card = "INSERT INTO campaign_card (campaign_id, name, channel, currency, offer_name, launched_at) VALUES ($1, '', '', '', '', $2)"
    for campaign, age in ((old, 2_000), (young, 10)):
        await pool.execute(card, campaign, rig.clock.now() - timedelta(days=age))
        await pool.execute(FACT, new_id(), campaign, kari)

    async with write(rig.service.scope) as tx:
        await unlink_old(tx)

    rows = await pool.fetch("SELECT campaign_id, person_id FROM fact")
    assert {old: None, young: kari} == {row["campaign_id"]: row["person_id"] for row in rows}
