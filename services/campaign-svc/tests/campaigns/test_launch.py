"""From a draft to pieces: launched once, everybody once, in any order."""

import asyncio
from datetime import timedelta
from uuid import UUID

from campaign_svc.campaigns.codes import draw_code
from campaign_svc.campaigns.usecases import settle_pieces, take_audience
from campaign_svc.main import SPEC
from kantis_contracts import campaign as said
from kantis_contracts.contacts import (
    AudienceFrozenV1,
    AudienceMember,
    AudienceRefusal,
    AudienceRefusedV1,
    ChannelReach,
    ReachCountedV1,
)
from kantis_contracts.messaging import (
    MessageSettledV1,
    Settled,
    SettledState,
    TemplateCheck,
    TemplateCheckedV1,
)
from kantis_contracts.orders import (
    OrderCard,
    OrderPaidV1,
    OrderPlacedV1,
    ProductCard,
    ProductChangedV1,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id
from kantis_kit.tx import write

SEGMENT = UUID(int=5)
PRODUCT = UUID(int=7)


def product(**changes):
    card = {
        "product_id": PRODUCT, "version": 1, "sku": "LAMP", "name": "Lampe", "price_minor": 19900,
        "currency": "NOK", "vat_pct": 25, "available": 100,
    }  # fmt: skip
    return ProductCard(**{**card, **changes})


async def planned(rig, client, *, shares=(60, 40), **changes):
    await rig.publish(ProductChangedV1(items=(product(),)))
    await rig.drain()
    body = {"name": "Vår", "segment_id": str(SEGMENT), "currency": "NOK", **changes}
    campaign = (await client.post("/v1/campaigns", json=body)).json()
    path = f"/v1/campaigns/{campaign['id']}"
    assert (
        await client.post(f"{path}/offers", json={"product_id": str(PRODUCT)})
    ).status_code == 201
    for number, share in enumerate(shares):
        cell = {
            "name": f"cell {number}", "share_pct": share, "template_id": str(UUID(int=number)),
            "cost_per_piece_minor": 50,
        }  # fmt: skip
        assert (await client.post(f"{path}/cells", json=cell)).status_code == 201
    return path


async def counted(rig, client, path, *, reachable=1200, **changes):
    preflight = (await client.post(f"{path}/preflights")).json()
    await rig.drain()
    answer = {
        "preflight_id": preflight["id"], "campaign_id": preflight["campaign_id"], "segment_id": SEGMENT,
        "segment_name": "Kunder", "members": 1500,
    }  # fmt: skip
    await rig.publish(
        ReachCountedV1(
            **{**answer, **changes},
            items=(
                ChannelReach(
                    channel=Channel.EMAIL, reachable=reachable, excluded={"no_permission": 300}
                ),
            ),
        ),
        TemplateCheckedV1(
            preflight_id=preflight["id"],
            campaign_id=preflight["campaign_id"],
            items=(TemplateCheck(cell_id=new_id(), channel=Channel.EMAIL, template_id=new_id()),),
        ),
    )
    await rig.drain()
    return (await client.get(f"{path}/preflights/{preflight['id']}")).json()


async def launched(rig, client, path):
    await counted(rig, client, path)
    answer = await client.post(f"{path}/launch", json={})
    assert answer.status_code == 202, answer.text
    await rig.drain()
    return answer.json()


def parts(launch, persons, size=1000):
    return [
        AudienceFrozenV1(
            launch_id=launch["id"],
            campaign_id=launch["campaign_id"],
            segment_id=SEGMENT,
            segment_name="Kunder",
            total=len(persons),
            items=tuple(
                AudienceMember(person_id=person, because=("land er NO",))
                for person in persons[start : start + size]
            ),
        )
        for start in range(0, len(persons), size)
    ]


def settled(piece, state, at, campaign_id=None, message_id=None):
    return MessageSettledV1(
        items=(
            Settled(
                message_id=message_id or new_id(), piece_id=piece["id"], campaign_id=campaign_id,
                channel=Channel.EMAIL, state=state, settled_at=at,
            ),
        )
    )  # fmt: skip


async def test_everybody_gets_one_piece_though_parts_come_shuffled_twice_and_overlap(rig_for):
    rig = await rig_for(SPEC)
    persons = [new_id() for _ in range(1200)]
    async with rig.client() as client:
        path = await planned(rig, client)
        launch = await launched(rig, client, path)

        overlapping = parts(launch, persons, 700) + parts(launch, list(reversed(persons)), 500)
        await rig.publish(*overlapping)
        await rig.drain()

        progress = (await client.get(f"{path}/progress")).json()
        detail = (await client.get(path)).json()
    released = rig.published(said.PieceReleasedV1)
    items = [item for event in released for item in event.items]
    assert sorted(persons) == sorted(item.person_id for item in items)
    assert 1200 == len({item.response_code for item in items}) == progress["pieces"]
    assert "running" == progress["state"] == detail["state"] == detail["launch"]["state"]
    shares = {event.cell_name: 0 for event in released}
    for event in released:
        shares[event.cell_name] += len(event.items)
    assert 640 < shares["cell 0"] < 800
    assert {"Kunder"} == {event.segment_name for event in released}
    assert {19900} == {event.offer.price_minor for event in released}
    assert not await rig.parked()


async def test_ten_who_press_at_once_launch_once_and_get_the_same_launch(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await planned(rig, client)
        await counted(rig, client, path)

        answers = await asyncio.gather(*(client.post(f"{path}/launch") for _ in range(10)))
        await rig.drain()

    assert [200] * 9 + [202] == sorted(answer.status_code for answer in answers)
    assert 1 == len({answer.json()["id"] for answer in answers})
    assert (
        1 == len(rig.items(said.AudienceRequestedV1)) == len(rig.published(said.CampaignLaunchedV1))
    )


async def test_a_taken_code_is_drawn_again_and_nobody_is_lost(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        launch = await launched(rig, client, await planned(rig, client))
    persons = [new_id() for _ in range(3)]
    same = draw_code()
    drawn = iter([same, same, same, same, draw_code(), draw_code()])
    (part,) = parts(launch, persons)

    async with write(rig.service.scope) as tx:
        await take_audience(tx, part, lambda count: [next(drawn) for _ in range(count)])
    await rig.drain()

    items = rig.items(said.PieceReleasedV1)
    assert sorted(persons) == sorted(item.person_id for item in items)
    assert 3 == len({item.response_code for item in items})


async def test_a_launch_is_finished_when_every_piece_is_settled_and_doubt_never_undoes_an_end(
    rig_for,
):
    rig = await rig_for(SPEC)
    persons = [new_id() for _ in range(3)]
    now = rig.clock.now()
    async with rig.client() as client:
        path = await planned(rig, client)
        launch = await launched(rig, client, path)
        await rig.publish(*parts(launch, persons))
        await rig.drain()
        pieces = (await client.get(f"{path}/pieces")).json()["items"]
        first, second, third = pieces

        later = now + timedelta(minutes=5)
        message = new_id()
        await rig.publish(
            settled(first, SettledState.ACCEPTED, now, message_id=message),
            settled(first, SettledState.IN_DOUBT, later, message_id=message),
            settled(second, SettledState.FAILED, later),
            settled(second, SettledState.ACCEPTED, now),
        )
        await rig.drain()
        half = (await client.get(f"{path}/progress")).json()
        await rig.publish(settled(third, SettledState.SUPPRESSED, now))
        await rig.drain()
        whole = (await client.get(f"{path}/progress")).json()
        page = await client.get(f"{path}/pieces", params={"state": "failed"})

    assert "running" == half["state"]
    assert "finished" == whole["state"]
    expected = {"accepted": 1, "failed": 1, "suppressed": 1}
    assert expected == {k: v for k, v in whole["by_state"].items() if v}
    assert [second["id"]] == [piece["id"] for piece in page.json()["items"]]


async def test_answers_orders_and_payments_are_remembered_per_person_in_any_order(rig_for):
    rig = await rig_for(SPEC)
    persons = [new_id() for _ in range(2)]
    now = rig.clock.now()
    async with rig.client() as client:
        path = await planned(rig, client)
        launch = await launched(rig, client, path)
        await rig.publish(*parts(launch, persons))
        await rig.drain()
        query = {"person_id": str(persons[0])}
        (piece,) = (await client.get(f"{path}/pieces", params=query)).json()["items"]

        order = OrderCard(
            order_id=new_id(), version=1, number="1", person_id=persons[0], total_minor=19900,
            campaign_id=launch["campaign_id"], currency="NOK", changed_at=now,
        )  # fmt: skip
        answer = ResponseRegistered(
            response_id=new_id(), kind=ResponseKind.ORDER, way=ResponseWay.KEYED,
            response_code=piece["response_code"], responded_at=now,
        )  # fmt: skip
        await rig.publish(OrderPaidV1(items=(order,)), OrderPlacedV1(items=(order,)))
        await rig.publish(ResponseRegisteredV1(items=(answer,)))
        await rig.drain()

        (piece,) = (await client.get(f"{path}/pieces", params=query)).json()["items"]
        progress = (await client.get(f"{path}/progress")).json()
        why = (await client.get(f"{path}/why/{persons[0]}")).json()
    assert piece["responded_at"] == piece["ordered_at"] == piece["paid_at"] is not None
    assert (1, 1, 1) == (progress["responded"], progress["ordered"], progress["paid"])
    assert ["land er NO"] == why["because"]
    assert ("Kunder", piece["response_code"]) == (why["segment_name"], why["response_code"])


async def test_a_launch_with_nobody_to_send_to_ends_and_says_why(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await planned(rig, client)
        launch = await launched(rig, client, path)
        refusal = AudienceRefusal(
            launch_id=launch["id"], campaign_id=launch["campaign_id"], reason="empty"
        )
        await rig.publish(AudienceRefusedV1(items=(refusal,)))
        await rig.drain()
        ended = (await client.get(path)).json()

    assert ("finished", "empty", 0) == (
        ended["state"],
        ended["launch"]["problem"],
        ended["launch"]["total"],
    )


async def test_overlapping_parts_taken_at_the_same_time_count_everybody_once(rig_for):
    rig = await rig_for(SPEC)
    persons = [new_id() for _ in range(400)]
    async with rig.client() as client:
        path = await planned(rig, client)
        launch = await launched(rig, client, path)
        both = parts(launch, persons) + parts(launch, list(reversed(persons)))

        async def take(part):
            async with write(rig.service.scope) as tx:
                await take_audience(tx, part)

        await asyncio.gather(*(take(part) for part in both * 2))
        await rig.drain()
        detail = (await client.get(path)).json()

    items = rig.items(said.PieceReleasedV1)
    assert sorted(persons) == sorted(item.person_id for item in items)
    assert ("running", 400, 400) == (
        detail["state"],
        detail["launch"]["arrived"],
        detail["launch"]["total"],
    )


async def test_outcomes_taken_at_the_same_time_finish_the_launch_once(rig_for):
    rig = await rig_for(SPEC)
    persons = [new_id() for _ in range(20)]
    async with rig.client() as client:
        path = await planned(rig, client)
        launch = await launched(rig, client, path)
        await rig.publish(*parts(launch, persons))
        await rig.drain()
        pieces = (await client.get(f"{path}/pieces")).json()["items"]
        now = rig.clock.now()

        async def settle(part):
            events = [settled(piece, SettledState.ACCEPTED, now) for piece in part]
            async with write(rig.service.scope) as tx:
                await settle_pieces(tx, [item for event in events for item in event.items])

        await asyncio.gather(settle(pieces[:15]), settle(pieces[5:]), settle(pieces[::-1]))
        detail = (await client.get(path)).json()

    assert ("finished", 20) == (detail["state"], detail["launch"]["settled"])


async def test_what_became_of_others_pieces_changes_nothing_and_parks_nothing(rig_for):
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    stranger = {"id": str(new_id())}
    answer = ResponseRegistered(
        response_id=new_id(), kind=ResponseKind.ORDER, way=ResponseWay.KEYED, response_code="AAAAAAAAAA",
        responded_at=now,
    )  # fmt: skip
    order = OrderCard(
        order_id=new_id(), version=1, number="1", person_id=new_id(), campaign_id=new_id(), total_minor=1,
        currency="NOK", changed_at=now,
    )  # fmt: skip
    async with rig.client() as client:
        launch = await launched(rig, client, await planned(rig, client))
        await rig.publish(settled(stranger, SettledState.ACCEPTED, now))
        await rig.publish(ResponseRegisteredV1(items=(answer,)), OrderPlacedV1(items=(order,)))
        await rig.drain()
        progress = (await client.get(f"/v1/campaigns/{launch['campaign_id']}/progress")).json()

    assert (0, "launching", None) == (progress["pieces"], progress["state"], progress["total"])
    assert not await rig.parked()


async def test_an_audience_of_an_unknown_launch_waits_for_a_person(rig_for):
    rig = await rig_for(SPEC)
    launch = {"id": new_id(), "campaign_id": new_id()}
    (envelope,) = await rig.publish(*parts(launch, [new_id()]))
    await rig.drain()
    pool = await rig.service.database.pool()

    row = await pool.fetchrow("SELECT * FROM delivery WHERE event_id = $1", envelope.id)

    assert "LaunchMissing" in row["problem"]
    assert [] == rig.items(said.PieceReleasedV1)


async def test_a_launch_that_was_begun_before_is_a_described_answer(rig_for):
    rig = await rig_for(SPEC, start=False)

    described = rig.service.openapi()["paths"]["/v1/campaigns/{campaign_id}/launch"]["post"]

    assert {"200", "202"} <= described["responses"].keys()
