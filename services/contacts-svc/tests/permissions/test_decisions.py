"""May this message go out: asked at the API, with the facts of a real contact."""

from datetime import timedelta
from uuid import UUID

import pytest

from contacts_svc.main import SPEC
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_kit.ids import new_id

YES = {
    "channel": "email",
    "purpose": "offers",
    "state": "granted",
    "source": "fair",
    "text_shown": "Yes, please",
}


async def make_person(client, **changes):
    body = {"full_name": "Kari", "email": "kari@example.com", **changes}
    answer = await client.post("/v1/contacts", json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def ask(client, person, channel="email", message_class="marketing", **more):
    answer = await client.get(
        f"/v1/contacts/{person}/permissions/decision",
        params={"channel": channel, "message_class": message_class, **more},
    )
    assert 200 == answer.status_code, answer.text
    return answer.json()


def order(person, at):
    return OrderCard(
        order_id=new_id(),
        version=1,
        number="1",
        person_id=UUID(person),
        total_minor=100,
        currency="NOK",
        changed_at=at,
    )


async def test_a_decision_names_its_rule_its_facts_and_the_entries_behind_it(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        before = await ask(client, person)
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        after = await ask(client, person)
        proof = (await client.get(f"/v1/contacts/{person}/permissions/proof")).json()

    assert ("deny", "no-electronic", "no_consent") == (
        before["verdict"],
        before["rule_id"],
        before["reason"],
    )
    assert "markedsføringsloven § 15" in before["source"]
    assert ("allow", "no-electronic", "consent") == (
        after["verdict"],
        after["rule_id"],
        after["reason"],
    )
    assert [proof[0]["id"]] == after["ledger_ids"]
    assert ("NO", "none", "granted") == (
        after["facts"]["country"],
        after["facts"]["relation"],
        after["facts"]["state"],
    )


async def test_a_decision_is_made_as_of_a_moment(rig_for):
    rig = await rig_for(SPEC, start=False)
    begin = rig.clock.now()

    async with rig.client() as client:
        person = await make_person(client)
        rig.clock.advance(timedelta(seconds=30))
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        rig.clock.advance(timedelta(seconds=30))
        await client.post(f"/v1/contacts/{person}/permissions", json={**YES, "state": "withdrawn"})
        answers = [
            (await ask(client, person, at=(begin + timedelta(seconds=seconds)).isoformat()))[
                "reason"
            ]
            for seconds in (15, 45, 75)
        ]

    assert ["no_consent", "consent", "refused"] == answers


async def test_a_customer_is_one_who_has_ordered(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client, country="NO")
    await rig.publish(OrderPlacedV1(items=(order(person, rig.clock.now()),)))
    await rig.drain()

    async with rig.client() as client:
        letter = await ask(client, person, "letter")
        email = await ask(client, person)

    assert ("allow", "no-post-and-phone-customer") == (letter["verdict"], letter["rule_id"])
    assert ("deny", "no-electronic-customer") == (email["verdict"], email["rule_id"])


async def test_an_order_confirmation_goes_out_after_a_no(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/permissions", json={**YES, "state": "withdrawn"})
        advertising = await ask(client, person)
        confirmation = await ask(client, person, message_class="transactional")

    assert ("deny", "refused") == (advertising["verdict"], advertising["reason"])
    assert ("allow", "no_permission_needed") == (confirmation["verdict"], confirmation["reason"])


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"channel": "pigeon", "message_class": "marketing"}, "channel"),
        ({"channel": "email"}, "message_class"),
        ({"channel": "email", "message_class": "marketing", "at": "2026-01-01T00:00:00"}, "at"),
        ({"channel": "email", "message_class": "marketing", "topic": "A B"}, "topic"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(rig_for, params, field):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        answer = await client.get(f"/v1/contacts/{person}/permissions/decision", params=params)

    assert 422 == answer.status_code
    assert field in answer.text


async def test_nobody_is_decided_about_who_is_not_there(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.get(
            f"/v1/contacts/{new_id()}/permissions/decision",
            params={"channel": "email", "message_class": "marketing"},
        )

    assert 404 == answer.status_code
