"""Imports through the API: what a file says is in the register, once, whatever happens on the way."""

import time

from contacts_svc.main import SPEC
from kantis_contracts.contacts import PermissionChangedV1, PersonChangedV1

HEAD = "Fornavn;Etternavn;E-post;Mobil;Postnr;Poststed\r\n"
KARI = "Kari;Ødegård;kari@example.com;412 34 567;0155;Oslo\r\n"


async def send(rig, text, *, encoding="utf-8", status=202, **params):
    body = text if isinstance(text, bytes) else text.encode(encoding)
    async with rig.client() as client:
        answer = await client.post(
            "/v1/imports", content=body, params=params, headers={"Content-Type": "text/csv"}
        )
    assert status == answer.status_code, answer.text
    return answer.json()


async def finished(rig, started):
    await rig.drain()
    async with rig.client() as client:
        return (await client.get(f"/v1/imports/{started['id']}")).json()


async def rejects(rig, started):
    async with rig.client() as client:
        answer = await client.get(f"/v1/imports/{started['id']}/rejects.csv")
    return answer.text


async def test_windows_1252_with_semicolons_arrives_with_its_letters(rig_for):
    rig = await rig_for(SPEC)

    started = await send(rig, HEAD + KARI + "Åse;Bjørnæs;ase@example.com;;4000;Stavanger\r\n", encoding="windows-1252")
    done = await finished(rig, started)

    assert ("windows-1252", ";", "done", 100) == (done["encoding"], done["delimiter"], done["state"], done["percent"])
    assert (2, 0) == (done["created"], done["rejected"])
    assert {"Kari Ødegård", "Åse Bjørnæs"} == {card.full_name for card in rig.items(PersonChangedV1)}
    assert {""} == {card.preferred_name for card in rig.items(PersonChangedV1)}


async def test_bad_rows_are_given_back_with_their_reason_and_the_rest_is_taken(rig_for):
    rig = await rig_for(SPEC)
    rows = [
        KARI,
        "Uten;Adresse;;;;\r\n",
        "=cmd|' /C calc'!A0;X;x@example.com;;;\r\n",
        "Per;Nul\x00l;per@example.com;;;\r\n",
        "For;Lang" + "x" * 1_000_000 + ";lang@example.com;;;\r\n",
        "Feil;Epost;feil@;;;\r\n",
        'Ola;"Åpent sitat;ola@example.com;;;\r\n',
        "Nummer;010190 12345;;+4741234599;;\r\n",
        "Ida;Id 01019012480;ida@example.com;;;\r\n",
        "Kort;Rad\r\n",
        "Siste;Mann;siste@example.com;;9000;Tromsø\r\n",
        "Kuttet;av;kut",
    ]

    started = await send(rig, HEAD + "".join(rows))
    done = await finished(rig, started)
    given_back = await rejects(rig, started)

    lines = given_back.lstrip("\ufeff").splitlines()
    assert "row_number;reason;Fornavn;Etternavn;E-post;Mobil;Postnr;Poststed" == lines[0]
    reasons = {int(line.split(";")[0]): line for line in lines[1:]}
    assert "neither an e-mail address nor a phone" in reasons[3]
    assert "looks like a formula" in reasons[4]
    assert "'=cmd" in reasons[4]
    assert "NUL" in reasons[5]
    assert "longer than" in reasons[6]
    assert "email:" in reasons[7]
    assert "quote" in reasons[8]
    assert "2 cells and the header 6" in reasons[11]
    assert "cut off" in reasons[13]
    names = {card.full_name for card in rig.items(PersonChangedV1)}
    assert {"Kari Ødegård", "Siste Mann"} <= names
    assert done["created"] + done["rejected"] == 12


async def test_the_same_row_twice_and_the_same_file_twice_make_one_person(rig_for):
    rig = await rig_for(SPEC)

    first = await finished(rig, await send(rig, HEAD + KARI + KARI.upper()))
    second = await finished(rig, await send(rig, HEAD + KARI, on_existing="keep"))

    assert (1, 1, 0) == (first["created"], first["updated"], first["rejected"])
    assert (0, 0, 1) == (second["created"], second["updated"], second["unchanged"])
    async with rig.client() as client:
        assert 1 == len((await client.get("/v1/contacts")).json()["items"])


async def test_permission_columns_need_a_source_and_never_overrule_a_no(rig_for):
    rig = await rig_for(SPEC)
    text = "name,email,permission.email.newsletter\nKari,kari@example.com,ja\nNils,nils@example.com,nei\nIb,ib@example.com,x\n"
    async with rig.client() as client:
        ib = (await client.post("/v1/contacts", json={"full_name": "Ib", "email": "ib@example.com"})).json()["id"]
        no = {"channel": "email", "purpose": "newsletter", "state": "withdrawn", "source": "phone call"}
        await client.post(f"/v1/contacts/{ib}/permissions", json=no)

    refused = await send(rig, text, status=422)
    done = await finished(rig, await send(rig, text, permission_source="Customer club 2019, paper form"))

    assert "permission_source" in refused["detail"]
    assert 1 == done["permissions"]
    states = {str(one.person_id): one.state for one in rig.items(PermissionChangedV1)}
    assert "withdrawn" == states.pop(ib)
    assert ["granted"] == list(states.values())


async def test_a_preview_keeps_nothing_and_shows_the_rows_with_letters(rig_for):
    rig = await rig_for(SPEC)

    shown = await send(rig, HEAD + "A;B;a@example.com;;;\r\n" * 9 + KARI, status=200, preview="true", encoding="utf-8-sig")

    assert "utf-8" == shown["encoding"]
    assert "family_name" == shown["mapping"]["Etternavn"]
    assert [11] == [row["row_number"] for row in shown["rows_with_letters_beyond_ascii"]]
    assert "Ødegård" == shown["rows_with_letters_beyond_ascii"][0]["cells"]["Etternavn"]
    assert [] == list((rig.data_dir / "imports").glob("*"))


async def test_ten_thousand_rows(rig_for):
    rig = await rig_for(SPEC)
    text = HEAD + "".join(
        f"Kari{i};Ødegård;kari{i}@example.com;4{i % 10000000:07d};0155;Oslo\r\n" for i in range(10_000)
    )
    begun = time.perf_counter()
    done = await finished(rig, await send(rig, text))
    print("SECONDS", time.perf_counter() - begun, done)
