"""What a sale allows."""

from datetime import timedelta
from uuid import UUID

import pytest

from contacts_svc.main import SPEC
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_kit.ids import new_id

DECLARED = {"contacts": {"permissions_soft_opt_in_after_sale": True}}


async def make_person(client, **changes):
    body = {"full_name": "Kari", "email": "kari@example.com", **changes}
    answer = await client.post("/v1/contacts", json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def buy(rig, *people):
    cards = tuple(
        OrderCard(
            order_id=new_id(),
            version=1,
            number="1007",
            person_id=UUID(person),
            total_minor=100,
            currency="NOK",
            changed_at=rig.clock.now(),
        )
        for person in people
    )
    await rig.publish(OrderPlacedV1(items=cards))
    await rig.drain()


async def permissions_of(client, person):
    return {
        (one["channel"], one["purpose"]): (one["state"], one["legal_basis"])
        for one in (await client.get(f"/v1/contacts/{person}/permissions")).json()
    }


async def ask(client, person, channel="email", message_class="marketing"):
    return (
        await client.get(
            f"/v1/contacts/{person}/permissions/decision",
            params={"channel": channel, "message_class": message_class},
        )
    ).json()


async def test_a_sale_allows_offers_of_our_own_until_the_customer_refuses(rig_for):
    rig = await rig_for(SPEC, settings=DECLARED)
    async with rig.client() as client:
        person = await make_person(client, phone="41234567")
    await buy(rig, person)
    await buy(rig, person)

    async with rig.client() as client:
        held = await permissions_of(client, person)
        proof = (await client.get(f"/v1/contacts/{person}/permissions/proof")).json()
        allowed = await ask(client, person)
        newsletter = await ask(client, person, message_class="newsletter")
        rig.clock.advance(timedelta(minutes=1))
        no = {"channel": "email", "purpose": "offers", "state": "withdrawn", "source": "phone"}
        await client.post(f"/v1/contacts/{person}/permissions", json=no)
    await buy(rig, person)
    async with rig.client() as client:
        refused = await ask(client, person)

    soft = ("granted", "existing_customer")
    assert {("email", "offers"): soft, ("sms", "offers"): soft} == held
    assert 2 == len(proof)
    assert {"1007", "no-electronic-customer"} <= set(proof[0]["evidence"].values())
    assert ("soft_opt_in", "no-electronic-customer") == (allowed["reason"], allowed["rule_id"])
    assert "no_consent" == newsletter["reason"]
    assert "refused" == refused["reason"]


@pytest.mark.parametrize(
    "changes",
    [{"country": "IS"}, {"country": "DE"}, {"source": "Sommerens Konkurranse 2026"}],
)
async def test_a_sale_allows_nothing_where_the_law_or_the_source_says_no(rig_for, changes):
    rig = await rig_for(SPEC, settings=DECLARED)
    async with rig.client() as client:
        person = await make_person(client, **changes)
    await buy(rig, person)

    async with rig.client() as client:
        assert {} == await permissions_of(client, person)


async def test_a_sale_allows_nothing_before_the_checkout_is_declared_to_offer_to_refuse(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client)
    await buy(rig, person)

    async with rig.client() as client:
        assert {} == await permissions_of(client, person)


async def test_a_danish_basket_is_not_reminded_of_by_a_sale(rig_for):
    rig = await rig_for(SPEC, settings=DECLARED)
    async with rig.client() as client:
        person = await make_person(client, country="DK")
    await buy(rig, person)

    async with rig.client() as client:
        offers = await ask(client, person)
        basket = await ask(client, person, message_class="cart_reminder")

    assert ("allow", "dk-electronic-customer") == (offers["verdict"], offers["rule_id"])
    assert ("dk-basket", "soft_is_not_enough") == (basket["rule_id"], basket["reason"])


async def test_a_stranger_s_order_makes_no_entry(rig_for):
    rig = await rig_for(SPEC, settings=DECLARED)

    await buy(rig, str(new_id()))

    pool = await rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM permission_ledger")
