"""Everything about a person, for the person."""

import pytest

from contacts_svc.dossier.texts import TEXTS
from contacts_svc.main import SPEC
from kantis_contracts.values import Language
from kantis_kit.ids import new_id

KARI = {
    "full_name": "Kari <b>Ødegård</b>",
    "email": "kari@example.com",
    "country": "NO",
    "note": "likes blue",
}
AGAIN = {"full_name": "Kari Ødegård", "email": "kari@work.example.com"}
YES = {"channel": "email", "purpose": "newsletter", "state": "granted", "source": "fair"}


async def make(client, body):
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_an_export_holds_the_rows_of_every_table_also_of_a_merged_record_and_of_nobody_else(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client, rig.client(scopes=["contacts:read"]) as reader:
        kari, again = await make(client, KARI), await make(client, AGAIN)
        other = await make(client, {"full_name": "Per Berg", "email": "per@example.com"})
        said = {**YES, "text_shown": "Yes, write to me"}
        await client.post(f"/v1/contacts/{again}/permissions", json=said)
        await client.post("/v1/merges", json={"known_id": kari, "merged_id": again})

        found = await client.get(f"/v1/contacts/{again}/export")
        forbidden = await reader.get(f"/v1/contacts/{kari}/export")
        nobody = await client.get(f"/v1/contacts/{new_id()}/export")

    assert (200, 403, 404) == (found.status_code, forbidden.status_code, nobody.status_code)
    told = found.json()
    assert (kari, [again], []) == (told["person_id"], told["merged_ids"], told["left_off"])
    assert "likes blue" == told["profile"]["note"]
    assert {KARI["email"], AGAIN["email"]} == {
        one["value"] for one in told["records"]["identifier"]
    }
    assert {kari, again} == {one["person_id"] for one in told["records"]["permission_ledger"]}
    assert ["", "prospect"] == told["records"]["person_change"][0]["changes"]["lifecycle"]
    assert other not in found.text
    assert "per@example.com" not in found.text
    pool = await rig.service.database.pool()
    logged = await pool.fetch("SELECT audit::text AS text FROM audit")
    assert any(kari in row["text"] or again in row["text"] for row in logged)


@pytest.mark.parametrize(("asked", "language"), [("", "nb"), ("?lang=fi", "fi")])
async def test_the_page_is_in_the_language_of_the_person_and_shows_signs_as_they_are(
    rig_for, asked, language
):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari = await make(client, KARI)
        shown = await client.get(f"/v1/contacts/{kari}/export/page{asked}")

    assert 200 == shown.status_code, shown.text
    assert language == shown.headers["content-language"]
    assert TEXTS[Language(language)]["addresses"] in shown.text
    assert "kari@example.com" in shown.text
    assert "Kari &lt;b&gt;Ødegård&lt;/b&gt;" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]


def test_every_language_has_every_word():
    assert set(Language) == set(TEXTS)
    assert all(word for words in TEXTS.values() for word in words.values())


async def test_a_row_of_a_file_is_theirs_when_a_whole_cell_is_and_not_when_it_holds_a_part(rig_for):
    rig = await rig_for(SPEC)
    rows = (
        "name,email,other\nKari,kari@example,KARI@example.com \nOla,ola@example,xkari@example.com\n"
    )
    async with rig.client() as client:
        kari = await make(client, KARI)
        sent = await client.post("/v1/imports", content=rows, headers={"Content-Type": "text/csv"})
        assert sent.is_success, sent.text
        await rig.drain()
        found = await client.get(f"/v1/contacts/{kari}/export")

    assert [["Kari", "kari@example", "KARI@example.com "]] == [
        one["cells"] for one in found.json()["records"]["import_reject"]
    ]
