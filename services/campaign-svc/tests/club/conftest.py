"""A club with terms, rules and two members."""

from types import SimpleNamespace

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.contacts import PersonCard, PersonChangedV1
from kantis_contracts.orders import OrderCard, OrderPaidV1
from kantis_kit.ids import new_id

TERMS = {"texts": dict.fromkeys(("nb", "sv", "da", "fi", "en"), "Vilkår")}
RULES = {
    "currency": "NOK",
    "minor_per_point": 1000,
    "expires_after_days": 365,
    "tiers": [
        {"key": "silver", "name": "Silver", "from_points": 0},
        {"key": "gold", "name": "Gold", "from_points": 100, "earn_pct": 200},
    ],
    "benefits": [
        {"key": "coffee", "name": "Coffee", "points": 30},
        {"key": "lounge", "name": "Lounge", "from_tier": "gold"},
    ],
}


@pytest.fixture
async def club(rig_for):
    """Return the rig, how to call it, and Kari, who is a member."""
    rig = await rig_for(SPEC)

    async def call(method, path, **more):
        async with rig.client() as client:
            return await client.request(method, f"/v1/club{path}", **more)

    async def pays(person_id, amount, *, currency="NOK", order_id=None):
        card = OrderCard(
            order_id=order_id or new_id(), version=1, number="1", person_id=person_id, total_minor=amount,
            currency=currency, changed_at=rig.clock.now(),
        )  # fmt: skip
        await rig.publish(OrderPaidV1(items=(card,)))
        await rig.drain()
        return card

    async def joins(person_id, **more):
        body = {"person_id": str(person_id), "terms_version": 1, **more}
        return await call("POST", "/members", json=body)

    kari = new_id()
    card = PersonCard(
        person_id=kari, version=1, full_name="Kari Nordmann", phone="+4741234567", email="kari@example.com",
    )  # fmt: skip
    await rig.publish(PersonChangedV1(items=(card,)))
    await rig.drain()
    assert 409 == (await joins(kari)).status_code  # nothing to agree to
    assert 201 == (await call("POST", "/terms", json=TERMS)).status_code
    assert 200 == (await call("PUT", "/rules", json=RULES)).status_code
    number = (await joins(kari)).json()["number"]
    return SimpleNamespace(
        rig=rig,
        call=call,
        pays=pays,
        joins=joins,
        kari=kari,
        number=number,
        me=f"/members/{number}",
    )
