"""Who asks to be forgotten is forgotten here, and the figures stay."""

from datetime import timedelta

from campaign_svc.base import Base
from campaign_svc.main import SPEC
from campaign_svc.privacy.usecases import KEPT, doomed
from kantis_contracts.campaign import CampaignDossierAnsweredV1, CampaignErasureCompletedV1
from kantis_contracts.contacts.privacy import (
    DossierRequest,
    DossierRequestedV1,
    ErasureRequest,
    ErasureRequestedV1,
)
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

STARTED = (
    "INSERT INTO campaign VALUES ($1, 'Winter', $1, 'offers', 'email', NULL, 'NOK', NULL, 1, 'running', 1, now(), now())",
    "INSERT INTO cell VALUES ($1, $1, 'A', 'KEYA', 100, $1, NULL, 0)",
    "INSERT INTO preflight VALUES ($1, $1, 1, 'counting', NULL, '{}', now(), NULL)",
    (
        "INSERT INTO launch (id, campaign_id, preflight_id, state, launched_at, launched_by)"
        " VALUES ($1, $1, $1, 'running', now(), 'test')"
    ),
)
PIECE = """
INSERT INTO piece (
    id, launch_id, campaign_id, cell_id, person_id, response_code, because, state, reason, released_at, settled_at
) VALUES ($1, $2, $2, $2, $3, $4, '["lives in Storgata"]', 'failed', '550 kari@example.com', now(), now())
"""


async def launched(pool):
    launch = new_id()
    for statement in STARTED:
        await pool.execute(statement, launch)
    return launch


def erasure(rig, person_id, **more):
    item = ErasureRequest(
        erasure_id=new_id(), person_ids=(person_id,), requested_at=rig.clock.now()
    )
    return ErasureRequestedV1(items=(item,), **more)


async def test_why_somebody_was_chosen_goes_and_that_a_piece_went_out_stays(rig_for):
    rig = await rig_for(SPEC)
    kari, per = new_id(), new_id()
    pool = await rig.service.database.pool()
    launch = await launched(pool)
    for person_id, code in ((kari, "AAAAAAAAA2"), (per, "BBBBBBBBB2")):
        await pool.execute(PIECE, new_id(), launch, person_id, code)
    wanted = DossierRequest(dossier_id=new_id(), person_ids=(kari,))
    await rig.publish(DossierRequestedV1(items=(wanted,)))
    await rig.drain()

    await rig.publish(erasure(rig, kari))
    await rig.drain()

    (part,) = rig.items(CampaignDossierAnsweredV1)
    assert "Storgata" in part.content
    assert '"campaign_name":"Winter"' in part.content
    assert str(per) not in part.content
    rows = await pool.fetch("SELECT because::text, reason FROM piece ORDER BY response_code")
    assert [("[]", ""), ('["lives in Storgata"]', "550 kari@example.com")] == [
        tuple(row) for row in rows
    ]
    (receipt,) = rig.items(CampaignErasureCompletedV1)
    assert ({"piece": 1}, [("piece", 1)]) == (
        receipt.removed,
        [(one.kind, one.rows) for one in receipt.kept],
    )


async def test_a_piece_that_is_told_late_is_emptied_too(rig_for):
    rig = await rig_for(SPEC)
    kari = new_id()
    await rig.publish(erasure(rig, kari))
    await rig.drain()
    pool = await rig.service.database.pool()
    await pool.execute(PIECE, new_id(), await launched(pool), kari, "AAAAAAAAA2")
    rig.clock.advance(timedelta(minutes=1, seconds=1))

    async def is_empty():
        return await pool.fetchval("SELECT because = '[]' AND reason = '' FROM piece")

    await eventually(is_empty, message="what came late still names somebody")


def test_every_table_that_names_a_person_has_a_fate():
    named = {name for name, table in Base.metadata.tables.items() if "person_id" in table.c}
    assert named == {table.name for table in doomed()} | KEPT.keys()
