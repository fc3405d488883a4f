"""Goods that came back: kept once, on the timeline, and something that conditions ask for."""

from datetime import timedelta
from uuid import UUID

import pytest

from contacts_svc.main import SPEC
from kantis_contracts.orders import OrderLineCard, OrderReturn, OrderReturnedV1
from kantis_kit.ids import new_id

LINE = OrderLineCard(product_id=new_id(), sku="LAMP", quantity=1, amount_minor=40_000)


@pytest.fixture
async def register(rig_for):
    """A register with somebody who sent goods back twice, each told twice, and somebody who kept all of theirs."""
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        ids = []
        for name in ("kari", "ola"):
            body = {"full_name": name, "email": f"{name}@example.com"}
            ids.append((await client.post("/v1/contacts", json=body)).json()["id"])
        for days, refund in ((100, 40_000), (10, 15_000)):
            told = OrderReturn(
                return_id=new_id(), order_id=new_id(), number=f"R{days}", person_id=UUID(ids[0]), refund_minor=refund,
                returned_minor=refund, currency="NOK", lines=(LINE,), returned_at=rig.clock.now() - timedelta(days=days),
            )  # fmt: skip
            await rig.publish(OrderReturnedV1(items=(told,)), OrderReturnedV1(items=(told,)))
        await rig.drain()
        yield rig, client, ids


async def members(client, condition):
    made = await client.post("/v1/segments", json={"name": str(new_id()), "condition": condition})
    assert 201 == made.status_code, made.text
    path = f"/v1/segments/{made.json()['id']}"
    return path, [one["person_id"] for one in (await client.get(f"{path}/members")).json()["items"]]


async def test_a_return_stands_on_the_timeline_once_with_its_goods(register):
    _, client, (kari, ola) = register

    shown, nothing = [
        (await client.get(f"/v1/contacts/{one}/timeline", params={"kind": "return"})).json()[
            "items"
        ]
        for one in (kari, ola)
    ]

    assert ["R10", "R100"] == [one["facts"]["number"] for one in shown]
    assert ("returned", 15_000, "LAMP") == (
        shown[0]["what"],
        shown[0]["facts"]["refund_minor"],
        shown[0]["facts"]["lines"][0]["sku"],
    )
    assert [] == nothing


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ({}, "k"),
        ({"value": 2}, "k"),
        ({"value": 2, "within_days": 90}, ""),
        ({"within_days": 90}, "k"),
        ({"within_days": 9}, ""),
        ({"compare": "at_most", "value": 0}, "o"),
        ({"measure": "refund_minor", "currency": "NOK", "value": 55_000}, "k"),
        ({"measure": "refund_minor", "currency": "NOK", "value": 55_001}, ""),
        ({"measure": "refund_minor", "currency": "SEK", "value": 1}, ""),
        ({"campaign_ids": [str(new_id())]}, ""),
    ],
)
async def test_conditions_ask_how_often_and_for_how_much_goods_came_back(register, asked, who):
    _, client, (kari, ola) = register

    _, found = await members(client, {"op": "returns", **asked})

    assert {"k": [kari], "o": [ola], "": []}[who] == found


async def test_whoever_sent_goods_back_within_90_days_leaves_the_segment_by_time_alone(register):
    rig, client, (kari, _) = register
    path, before = await members(client, {"op": "returns", "within_days": 90})
    why = (await client.get(f"{path}/explain/{kari}")).json()

    rig.clock.advance(timedelta(days=81))
    client.headers["Authorization"] = f"Bearer {rig.token('contacts')}"
    await rig.drain()
    after = (await client.get(f"{path}/members")).json()["items"]

    assert ([kari], []) == (before, after)
    assert "returns" in str(why)


async def test_an_amount_needs_its_currency(register):
    _, client, _ = register
    condition = {"op": "returns", "measure": "refund_minor"}
    body = {"name": "Many", "condition": condition}

    answer = await client.post("/v1/segments", json=body)

    assert 422 == answer.status_code
    assert "an amount needs its currency" in answer.text
