"""People through the API."""

from contacts_svc.main import SPEC
from kantis_contracts.contacts import PersonChangedV1

KARI = {"full_name": "Kari Ødegård", "email": "Kari@Example.com", "phone": "412 34 567"}


async def test_a_contact_is_made_found_and_announced(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        made = await client.post("/v1/contacts", json=KARI)
        found = await client.get("/v1/contacts", params={"email": "KARI@example.com"})
        by_phone = await client.get("/v1/contacts", params={"phone": "+47 41234567"})
        by_name = await client.get("/v1/contacts", params={"q": "ødegå"})
    await rig.drain()

    assert made.status_code == 201, made.text
    contact = made.json()
    assert "kari@example.com" == contact["email"]
    assert "+4741234567" == contact["phone"]
    assert "" == contact["preferred_name"]
    assert "nb" == contact["language"]
    for answer in (found, by_phone, by_name):
        assert [contact["id"]] == [one["id"] for one in answer.json()["items"]]
    (card,) = rig.items(PersonChangedV1)
    assert (contact["id"], 1, "kari@example.com", "") == (
        str(card.person_id), card.version, card.email, card.preferred_name,
    )
