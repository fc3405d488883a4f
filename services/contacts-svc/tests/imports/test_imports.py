"""Imports through the API: what a file says is in the register, once, whatever happens on the way."""

import contextlib
import csv
import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.imports.reading import open_sheet
from contacts_svc.imports.worker import Worker
from contacts_svc.main import SPEC
from kantis_contracts.contacts import PermissionChangedV1, PersonChangedV1
from kantis_kit import failpoints
from kantis_kit.csv_rows import read_records

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

    started = await send(
        rig,
        HEAD + KARI + "Åse;Bjørnæs;ase@example.com;;4000;Stavanger\r\n",
        encoding="windows-1252",
    )
    done = await finished(rig, started)

    assert ("windows-1252", ";", "done", 100) == (
        done["encoding"],
        done["delimiter"],
        done["state"],
        done["percent"],
    )
    assert (2, 0) == (done["created"], done["rejected"])
    assert {"Kari Ødegård", "Åse Bjørnæs"} == {
        card.full_name for card in rig.items(PersonChangedV1)
    }
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


async def test_two_addresses_of_one_new_person_are_kept_and_the_first_given_is_used(rig_for):
    rig = await rig_for(SPEC)
    rows = "Kari;Nes;b@example.com;41234567;;\r\nKari;Nes;a@example.com;41234567;;\r\n"

    await finished(rig, await send(rig, HEAD + rows))

    async with rig.client() as client:
        (contact,) = (await client.get("/v1/contacts")).json()["items"]
    assert {"a@example.com": False, "b@example.com": True, "+4741234567": True} == {
        one["value"]: one["is_primary"] for one in contact["identifiers"]
    }
    assert ["b@example.com"] == [card.email for card in rig.items(PersonChangedV1)]


async def test_permission_columns_need_a_source_and_never_overrule_a_no(rig_for):
    rig = await rig_for(SPEC)
    text = "name,email,permission.email.newsletter\nKari,kari@example.com,ja\nNils,nils@example.com,nei\nIb,ib@example.com,x\n"
    async with rig.client() as client:
        ib = (
            await client.post("/v1/contacts", json={"full_name": "Ib", "email": "ib@example.com"})
        ).json()["id"]
        no = {
            "channel": "email",
            "purpose": "newsletter",
            "state": "withdrawn",
            "source": "phone call",
        }
        await client.post(f"/v1/contacts/{ib}/permissions", json=no)

    refused = await send(rig, text, status=422)
    done = await finished(
        rig, await send(rig, text, permission_source="Customer club 2019, paper form")
    )

    assert "permission_source" in refused["detail"]
    assert 1 == done["permissions"]
    states = {str(one.person_id): one.state for one in rig.items(PermissionChangedV1)}
    assert "withdrawn" == states.pop(ib)
    assert ["granted"] == list(states.values())


async def test_a_preview_keeps_nothing_and_shows_the_rows_with_letters(rig_for):
    rig = await rig_for(SPEC)

    shown = await send(
        rig,
        HEAD + "A;B;a@example.com;;;\r\n" * 9 + KARI,
        status=200,
        preview="true",
        encoding="utf-8-sig",
    )

    assert "utf-8" == shown["encoding"]
    assert "family_name" == shown["mapping"]["Etternavn"]
    assert [11] == [row["row_number"] for row in shown["rows_with_letters_beyond_ascii"]]
    assert "Ødegård" == shown["rows_with_letters_beyond_ascii"][0]["cells"]["Etternavn"]
    assert [] == list((rig.data_dir / "imports").glob("*"))


async def test_many_chunks_make_each_row_once_and_tell_it_in_batches(rig_for):
    rig = await rig_for(SPEC, settings={"contacts": {"import_chunk_rows": 700}})
    text = HEAD + "".join(
        f"Kari{n};Ødegård;kari{n % 2_000}@example.com;;0155;Oslo\r\n" for n in range(2_100)
    )

    done = await finished(rig, await send(rig, text))

    assert (2_000, 100, 2_100) == (done["created"], done["updated"], done["rows"])
    people = rig.items(PersonChangedV1)
    assert 2_000 == len({card.person_id for card in people})
    assert 2_100 == len(people)
    assert [] == list((rig.data_dir / "imports").glob("*"))


@pytest.mark.parametrize("place", ["tx.before_commit", "tx.after_commit"])
async def test_an_import_that_dies_in_a_chunk_goes_on_and_doubles_nothing(rig_for, place):
    rig = await rig_for(SPEC, settings={"contacts": {"import_chunk_rows": 10}}, start=False)
    text = (
        HEAD
        + "".join(f"Kari{n};Å;kari{n}@example.com;;;\r\n" for n in range(45))
        + "Uten;alt;;;;\r\n"
    )
    started = await send(rig, text)

    for nth in (1, 2, 3):
        failpoints.arm(place, "raise", nth=nth)
        # A worker knows nothing but what is in the database: each of these is a new one.
        with contextlib.suppress(failpoints.FailPointHit):
            await Worker(rig.service).step()
        failpoints.disarm_all()
    worker = Worker(rig.service)
    while await worker.step():
        pass

    async with rig.client() as client:
        done = (await client.get(f"/v1/imports/{started['id']}")).json()
    pool = await rig.service.database.pool()
    assert ("done", 45, 0, 1) == (done["state"], done["created"], done["updated"], done["rejected"])
    assert 45 == await pool.fetchval("SELECT count(*) FROM person")
    assert 45 == await pool.fetchval("SELECT count(*) FROM person_change")
    staged = [orjson.loads(row["data"]) for row in await pool.fetch("SELECT data FROM outbox")]
    told = [card["person_id"] for event in staged for card in event["items"]]
    assert (45, 45) == (len(told), len(set(told)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\x00\x00" * 100, "not text"),
        (b"\xff\xfeN\x00a", "UTF-16"),
        (b"colour;size\r\nred;5\r\n", "no column for an e-mail address"),
        (b"email\r\na@example.com\r\n", "no column for a name"),
        (b"name;email;name\r\na;b;c\r\n", "twice"),
        (b"a;" * 70_000, "longer than"),
        (b"a;" * 300 + b"email\r\n", "at most 200"),
    ],
)
async def test_a_file_that_is_no_table_of_people_is_refused_and_not_kept(rig_for, text, said):
    rig = await rig_for(SPEC, start=False)

    refused = await send(rig, text, status=422)

    assert said in refused["detail"]
    assert [] == list((rig.data_dir / "imports").glob("*"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_every_way_of_saving_a_table_is_read(tmp_path, encoding, end, delimiter):
    path = tmp_path / "people.csv"
    lines = [
        delimiter.join(row)
        for row in (("Navn", "E-post"), ("Åse Bjørk", "a@example.com"), ("Ö Ä", "o@example.com"))
    ]
    path.write_bytes((end.join(lines) + end).encode(encoding))

    sheet = open_sheet(path)
    rows = list(
        read_records(path, sheet.encoding, sheet.delimiter, offset=sheet.data_offset, number=1)
    )

    assert ["Navn", "E-post"] == sheet.header
    assert [["Åse Bjørk", "a@example.com"], ["Ö Ä", "o@example.com"]] == [row.cells for row in rows]


def test_one_broken_row_does_not_turn_a_utf8_file_into_rubbish(tmp_path):
    path = tmp_path / "people.csv"
    good = "Åse;ase@example.com\n".encode()
    path.write_bytes(b"navn;epost\n" + good * 3 + b"\xc5se;ase2@example.com\n" + good)

    sheet = open_sheet(path)
    rows = list(
        read_records(path, sheet.encoding, sheet.delimiter, offset=sheet.data_offset, number=1)
    )

    assert "utf-8" == sheet.encoding
    assert [False, False, False, True, False] == [bool(row.problem) for row in rows]
    assert "0xc5" in rows[3].problem


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=20),
            min_size=2,
            max_size=2,
        ),
        max_size=8,
    )
)
def test_any_table_that_was_written_is_read_again_from_any_row(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["navn", "epost"], *rows])
        records = list(read_records(path, "utf-8", ",", offset=0, number=0))
        assert [["navn", "epost"], *rows] == [record.cells for record in records]
        for place, record in enumerate(records):
            rest = list(read_records(path, "utf-8", ",", offset=record.end, number=record.number))
            assert records[place + 1 :] == rest


async def test_rejects_can_be_mended_and_sent_again(rig_for):
    rig = await rig_for(SPEC)
    started = await send(rig, HEAD + "Kari;Nes;kari@;+47 412 34 567;;\r\nUten;Alt;;+47 41;;\r\n")
    await finished(rig, started)

    text = (await rejects(rig, started)).replace("kari@;", "kari@example.com;")
    done = await finished(rig, await send(rig, text))

    assert ["row_number", "reason"] == done["unknown_columns"]
    assert (1, 1) == (done["created"], done["rejected"])


async def test_columns_can_be_named_and_files_come_in_forms_too(rig_for):
    rig = await rig_for(SPEC)
    file = {"file": ("../../evil.csv", "Hvem,Hvor,Farge\nKari,kari@example.com,blå\n".encode())}
    mapping = '{"Hvem": "full_name", "Hvor": "email"}'

    async with rig.client() as client:
        started = await client.post("/v1/imports", files=file, params={"mapping": mapping})
        answers = [
            await client.post("/v1/imports", files=file, params={"mapping": text})
            for text in ("{", '{"Hvem": 5}', '{"Nei": "email"}', '{"Hvem": "password"}')
        ]
        empty = await client.post("/v1/imports", files={"other": (None, "text")})
        kind = await client.post(
            "/v1/imports", content=b"{}", headers={"Content-Type": "application/json"}
        )
    done = await finished(rig, started.json())

    assert 202 == started.status_code, started.text
    assert (["Farge"], 1) == (done["unknown_columns"], done["created"])
    assert [422, 422, 422, 422, 422, 415] == [one.status_code for one in (*answers, empty, kind)]


async def test_the_answers_of_imports_are_described(rig_for):
    rig = await rig_for(SPEC, start=False)

    paths = rig.service.openapi()["paths"]

    assert {"200", "202"} <= paths["/v1/imports"]["post"]["responses"].keys()
    rejects = paths["/v1/imports/{import_id}/rejects.csv"]["get"]["responses"]["200"]
    assert ["text/csv"] == list(rejects["content"])
