"""Pieces of people who were merged: they follow, come back, and everybody counts."""

from uuid import UUID

import pytest

from campaign_svc.campaigns.usecases import take_audience
from campaign_svc.main import SPEC
from campaign_svc.merges.usecases import take_merges
from kantis_contracts import campaign as said
from kantis_contracts.contacts import AudienceFrozenV1, AudienceMember, PersonMergedV1
from kantis_contracts.orders import OrderCard, OrderPlacedV1, ProductCard, ProductChangedV1
from kantis_kit.ids import new_id
from kantis_kit.testing.merges import Register, follow
from kantis_kit.tx import write

PRODUCT = UUID(int=7)
PIECES = """
    INSERT INTO launch (id, campaign_id, preflight_id, state, launched_at, launched_by)
    SELECT $1, id, $1, 'launching', now(), 'test' FROM campaign
"""


async def planned(rig, client):
    """Plan a campaign with two cells; return its path and its id."""
    card = ProductCard(
        product_id=PRODUCT, version=1, sku="LAMP", name="Lampe", price_minor=19900, currency="NOK",
        vat_pct=25, available=100,
    )  # fmt: skip
    await rig.publish(ProductChangedV1(items=(card,)))
    await rig.drain()
    body = {"name": "Vår", "segment_id": str(UUID(int=5)), "currency": "NOK"}
    campaign = (await client.post("/v1/campaigns", json=body)).json()
    path = f"/v1/campaigns/{campaign['id']}"
    await client.post(f"{path}/offers", json={"product_id": str(PRODUCT)})
    for number in range(2):
        cell = {
            "name": f"cell {number}", "share_pct": 50, "template_id": str(UUID(int=number)),
            "cost_per_piece_minor": 50,
        }  # fmt: skip
        assert 201 == (await client.post(f"{path}/cells", json=cell)).status_code
    return path, UUID(campaign["id"])


async def launched(rig, campaign_id):
    """Launch without a pre-flight, which is not what is looked at here."""
    launch_id = new_id()
    pool = await rig.service.database.pool()
    preflight = (
        "INSERT INTO preflight (id, campaign_id, campaign_version, state, report, requested_at)"
        " VALUES ($1, $2, 1, 'counting', '{}', now())"
    )
    await pool.execute(preflight, launch_id, campaign_id)
    await pool.execute(PIECES, launch_id)
    return launch_id


def audience(launch_id, campaign_id, persons, total=None):
    return AudienceFrozenV1(
        launch_id=launch_id,
        campaign_id=campaign_id,
        segment_id=UUID(int=5),
        segment_name="Kunder",
        total=total or len(persons),
        items=tuple(AudienceMember(person_id=one, because=("land er NO",)) for one in persons),
    )


@pytest.mark.parametrize("seed", range(2))
async def test_any_order_of_merges_ends_where_they_lead_and_undoing_all_gives_the_same_rows(
    rig_for, seed
):
    rig = await rig_for(SPEC)
    people = [new_id() for _ in range(6)]
    async with rig.client() as client:
        _, campaign_id = await planned(rig, client)
    launch_id = await launched(rig, campaign_id)
    async with write(rig.service.scope, actor="test") as tx:
        await take_audience(tx, audience(launch_id, campaign_id, people))
    await rig.drain()

    followed = await follow(rig.service, take_merges, people, tables=["piece"], seed=seed)

    assert followed.expected == followed.found
    assert followed.before == followed.after


async def test_an_audience_frozen_before_the_merge_is_complete_and_its_pieces_stand_with_one(
    rig_for,
):
    rig = await rig_for(SPEC)
    merged, known = new_id(), new_id()
    register = Register([merged, known], rig.clock.now())
    async with rig.client() as client:
        path, campaign_id = await planned(rig, client)
        launch_id = await launched(rig, campaign_id)
        await rig.publish(PersonMergedV1(items=(register.merge(merged, known),)))
        await rig.drain()
        part = audience(launch_id, campaign_id, [merged, known])
        await rig.publish(part, copies=2)
        await rig.drain()

        params = {"person_id": str(merged)}
        pieces = (await client.get(f"{path}/pieces", params=params)).json()["items"]
        why = (await client.get(f"{path}/why/{merged}")).json()
        progress = (await client.get(f"{path}/progress")).json()

    assert (2, 2) == (progress["total"], progress["pieces"])
    assert [str(known)] * 2 == [one["person_id"] for one in pieces]
    assert str(known) == why["person_id"]
    # Messaging tells one of the two; for that it must know both.
    released = [item.person_id for one in rig.published(said.PieceReleasedV1) for item in one.items]
    assert sorted([merged, known]) == sorted(released)


async def test_an_order_marks_the_piece_of_the_id_that_it_names_or_of_the_person(rig_for):
    rig = await rig_for(SPEC)
    merged, known, other, gone = new_id(), new_id(), new_id(), new_id()
    register = Register([merged, known, other, gone], rig.clock.now())
    async with rig.client() as client:
        _, campaign_id = await planned(rig, client)
    launch_id = await launched(rig, campaign_id)
    await rig.publish(audience(launch_id, campaign_id, [merged, known, other]))
    await rig.drain()
    news = (register.merge(merged, known), register.merge(gone, other))
    await rig.publish(PersonMergedV1(items=news))
    await rig.drain()

    def order(person_id):
        return OrderCard(
            order_id=new_id(), version=1, person_id=person_id, campaign_id=campaign_id, currency="NOK",
            total_minor=100, changed_at=rig.clock.now(), state="placed", number="1",
        )  # fmt: skip

    await rig.publish(OrderPlacedV1(items=(order(merged), order(gone))))
    await rig.drain()

    pool = await rig.service.database.pool()
    rows = await pool.fetch(
        "SELECT coalesce(merged_id, person_id) AS id FROM piece WHERE ordered_at IS NOT NULL"
    )
    assert sorted([merged, other]) == sorted(row["id"] for row in rows)
