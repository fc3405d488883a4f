"""Organisations, and what people are in them."""

import asyncio

import pytest
from sqlalchemy import select

from contacts_svc.base import table_of
from contacts_svc.main import SPEC
from contacts_svc.organisations.rules import NumberInvalid, read_number
from contacts_svc.touched import Family, TouchedPerson
from kantis_kit.tx import read
from kantis_kit.web.paging import encode_cursor

SKI = {"name": "Skiforeningen AS", "number": "974 760 673", "country": "NO"}
KARI = {"full_name": "Kari Ødegård", "email": "kari@example.com"}


async def add(client, path, **body):
    answer = await client.post(path, json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()


async def test_an_organisation_is_added_found_changed_and_its_history_told(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client(caller="anna") as client:
        made = await client.post("/v1/organisations", json=SKI)
        where = made.headers["location"]
        by_number = (
            await client.get("/v1/organisations", params={"number": "974760673", "country": "NO"})
        ).json()
        by_name = (await client.get("/v1/organisations", params={"q": "SKIFOR"})).json()
        twice = await client.post("/v1/organisations", json={**SKI, "name": "Other"})
        elsewhere = await client.post(
            "/v1/organisations", json={"name": "A/S Ski", "number": "13585628", "country": "DK"}
        )
        blind = await client.patch(where, json={"name": "B"})
        changed = await client.patch(
            where,
            json={
                "name": "Skiforeningen ASA",
                "not_before": "2027-01-01",
                "address": {"street": "postboks 12", "postal_code": "N-0155", "city": "Oslo"},
                "reason": "merger",
            },
            headers={"If-Match": made.headers["etag"]},
        )
        history = (await client.get(f"{where}/changes")).json()
        gone = await client.delete(where)
        after = await client.get(where)

    assert ("974760673", "974 760 673") == (made.json()["number"], made.json()["number_as_given"])
    for found in (by_number, by_name):
        assert [made.json()["id"]] == [one["id"] for one in found["items"]]
    assert (409, made.json()["id"]) == (twice.status_code, twice.json()["existing_id"])
    assert [201, 422, 200] == [one.status_code for one in (elsewhere, blind, changed)]
    address = {"street": "Postboks 12", "postal_code": "0155", "city": "Oslo", "country": "NO"}
    assert address == changed.json()["address"]
    assert "postboks 12\nN-0155\nOslo" == changed.json()["address_as_given"]
    assert ["Skiforeningen AS", "Skiforeningen ASA"] == history[0]["changes"]["name"]
    assert [("merger", "anna"), ("", "anna")] == [(one["reason"], one["actor"]) for one in history]
    assert (204, 404) == (gone.status_code, after.status_code)


async def test_a_person_in_three_companies_has_a_role_and_a_silence_in_each(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        kari = await add(client, "/v1/contacts", **KARI)
        links = f"/v1/contacts/{kari['id']}/links"
        firms = [await add(client, "/v1/organisations", name=f"Firm {n}") for n in range(3)]
        owner = await add(
            client, links, organisation_id=firms[0]["id"], role="owner", relevance=90, is_main=True
        )
        await add(
            client, links, organisation_id=firms[1]["id"], role="buyer", not_before="2099-01-01"
        )
        await add(
            client,
            links,
            organisation_id=firms[2]["id"],
            role="board",
            do_not_contact=True,
            do_not_contact_reason="asked by phone",
        )
        twice = await client.post(links, json={"organisation_id": firms[0]["id"], "role": "owner"})
        listed = (await client.get(links)).json()
        people = (await client.get(f"/v1/organisations/{firms[1]['id']}/people")).json()["items"]
        moved = await client.patch(
            f"{links}/{listed[1]['id']}", json={"is_main": True, "not_before": "", "title": "CPO"}
        )
        history = (await client.get(f"/v1/contacts/{kari['id']}/changes")).json()
        in_use = await client.delete(f"/v1/organisations/{firms[0]['id']}")
        left = await client.delete(f"{links}/{owner['id']}")
        then = (await client.get(links)).json()

    assert ["owner", "buyer", "board"] == [one["role"] for one in listed]
    assert [
        "",
        "no contact is wanted in this role before 2099-01-01",
        "asked by phone",
    ] == [one["silent_because"] for one in listed]
    assert ("Kari Ødegård", "Firm 1") == (people[0]["person_name"], people[0]["organisation_name"])
    assert 409 == twice.status_code
    assert (True, None, 2) == tuple(
        moved.json()[name] for name in ("is_main", "not_before", "version")
    )
    assert ["2099-01-01", None] == history[0]["changes"]["link.buyer.not_before"]
    assert (409, 204) == (in_use.status_code, left.status_code)
    assert [("buyer", True), ("board", False)] == [(one["role"], one["is_main"]) for one in then]
    async with read(rig.service.scope) as tx:
        table = table_of(TouchedPerson)
        families = list(await tx.scalars(select(table.c.families)))
    assert 5 == sum(bool(Family.LINK & one) for one in families)


async def test_an_organisation_never_belongs_to_itself_also_not_through_others(rig_for):
    rig = await rig_for(SPEC, start=False)
    any_version = {"If-Match": "*"}

    async with rig.client() as client:
        top = await add(client, "/v1/organisations", name="Top")
        mid = await add(client, "/v1/organisations", name="Mid", parent_id=top["id"])
        low = await add(client, "/v1/organisations", name="Low", parent_id=mid["id"])
        answers = [
            await client.patch(
                f"/v1/organisations/{top['id']}", json={"parent_id": one}, headers=any_version
            )
            for one in (top["id"], mid["id"], low["id"], "01890000-0000-7000-8000-000000000000")
        ]
        one, other = [await add(client, "/v1/organisations", name=name) for name in "AB"]
        both = await asyncio.gather(
            *(
                client.patch(
                    f"/v1/organisations/{child['id']}",
                    json={"parent_id": parent["id"]},
                    headers=any_version,
                )
                for child, parent in ((one, other), (other, one))
            )
        )
        freed = await client.patch(
            f"/v1/organisations/{mid['id']}", json={"parent_id": ""}, headers=any_version
        )

    assert [409, 409, 409, 422] == [answer.status_code for answer in answers]
    assert "belongs to this one" in answers[2].json()["detail"]
    assert [200, 409] == sorted(answer.status_code for answer in both)
    assert None is freed.json()["parent_id"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"number": "974 760 674"}, "number: this is no organisasjonsnummer"),
        ({"number": "556677-8898", "country": "SE"}, "number: this is no organisationsnummer"),
        ({"number": "880320-0016", "country": "SE"}, "number: this is the identity number"),
        ({"number": "120174-3399", "country": "IS"}, "number: this is the identity number"),
        ({"number": "13585627", "country": "DK"}, "number: this is no CVR number"),
        ({"number": "2077474-1", "country": "FI"}, "number: this is no Y-tunnus"),
        ({"note": "eier 010190 12480"}, "note: holds what looks like a national identity number"),
        ({"address": {"postal_code": "0000", "city": "Oslo"}}, "address.postal_code: 0000"),
        ({"email": "post@"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"name": ""}, "name"),
    ],
)
async def test_what_cannot_be_kept_of_an_organisation_is_refused_with_place_and_reason(
    rig_for, body, said
):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.post("/v1/organisations", json={"name": "Firm", **body})
        listed = (await client.get("/v1/organisations")).json()

    assert 422 == answer.status_code, answer.text
    assert said in answer.json()["detail"]
    assert "01019012480" not in answer.text.replace(" ", "")
    assert [] == listed["items"]


@pytest.mark.parametrize(
    ("given_number", "country", "kept"),
    [
        ("NO 974 760 673 MVA", "NO", "974760673"),
        ("974760673MVA", "NO", "974760673"),
        ("556677-8899", "SE", "5566778899"),
        ("SE556677889901", "SE", "5566778899"),
        ("DK 13 58 56 28", "DK", "13585628"),
        ("FI20774740", "FI", "20774740"),
        ("2077474-0", "FI", "20774740"),
        ("450401-3150", "IS", "4504013150"),
        ("HRB 123", "DE", "HRB 123"),
        ("", "NO", ""),
    ],
)
def test_a_number_is_kept_in_one_spelling_and_reads_as_itself(given_number, country, kept):
    assert kept == read_number(given_number, country)
    assert kept == read_number(kept, country)


@pytest.mark.parametrize(
    "given_number", ["x", "9" * 40, "\N{ARABIC-INDIC DIGIT NINE}" * 9, "974760673 MVAMVA"]
)
def test_what_is_no_number_is_refused(given_number):
    with pytest.raises(NumberInvalid):
        read_number(given_number, "NO")


async def test_pages_of_people_hold_everybody_once_and_forged_cursors_are_refused(rig_for):
    rig = await rig_for(SPEC, start=False)
    seen, cursor = [], ""

    async with rig.client() as client:
        firm = await add(client, "/v1/organisations", name="Firm")
        path = f"/v1/organisations/{firm['id']}/people"
        for number in range(5):
            person = await add(
                client, "/v1/contacts", full_name="A", email=f"a{number}@example.com"
            )
            await add(
                client,
                f"/v1/contacts/{person['id']}/links",
                organisation_id=firm["id"],
                role="buyer",
                relevance=number // 2,
            )
        while cursor is not None:
            page = (await client.get(path, params={"limit": 2, "cursor": cursor})).json()
            seen += [one["relevance"] for one in page["items"]]
            cursor = page["next_cursor"]
        forged = [
            await client.get(path, params={"cursor": encode_cursor(10**18, firm["id"])}),
            await client.get("/v1/organisations", params={"cursor": "AAAA"}),
        ]

    assert [2, 1, 1, 0, 0] == seen
    assert [422] * 2 == [one.status_code for one in forged]
