"""What a lead names of somebody who is known is kept, and gives nobody power over the record until it is confirmed."""

import pytest

from contacts_svc.main import SPEC
from kantis_contracts.contacts import ConfirmationRequestedV1

FORM = {
    "key": "autumn",
    "source": "Autumn competition",
    "titles": {"nb": "Høst"},
    "consent": {"nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."}},
    "default_language": "nb",
}
KARI = {"full_name": "Kari Nes", "email": "kari@example.com"}
MOBILE, OTHER = "+4741234567", "+4741234568"
LEAD = {**KARI, "phone": "412 34 567", "consent": True}


@pytest.fixture
async def desk(rig_for):
    return Desk(await rig_for(SPEC))


class Desk:
    """A form, and what the tests ask of it."""

    def __init__(self, rig):
        self.rig = rig

    async def call(self, method, path, body=None):
        async with self.rig.client() as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def begin(self, *people, form="autumn", **changes):
        await self.call("POST", "/v1/forms", {**FORM, "key": form, **changes})
        return [(await self.call("POST", "/v1/contacts", one))["id"] for one in people]

    async def post(self, **changes):
        async with self.rig.anonymous() as visitor:
            answer = await visitor.post("/f/autumn", json={**LEAD, **changes})
        assert answer.status_code == 202, answer.text
        await self.rig.drain()

    async def confirm(self):
        (asked,) = self.rig.items(ConfirmationRequestedV1)
        async with self.rig.anonymous() as visitor:
            answer = await visitor.post(asked.confirm_path)
        assert answer.status_code == 200, answer.text
        await self.rig.drain()

    async def phones(self, person):
        held = await self.call("GET", f"/v1/contacts/{person}/identifiers")
        return [
            (one["value"], one["source"], one["is_primary"])
            for one in held
            if one["kind"] == "phone"
        ]

    async def claims(self, person):
        found = await self.call("GET", f"/v1/contacts/{person}/claims")
        return [(one["phone"], one["source"]) for one in found]

    async def owners(self, phone):
        found = await self.call("GET", f"/v1/contacts?phone={phone.replace('+', '%2B')}")
        return [one["id"] for one in found["items"]]


async def test_a_phone_in_a_lead_of_somebody_known_is_a_claim_until_their_mailbox_confirms(desk):
    (kari,) = await desk.begin(KARI)
    await desk.post()

    assert ([], [(MOBILE, "form:autumn")]) == (await desk.phones(kari), await desk.claims(kari))
    assert [] == await desk.owners(MOBILE)

    await desk.confirm()

    assert [(MOBILE, "form:autumn", True)] == await desk.phones(kari)
    assert [] == await desk.claims(kari)
    assert [kari] == await desk.owners(MOBILE)


async def test_a_confirmed_claim_comes_beside_what_is_known_and_not_in_its_place(desk):
    (kari,) = await desk.begin({**KARI, "phone": OTHER})
    await desk.post()
    await desk.confirm()

    assert [(MOBILE, False), (OTHER, True)] == sorted(
        (value, first) for value, _, first in await desk.phones(kari)
    )


async def test_a_phone_that_somebody_else_has_stays_theirs(desk):
    kari, ola = await desk.begin(
        KARI, {"full_name": "Ola Dal", "email": "ola@example.com", "phone": MOBILE}
    )
    await desk.post()
    await desk.confirm()

    assert ([], [ola]) == (await desk.phones(kari), await desk.owners(MOBILE))


async def test_of_two_phones_that_were_posted_for_one_mailbox_neither_is_taken(desk):
    (kari,) = await desk.begin(KARI)
    await desk.post()
    await desk.post(phone=OTHER)
    await desk.post()
    await desk.confirm()

    assert [] == await desk.phones(kari)
    assert {(MOBILE, "form:autumn"), (OTHER, "form:autumn")} == set(await desk.claims(kari))


async def test_who_knows_somebodys_phone_gets_no_mailbox_into_their_record(desk):
    (kari,) = await desk.begin({**KARI, "phone": MOBILE})
    await desk.post(email="stranger@example.com", city="Bergen")
    await desk.confirm()

    hers = await desk.call("GET", f"/v1/contacts/{kari}")
    (permissions,) = [await desk.call("GET", f"/v1/contacts/{kari}/permissions")]
    assert ("kari@example.com", "") == (hers["email"], (hers.get("address") or {}).get("city", ""))
    assert [] == permissions
    found = await desk.call("GET", "/v1/contacts?email=stranger@example.com")
    (stranger,) = found["items"]
    # The mail is kept with a contact of its own, whose phone identifies nobody: people decide whether they are one.
    assert kari != stranger["id"]
    assert [kari] == [one for one in await desk.owners(MOBILE) if one != stranger["id"]]
