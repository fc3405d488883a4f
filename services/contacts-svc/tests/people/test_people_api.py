"""People through the API."""

import asyncio

import pytest

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
    assert "Kari@Example.com" == contact["identifiers"][0]["as_given"]
    assert "" == contact["preferred_name"]
    assert "nb" == contact["language"]
    for answer in (found, by_phone, by_name):
        assert [contact["id"]] == [one["id"] for one in answer.json()["items"]]
    (card,) = rig.items(PersonChangedV1)
    assert (contact["id"], 1, "kari@example.com", "") == (
        str(card.person_id),
        card.version,
        card.email,
        card.preferred_name,
    )


async def test_an_email_or_a_phone_alone_is_enough_and_neither_is_refused(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        answers = [
            await client.post("/v1/contacts", json=body)
            for body in (
                {"full_name": "A", "email": "a@example.com"},
                {"full_name": "B", "phone": "+46 70 123 45 67"},
                {"full_name": "C"},
                {"email": "d@example.com"},
            )
        ]

    assert [201, 201, 422, 422] == [answer.status_code for answer in answers]
    assert "e-mail address or a mobile number" in answers[2].json()["detail"]
    assert "needs a name" in answers[3].json()["detail"]


async def test_an_address_that_somebody_has_is_refused_with_their_id(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        first = (await client.post("/v1/contacts", json=KARI)).json()
        again = await client.post(
            "/v1/contacts", json={"full_name": "Other", "email": "kari@EXAMPLE.com"}
        )
    await rig.drain()

    assert 409 == again.status_code
    assert "application/problem+json" == again.headers["content-type"]
    assert first["id"] == again.json()["existing_id"]
    assert 1 == len(rig.items(PersonChangedV1))


async def test_two_who_post_one_address_at_the_same_moment_make_one_contact(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        answers = await asyncio.gather(*(client.post("/v1/contacts", json=KARI) for _ in range(6)))
        listed = await client.get("/v1/contacts")

    assert [201, 409, 409, 409, 409, 409] == sorted(answer.status_code for answer in answers)
    assert 1 == len(listed.json()["items"])


async def test_a_change_needs_the_version_that_was_read_and_is_kept_in_the_history(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client(caller="anna") as client:
        made = await client.post("/v1/contacts", json=KARI)
        where = made.headers["location"]
        change = {"preferred_name": "Kari", "email": "ny@example.com", "address": {"city": "Bodø"}}
        blind = await client.patch(where, json=change)
        done = await client.patch(where, json=change, headers={"If-Match": made.headers["etag"]})
        stale = await client.patch(
            where, json={"note": "x"}, headers={"If-Match": made.headers["etag"]}
        )
        history = (await client.get(f"{where}/changes")).json()
        old = await client.get("/v1/contacts", params={"email": "kari@example.com"})
    await rig.drain()

    assert [422, 200, 412] == [blind.status_code, done.status_code, stale.status_code]
    assert ("ny@example.com", '"2"') == (done.json()["email"], done.headers["etag"])
    assert ["kari@example.com", "ny@example.com"] == history[0]["changes"]["email"]
    assert ["", "Bodø"] == history[0]["changes"]["city"]
    assert ["", "kari@example.com"] == history[1]["changes"]["email"]
    assert [2, 1] == [one["version"] for one in history]
    assert {"anna"} == {one["actor"] for one in history}
    assert [] == old.json()["items"]
    cards = rig.items(PersonChangedV1)
    assert [(1, ""), (2, "Kari")] == sorted((card.version, card.preferred_name) for card in cards)


async def test_the_last_address_and_the_last_name_stay(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        made = await client.post("/v1/contacts", json={"full_name": "A", "email": "a@example.com"})
        answers = [
            await client.patch(made.headers["location"], json=body, headers={"If-Match": "*"})
            for body in ({"email": ""}, {"full_name": ""})
        ]
        moved = await client.patch(
            made.headers["location"], json={"phone": "+4741234567"}, headers={"If-Match": "*"}
        )
        then = await client.patch(
            made.headers["location"], json={"email": ""}, headers={"If-Match": "*"}
        )

    assert [422, 422, 200, 200] == [one.status_code for one in (*answers, moved, then)]
    assert None is then.json()["email"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"email": "kari@"}, "email"),
        ({"email": "kari@example.com", "phone": "12"}, "phone"),
        ({"full_name": "K\x00"}, "NUL"),
        ({"full_name": "x" * 1_000_000}, "200"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"colour": "red"}, "colour"),
        ({"note": "fnr 010190 12480"}, "fødselsnummer"),
        ({"note": "CPR 211062-5629"}, "CPR"),
        ({"note": "hetu 131052-308T"}, "henkilötunnus"),
        ({"note": "pnr 880320-0016"}, "personnummer"),
    ],
)
async def test_what_cannot_be_kept_is_refused_with_the_place_and_the_reason(rig_for, change, said):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.post("/v1/contacts", json={**KARI, **change})
        listed = await client.get("/v1/contacts")

    assert 422 == answer.status_code, answer.text
    assert said in answer.json()["detail"]
    assert [] == listed.json()["items"]


async def test_pages_of_the_list_hold_everybody_once(rig_for):
    rig = await rig_for(SPEC, start=False)
    seen, cursor = [], None

    async with rig.client() as client:
        for number in range(7):
            await client.post(
                "/v1/contacts", json={"full_name": "A", "email": f"a{number}@example.com"}
            )
        while True:
            page = (
                await client.get(
                    "/v1/contacts", params={"limit": 3, **({"cursor": cursor} if cursor else {})}
                )
            ).json()
            seen += [one["email"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        forged = await client.get("/v1/contacts", params={"cursor": "AAAA"})
        reader = rig.client(scopes=["contacts:read"])
        denied = await reader.post("/v1/contacts", json=KARI)
        await reader.aclose()

    assert [f"a{number}@example.com" for number in range(7)] == seen
    assert (422, 403) == (forged.status_code, denied.status_code)


async def test_two_people_with_one_phone_are_two_when_it_is_said_that_they_share_it(rig_for):
    rig = await rig_for(SPEC)
    ola = {"full_name": "Ola Ødegård", "email": "ola@example.com", "phone": "+47 412 34 567"}

    async with rig.client() as client:
        kari = (await client.post("/v1/contacts", json=KARI)).json()
        refused = await client.post("/v1/contacts", json=ola)
        made = await client.post("/v1/contacts", json={**ola, "phone_is_shared": True})
        found = (await client.get("/v1/contacts", params={"phone": "41234567"})).json()
    await rig.drain()

    assert 409 == refused.status_code
    assert kari["id"] == refused.json()["existing_id"]
    assert "phone_is_shared" in refused.json()["detail"]
    assert 201 == made.status_code, made.text
    assert "+4741234567" == made.json()["phone"]
    assert [True, False] == [one["is_identifying"] for one in made.json()["identifiers"]]
    assert [kari["id"], made.json()["id"]] == [one["id"] for one in found["items"]]
    assert {"+4741234567"} == {card.phone for card in rig.items(PersonChangedV1)}


async def test_names_with_emoji_are_kept_as_they_are(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        made = await client.post(
            "/v1/contacts", json={**KARI, "full_name": "Kari 🌻 Ødegård", "preferred_name": "👩‍🚀"}
        )
        found = await client.get("/v1/contacts", params={"q": "🌻"})
    await rig.drain()

    assert ("Kari 🌻 Ødegård", "👩‍🚀") == (made.json()["full_name"], made.json()["preferred_name"])
    assert 1 == len(found.json()["items"])
    assert {"👩‍🚀"} == {card.preferred_name for card in rig.items(PersonChangedV1)}


async def test_salutation_and_name_are_asked_for_and_never_guessed(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        made = await client.post("/v1/contacts", json=KARI)
        asked = (await client.get("/v1/contacts", params={"missing": "salutation"})).json()
        await client.patch(
            made.headers["location"],
            json={"salutation": "Dr", "do_not_contact": True, "not_before": "2027-01-01"},
            headers={"If-Match": "*"},
        )
        then = (await client.get("/v1/contacts", params={"missing": "salutation"})).json()
        lifted = await client.patch(
            made.headers["location"], json={"not_before": ""}, headers={"If-Match": "*"}
        )
    await rig.drain()

    assert ("", "") == (made.json()["salutation"], made.json()["preferred_name"])
    assert [made.json()["id"]] == [one["id"] for one in asked["items"]]
    assert [] == then["items"]
    assert None is lifted.json()["not_before"]
    cards = {card.version: card for card in rig.items(PersonChangedV1)}
    assert ("Dr", True, "2027-01-01", "Europe/Oslo") == (
        cards[2].salutation,
        cards[2].do_not_contact,
        str(cards[2].not_before),
        cards[2].time_zone,
    )
    assert None is cards[3].not_before


async def test_the_list_of_those_who_lack_something_is_what_completes_a_register(rig_for):
    rig = await rig_for(SPEC)
    yes = {
        "channel": "sms",
        "purpose": "offers",
        "state": "granted",
        "source": "call",
        "text_shown": "Yes",
    }

    async with rig.client() as client:
        ids = {}
        for name, body in {
            "all": {"email": "all@example.com", "phone": "41234567", "preferred_name": "A"},
            "mail": {"email": "mail@example.com"},
            "phone": {"phone": "41234568", "preferred_name": "P"},
        }.items():
            made = await client.post("/v1/contacts", json={"full_name": name, **body})
            ids[made.json()["id"]] = name
            if name == "all":
                await client.post(f"{made.headers['location']}/permissions", json=yes)
            if name == "phone":
                said = {**yes, "state": "withdrawn"}
                await client.post(f"{made.headers['location']}/permissions", json=said)
        lacking = {}
        for what in ("email", "phone", "consent", "preferred_name", "street"):
            told = await client.get("/v1/contacts", params={"missing": what})
            lacking[what] = [ids[one["id"]] for one in told.json()["items"]]
        unknown = await client.get("/v1/contacts", params={"missing": "shoes"})

    assert {
        "email": ["phone"],
        "phone": ["mail"],
        "consent": ["mail", "phone"],
        "preferred_name": ["mail"],
        "street": ["all", "mail", "phone"],
    } == lacking
    assert 422 == unknown.status_code
