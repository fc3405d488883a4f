"""Reservation registers: their files, how old they may be, and what they forbid."""

from datetime import timedelta

import pytest

from contacts_svc.main import SPEC
from contacts_svc.washing import jobs, usecases
from kantis_kit.tx import write

KEY = {"contacts": {"suppression_key": "a secret"}}
PHONES = {
    "name": "NIX-Telefon",
    "country": "SE",
    "channels": ["phone"],
    "matches": "phone",
    "interval_days": 92,
    "mapping": {"phone": "Telefonnummer"},
}
DOORS = {
    "name": "Reservasjonsregisteret",
    "country": "NO",
    "channels": ["letter", "phone"],
    "matches": "address",
    "interval_days": 31,
    "mapping": {
        "given_name": "Fornavn",
        "family_name": "Etternavn",
        "street": "Adresse",
        "postal_code": "Postnr",
    },
}
ALL = "SELECT person_id, hash FROM doorstep"
CSV = {"Content-Type": "text/csv"}


async def make_person(client, **changes):
    body = {"full_name": "Kari Nes", "email": "kari@example.com", **changes}
    answer = await client.post("/v1/contacts", json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def ask(client, person, channel, **more):
    answer = await client.get(
        f"/v1/contacts/{person}/permissions/decision",
        params={"channel": channel, "message_class": "marketing", **more},
    )
    return answer.json()["reason"]


async def send(client, key, text, **params):
    return await client.post(
        f"/v1/registers/{key}/washes", content=text.encode(), headers=CSV, params=params
    )


async def test_who_stands_in_the_register_is_not_called_and_who_does_not_is(rig_for):
    rig = await rig_for(SPEC, settings=KEY, start=False)

    async with rig.client() as client:
        named = await make_person(client, country="SE", phone="070-123 45 67")
        free = await make_person(client, country="SE", phone="070-123 45 68", email="b@example.com")
        before = await ask(client, free, "phone")
        await client.put("/v1/registers/nix-telefon", json=PHONES)
        washed = await send(
            client, "nix-telefon", "Namn;Telefonnummer\nKari;+46701234567\nX;0701234567\n"
        )
        reasons = [await ask(client, one, "phone") for one in (named, free)]
        letter = await ask(client, free, "letter")
    pool = await rig.service.database.pool()

    assert 201 == washed.status_code, washed.text
    assert (2, 1, 0) == tuple(washed.json()[name] for name in ("rows", "named", "refused"))
    assert "wash_missing" == before
    assert ["reserved", "not_refused"] == reasons
    assert "wash_missing" == letter
    assert 0 == await pool.fetchval(
        "SELECT count(*) FROM register_hit WHERE encode(hash, 'escape') LIKE '%701234567%'"
    )
    assert [] == list(rig.service.settings.data_dir.glob("washing/*"))


async def test_a_register_by_address_knows_a_person_in_another_spelling(rig_for):
    rig = await rig_for(SPEC, settings=KEY, start=False)
    home = {"street": "Storgata 1 B", "postal_code": "0155", "city": "Oslo"}

    async with rig.client() as client:
        named = await make_person(client, full_name="Åse Nes", address=home)
        other = await make_person(
            client, full_name="Ola Nes", email="ola@example.com", address=home
        )
        await client.put("/v1/registers/brreg", json=DOORS)
        latin = "Fornavn;Etternavn;Adresse;Postnr\nÅSE;NES;Storgata 1b;0155\n".encode("cp1252")
        washed = await client.post("/v1/registers/brreg/washes", content=latin, headers=CSV)
        reasons = [await ask(client, one, "letter") for one in (named, other)]

    assert 201 == washed.status_code, washed.text
    assert ["reserved", "not_refused"] == reasons


async def test_how_registers_name_people_is_worked_out_after_a_wash_and_again_when_they_move(
    rig_for, monkeypatch
):
    monkeypatch.setattr(usecases, "DOORSTEPS", 2)
    rig = await rig_for(SPEC, settings=KEY)
    home = {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"}
    async with rig.client() as client:
        people = [
            await make_person(client, email=f"{n}@example.com", address=home) for n in range(5)
        ]
        abroad = home | {"postal_code": "11455"}
        await make_person(client, email="se@example.com", country="SE", address=abroad)
        await make_person(client, email="nowhere@example.com")
        await rig.drain()
        pool = await rig.service.database.pool()
        before = await pool.fetchval("SELECT count(*) FROM doorstep")
        await client.put("/v1/registers/brreg", json=DOORS)
        washed = await send(
            client, "brreg", "Fornavn;Etternavn;Adresse;Postnr\nKari;Nes;Storgata 1;0155\n"
        )
        await rig.drain()
        first = {str(one["person_id"]): one["hash"] for one in await pool.fetch(ALL)}
        hits = await pool.fetch("SELECT hash FROM register_hit")
        held = await client.get(f"/v1/contacts/{people[0]}")
        moved = await client.patch(
            f"/v1/contacts/{people[0]}",
            json={"address": home | {"street": "Havnegata 2"}},
            headers={"If-Match": held.headers["etag"]},
        )
        await client.delete(f"/v1/contacts/{people[1]}")
        async with write(rig.service.scope) as tx:
            await jobs.keep_doorsteps.function(tx)
        await rig.drain()
        then = {str(one["person_id"]): one["hash"] for one in await pool.fetch(ALL)}

    assert (0, 201, 200) == (before, washed.status_code, moved.status_code)
    assert dict.fromkeys(people, hits[0]["hash"]) == first
    assert dict.fromkeys(people[2:], hits[0]["hash"]) == {
        id_: digest for id_, digest in then.items() if id_ != people[0]
    }
    assert hits[0]["hash"] != then[people[0]]


async def test_a_wash_counts_for_its_interval_and_the_newest_file_alone(rig_for):
    rig = await rig_for(SPEC, settings=KEY, start=False)
    today = rig.clock.now().date()

    async with rig.client() as client:
        person = await make_person(client, country="SE", phone="0701234567")
        await client.put("/v1/registers/nix", json=PHONES)
        old = str(today - timedelta(days=93))
        await send(client, "nix", "Telefonnummer\n0709999999\n", as_of=old)
        stale = await ask(client, person, "phone")
        (status,) = (await client.get("/v1/registers")).json()
        last_day = str(today - timedelta(days=92))
        await send(client, "nix", "Telefonnummer\n0701234567\n", as_of=last_day)
        named = await ask(client, person, "phone")
        await send(client, "nix", "Telefonnummer\n0709999999\n", as_of=last_day)
        free = await ask(client, person, "phone")
        too_old = await send(client, "nix", "Telefonnummer\n1\n", as_of=old)
        early = await send(client, "nix", "x\n", as_of=str(today + timedelta(days=1)))
        washes = (await client.get("/v1/registers/nix/washes")).json()

    assert ["wash_missing", "reserved", "not_refused"] == [stale, named, free]
    assert (False, old) == (status["is_recent"], status["washed_on"])
    assert (409, 422) == (too_old.status_code, early.status_code)
    assert 3 == len(washes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("Navn;Tlf\nKari;0701234567\n", "no column Telefonnummer"),
        ("Telefonnummer\nabc\ndef\n0701234567\n", "rows name nobody"),
        ("\x00\x01\x02" * 50, "cannot be read"),
    ],
)
async def test_a_file_that_cannot_be_used_changes_nothing(rig_for, text, said):
    rig = await rig_for(SPEC, settings=KEY, start=False)

    async with rig.client() as client:
        person = await make_person(client, country="SE", phone="0701234567")
        await client.put("/v1/registers/nix", json=PHONES)
        await send(client, "nix", "Telefonnummer\n0701234567\n")
        answer = await send(client, "nix", text)
        after = await ask(client, person, "phone")

    assert 422 == answer.status_code
    assert said in answer.json()["detail"]
    assert "reserved" == after


@pytest.mark.parametrize(
    "changes",
    [
        {"mapping": {"street": "Adresse"}},
        {"matches": "address"},
        {"channels": ["email"]},
        {"interval_days": 0},
    ],
)
async def test_a_register_that_could_not_be_read_is_refused(rig_for, changes):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.put("/v1/registers/nix", json={**PHONES, **changes})
        unknown = await send(client, "nix", "Telefonnummer\n0701234567\n")
        sheet = await client.post(
            "/v1/registers/nix/washes", content=b"x", headers={"Content-Type": "image/png"}
        )

    assert (422, 404, 415) == (answer.status_code, unknown.status_code, sheet.status_code)
