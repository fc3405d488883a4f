"""The right to be forgotten."""

import re

from contacts_svc.main import SPEC
from kantis_contracts.contacts import PermissionChangedV1, PersonChangedV1

KARI = {
    "full_name": "Kari Ødegård",
    "preferred_name": "Kari",
    "email": "kari@example.com",
    "phone": "+4741234567",
    "note": "likes blue",
    "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"},
}
YES = {
    "channel": "email",
    "purpose": "newsletter",
    "state": "granted",
    "source": "fair",
    "text_shown": "Yes",
}
SECRETS = re.compile("kari|ødegård|41234567|storgata|likes blue", re.IGNORECASE)


async def test_nothing_that_names_a_person_is_left_anywhere_in_the_database(rig_for):
    rig = await rig_for(SPEC)
    form = {
        "key": "autumn",
        "source": "Autumn",
        "titles": {"en": "News"},
        "consent": {"en": {"version": "1", "text": "Yes"}},
    }
    async with rig.client() as client, rig.anonymous() as visitor:
        made = await client.post("/v1/contacts", json=KARI)
        person = made.json()["id"]
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        await client.post("/v1/fields", json={"key": "boat", "kind": "text", "is_filtered": True})
        firm = (await client.post("/v1/organisations", json={"name": "Firm"})).json()["id"]
        facts = [
            await client.patch(
                f"/v1/contacts/{person}",
                json={"custom": {"boat": "Ødegård 31"}, "reason": "Kari said so"},
                headers={"If-Match": "*"},
            ),
            await client.post(
                f"/v1/contacts/{person}/links",
                json={"organisation_id": firm, "role": "owner", "title": "likes blue"},
            ),
            await client.post(
                f"/v1/contacts/{person}/addresses", json={"kind": "work", "street": "Storgata 2"}
            ),
            await client.post(
                f"/v1/contacts/{person}/identifiers",
                json={"kind": "email", "value": "kari@work.example.com", "label": "work"},
            ),
        ]
        assert {200, 201} == {one.status_code for one in facts}
        await client.post("/v1/forms", json=form)
        lead = {"full_name": "Kari", "email": "kari@example.com", "consent": True}
        assert 202 == (await visitor.post("/f/autumn", json=lead)).status_code
        await rig.drain()

        erased = await client.delete(f"/v1/contacts/{person}")
        await rig.drain()
        again = await client.delete(f"/v1/contacts/{person}")
        gone = await client.get(f"/v1/contacts/{person}")
        proof = (await client.get(f"/v1/contacts/{person}/permissions/proof")).json()

    assert (204, 404, 404) == (erased.status_code, again.status_code, gone.status_code)
    pool = await rig.service.database.pool()
    tables = await pool.fetch(
        "SELECT quote_ident(table_name) AS table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    left = [
        (table["table_name"], row["text"])
        for table in tables
        for row in await pool.fetch("SELECT t::text AS text FROM " + table["table_name"] + " t")
        if SECRETS.search(row["text"])
    ]
    assert [] == left
    assert "withdrawn" == proof[-1]["state"]
    newest = max(rig.items(PersonChangedV1), key=lambda card: card.version)
    assert (True, "", None, None) == (
        newest.is_erased,
        newest.full_name,
        newest.email,
        newest.address,
    )
    assert (
        "withdrawn"
        == max(
            (one for one in rig.items(PermissionChangedV1) if one.purpose == "newsletter"),
            key=lambda one: one.version,
        ).state
    )


async def test_an_erased_person_does_not_come_back_with_a_list_but_by_their_own_wish(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        made = await client.post("/v1/contacts", json=KARI)
        await client.delete(made.headers["location"])

        listed = await client.post(
            "/v1/imports",
            content="name,email\nKari,KARI@example.com\n",
            headers={"Content-Type": "text/csv"},
        )
        await rig.drain()
        told = (await client.get(listed.headers["location"])).json()
        refused = await client.post("/v1/contacts", json=KARI)
        wished = await client.post("/v1/contacts", json={**KARI, "after_erasure": True})

    assert (0, 1) == (told["created"], told["rejected"])
    assert (409, "urn:kantis:problem:erased-before") == (
        refused.status_code,
        refused.json()["type"],
    )
    assert 201 == wished.status_code
    assert made.json()["id"] != wished.json()["id"]
