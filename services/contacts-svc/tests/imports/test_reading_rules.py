"""What an import reads into declared fields, how saved mappings and policies rule it, and the same file twice."""

import pytest

from contacts_svc.main import SPEC

FIELDS = (
    {"key": "born", "kind": "date", "titles": {"nb": "Fødselsdato", "en": "Date of birth"}},
    {"key": "spent", "kind": "decimal", "titles": {"nb": "Omsetning"}, "is_filtered": True},
    {
        "key": "wants",
        "kind": "choices",
        "rules": {
            "choices": [
                {"key": "tents", "titles": {"nb": "Telt"}},
                {"key": "skis", "titles": {"nb": "Ski"}},
            ]
        },
    },
    {"key": "member", "kind": "flag", "titles": {"nb": "Medlem"}},
    {"key": "visits", "kind": "number"},
)
TABLE = (
    "Navn;E-post;Fødselsdato;Omsetning;Wants;Medlem;visits;Hilsen\r\n"
    "Kari Nes;kari@example.com;24/12-74;1 234,50;Telt, skis;ja;3;Kjære\r\n"
    "Nils Dal;nils@example.com;1/2-80;-;;nei;1 200;\r\n"
    "Ib Wrong;ib@example.com;31/2-80;5;;nei;1;\r\n"
    "Bo Wrong;bo@example.com;;5;boats;;;\r\n"
    "My Wrong;my@example.com;;tolv;;;;\r\n"
)


async def declare(rig, *fields):
    async with rig.client() as client:
        for field in fields:
            answer = await client.post("/v1/fields", json=field)
            assert 201 == answer.status_code, answer.text


async def test_declared_fields_are_read_with_nordic_days_and_decimal_commas(rig_for, door):
    rig = await rig_for(SPEC)
    await declare(rig, *FIELDS)

    shown = await door.send(rig, TABLE, status=200, preview="true")
    done = await door.finished(rig, await door.send(rig, TABLE))
    given_back = await door.rejects(rig, done)

    formats = {one["column"]: one for one in shown["formats"]}
    assert ("custom.born", "dd/mm/yyyy", {"24/12-74": "1974-12-24", "1/2-80": "1980-02-01"}, 1) == (
        formats["Fødselsdato"]["field"],
        formats["Fødselsdato"]["format"],
        formats["Fødselsdato"]["examples"],
        formats["Fødselsdato"]["unread"],
    )
    assert "decimal-comma" == formats["Omsetning"]["format"]
    assert (2, 3) == (done["created"], done["rejected"])
    people = await door.contacts(rig)
    assert {
        "born": "1974-12-24",
        "spent": "1234.5",
        "wants": ["tents", "skis"],
        "member": True,
        "visits": 3,
    } == people["kari@example.com"]["custom"]
    assert "Kjære" == people["kari@example.com"]["salutation"]
    assert {"born": "1980-02-01", "member": False, "visits": 1200} == people["nils@example.com"][
        "custom"
    ]
    assert "custom.born: '31/2-80' is not a day such as 31/12/2026" in given_back
    assert "custom.wants" in given_back
    assert "'tolv' is not a number" in given_back


async def test_a_format_that_is_given_goes_before_the_one_that_was_found(rig_for, door):
    rig = await rig_for(SPEC)
    await declare(rig, FIELDS[0])
    text = "Navn;E-post;born\r\nKari Nes;kari@example.com;02/01/2026\r\n"

    shown = await door.send(rig, text, status=200, preview="true")
    wrong = await door.send(
        rig, text, status=422, formats='{"born": "yesterday", "Navn": "dd.mm.yyyy"}'
    )
    await door.finished(rig, await door.send(rig, text, formats='{"born": "mm/dd/yyyy"}'))

    assert "taken to come first" in shown["formats"][0]["doubt"]
    assert "'yesterday' is no format of a date" in wrong["detail"]
    assert "column 'Navn' is read as text" in wrong["detail"]
    assert "2026-02-01" == (await door.contacts(rig))["kari@example.com"]["custom"]["born"]


async def test_the_same_file_again_is_answered_with_the_import_that_took_it(rig_for, door):
    rig = await rig_for(SPEC)

    first = await door.send(rig, door.head + door.kari)
    second = await door.send(rig, door.head + door.kari, status=200)
    await door.finished(rig, first)
    third = await door.send(rig, door.head + door.kari, status=200)
    other = await door.send(rig, door.head + door.kari, on_existing="keep")
    again = await door.send(rig, door.head + door.kari, again="true")

    assert first["id"] == second["id"] == third["id"]
    assert 3 == len({first["id"], other["id"], again["id"]})
    assert 64 == len(first["file_sha256"])
    assert 1 == (await door.finished(rig, again))["unchanged"]
    assert [] == list((rig.data_dir / "imports").glob("*"))


async def test_saved_mappings_read_the_next_file_of_the_same_sender(rig_for, door):
    rig = await rig_for(SPEC)
    await declare(rig, FIELDS[1])
    body = {
        "name": "Fair 2026",
        "mapping": {"Hvem": "full_name", "Hvor": "email", "Kroner": "custom.spent"},
        "formats": {"Kroner": "decimal-point"},
        "policies": {"full_name": "keep"},
    }
    async with rig.client() as client:
        made = await client.post("/v1/imports/mappings", json=body)
        twice = await client.post("/v1/imports/mappings", json=body)
        wrong = await client.post(
            "/v1/imports/mappings",
            json={"name": "x", "mapping": {"a": "custom.nothing"}, "policies": {"b": "keep"}},
        )
        where = made.headers["Location"]
        stale = await client.put(where, json=body, headers={"If-Match": '"9"'})
        changed = await client.put(
            where, json=body | {"name": "Fair"}, headers={"If-Match": made.headers["ETag"]}
        )
        listed = (await client.get("/v1/imports/mappings")).json()
    text = "Hvem,Hvor,Kroner\nKari Nes,kari@example.com,1.234\n"
    unknown = await door.send(rig, text, status=404, saved_mapping="Fair 2026")

    done = await door.finished(rig, await door.send(rig, text, saved_mapping="Fair"))

    assert [201, 409, 422, 412, 200] == [
        one.status_code for one in (made, twice, wrong, stale, changed)
    ]
    assert "custom.nothing" in wrong.json()["detail"]
    assert "'b' is no field" in wrong.json()["detail"]
    assert ["Fair"] == [one["name"] for one in listed]
    assert "mapping-unknown" in unknown["type"]
    assert {"full_name": "keep"} == done["policies"]
    assert {"spent": "1.234"} == (await door.contacts(rig))["kari@example.com"]["custom"]
    async with rig.client() as client:
        assert 204 == (await client.delete(where)).status_code
        assert 404 == (await client.get(where)).status_code


async def test_a_policy_decides_field_by_field_what_a_file_replaces(rig_for, door):
    rig = await rig_for(SPEC)
    await declare(rig, FIELDS[1])
    first = "name,email,city,note,spent\nKari,kari@example.com,Oslo,,5\n"
    second = "name,email,city,note,spent\nKari Nes,kari@example.com,Bergen,new,6\n"

    await door.finished(rig, await door.send(rig, first))
    done = await door.finished(
        rig,
        await door.send(
            rig, second, policies='{"city": "keep", "note": "keep", "custom.spent": "keep"}'
        ),
    )
    refused = await door.send(
        rig, second, status=422, policies='{"city": "guess", "password": "keep"}'
    )

    kari = (await door.contacts(rig))["kari@example.com"]
    assert ("Kari Nes", "Oslo", "new", "5") == (
        kari["full_name"],
        kari["address"]["city"],
        kari["note"],
        kari["custom"]["spent"],
    )
    assert 1 == done["updated"]
    assert "'guess' is none; use one of keep, replace, newest, source" in refused["detail"]
    assert "'password' is no field" in refused["detail"]


@pytest.mark.parametrize("years", [(2020, 2022, 2021), (2022, 2020, 2021), (2021, 2020, 2022)])
async def test_the_newest_file_wins_in_whatever_order_files_and_rows_come(rig_for, door, years):
    rig = await rig_for(SPEC)
    for year in years:
        text = f"name,email,city\nKari,kari@example.com,City {year}\n"
        await door.finished(
            rig,
            await door.send(
                rig, text, policies='{"city": "newest"}', as_of=f"{year}-06-01T00:00:00Z"
            ),
        )
    rows = "".join(f"Nils,nils@example.com,City {year},1.6.{year}\n" for year in years)
    done = await door.finished(
        rig, await door.send(rig, "name,email,city,as_of\n" + rows, policies='{"city": "newest"}')
    )

    people = await door.contacts(rig)
    assert {"City 2022"} == {one["address"]["city"] for one in people.values()}
    assert "dd.mm.yyyy" == done["formats"]["as_of"]


async def test_what_somebody_changed_by_hand_is_newer_than_an_old_file(rig_for, door):
    rig = await rig_for(SPEC)
    old = "name,email,city\nKari,kari@example.com,Oslo\n"
    await door.finished(rig, await door.send(rig, old))
    kari = (await door.contacts(rig))["kari@example.com"]
    async with rig.client() as client:
        await client.patch(
            f"/v1/contacts/{kari['id']}",
            json={"note": "moved"},
            headers={"If-Match": f'"{kari["version"]}"'},
        )
    text = "name,email,city,note\nKari,kari@example.com,Bergen,old\n"
    as_of = f"{rig.clock.now().year - 3}-01-01T00:00:00Z"

    await door.finished(rig, await door.send(rig, text, policies='{"note": "newest"}', as_of=as_of))

    kari = (await door.contacts(rig))["kari@example.com"]
    assert ("Bergen", "moved") == (kari["address"]["city"], kari["note"])


async def test_everybody_in_a_file_joins_a_list(rig_for, door):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        answer = await client.post("/v1/segments", json={"name": "Fair", "kind": "list"})
        assert 201 == answer.status_code, answer.text
        fair = answer.json()["id"]

    done = await door.finished(
        rig, await door.send(rig, door.head + door.kari + "Uten;alt;;;;\r\n", list_id=fair)
    )
    unknown = await door.send(
        rig, door.head + door.kari, status=404, list_id="00000000-0000-7000-8000-000000000000"
    )

    pool = await rig.service.database.pool()
    assert (1, 1) == (done["listed"], await pool.fetchval("SELECT count(*) FROM list_member"))
    assert "list-unknown" in unknown["type"]


async def test_identity_numbers_are_masked_in_what_is_given_back(rig_for, door):
    rig = await rig_for(SPEC)

    done = await door.finished(
        rig, await door.send(rig, door.head + "Ida;Id 01019012480;ida@example.com;;;\r\n")
    )
    given_back = await door.rejects(rig, done)

    assert 1 == done["rejected"]
    assert "national identity" in given_back or "fødselsnummer" in given_back
    assert "01019012480" not in given_back


async def test_what_a_row_leaves_open_replaces_nothing_that_is_known(rig_for, door):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await client.post(
            "/v1/contacts",
            json={
                "full_name": "Åsa",
                "email": "asa@example.com",
                "country": "SE",
                "source": "fair",
            },
        )

    done = await door.take(rig, "name,email,city\nÅsa,asa@example.com,Lund\n")

    asa = (await door.contacts(rig))["asa@example.com"]
    assert 1 == done["updated"]
    assert ("SE", "sv", "fair", "Lund") == (
        asa["country"],
        asa["language"],
        asa["source"],
        asa["address"]["city"],
    )


async def sources(rig, *names, status=200):
    async with rig.client() as client:
        answer = await client.put("/v1/imports/sources", json={"sources": list(names)})
        assert status == answer.status_code, answer.text
        return (await client.get("/v1/imports/sources")).json()["sources"]


async def test_a_source_that_is_trusted_more_is_not_overruled_by_one_that_is_trusted_less(
    rig_for, door
):
    rig = await rig_for(SPEC)
    assert ["crm", "fair"] == await sources(rig, "crm", "fair")
    policies = '{"city": "source"}'

    cities = []
    for source, city in (
        ("bought", "Moss"),
        ("fair", "Oslo"),
        ("bought", "Halden"),
        ("Fair", "Bodø"),
        ("crm", "Bergen"),
        ("fair", "Molde"),
    ):
        text = f"name,email,city,note\nKari,kari@example.com,{city},of {source}\n"
        await door.take(rig, text, source=source, policies=policies)
        cities.append((await door.contacts(rig))["kari@example.com"]["address"]["city"])

    assert ["Moss", "Oslo", "Oslo", "Bodø", "Bergen", "Bergen"] == cities
    kari = (await door.contacts(rig))["kari@example.com"]
    assert "of fair" == kari["note"]


async def test_what_was_keyed_in_by_hand_is_trusted_most_unless_the_order_names_it(rig_for, door):
    rig = await rig_for(SPEC)
    text = "name,email,city\nKari,kari@example.com,Oslo\n"
    async with rig.client() as client:
        kari = {"full_name": "Kari", "email": "kari@example.com", "address": {"city": "Moss"}}
        assert 201 == (await client.post("/v1/contacts", json=kari)).status_code

    cities = []
    for order in (["crm"], ["crm", "hand"]):
        await sources(rig, *order)
        await door.take(rig, text, source="crm", policies='{"city": "source"}', again="true")
        cities.append((await door.contacts(rig))["kari@example.com"]["address"]["city"])

    assert ["Moss", "Oslo"] == cities
    assert ["crm", "hand"] == await sources(rig, "crm", " CRM", status=422)
