"""Exports through the API: what is known in a file that no spreadsheet runs, by a link that ends."""

import contextlib
import csv
import io
import tracemalloc
import zipfile
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook

from contacts_svc.exports import usecases, workbook
from contacts_svc.main import SPEC
from kantis_kit import failpoints
from kantis_kit.csv_rows import unquoted
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def make_people(rig, *bodies):
    ids = []
    async with rig.client() as client:
        for body in bodies:
            answer = await client.post("/v1/contacts", json=body)
            assert 201 == answer.status_code, answer.text
            ids.append(answer.json()["id"])
    return ids


async def order(rig, status=202, **body):
    async with rig.client() as client:
        answer = await client.post("/v1/exports", json=body)
    assert status == answer.status_code, answer.text
    return answer.json()


async def link_of(rig, export_id):
    async with rig.client() as client:
        answer = await client.post(f"/v1/exports/{export_id}/link")
    assert 201 == answer.status_code, answer.text
    return "/p/exports/" + answer.json()["url"].rpartition("/")[2]


async def fetch(rig, path):
    async with rig.anonymous() as client:
        return await client.get(path)


def rows_of(answer, delimiter=";"):
    assert 200 == answer.status_code, answer.text
    text = answer.content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


async def test_what_is_known_is_written_and_no_cell_is_a_formula(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await client.post("/v1/fields", json={"key": "spent", "kind": "decimal"})
    (kari, nils) = await make_people(
        rig,
        {
            "full_name": "Kari Ødegård",
            "email": "kari@example.com",
            "phone": "41234567",
            "note": '=HYPERLINK("http://x")',
            "custom": {"spent": "12,50"},
        },
        {"full_name": 'Nils; "Dal"\nDal', "email": "nils@example.com"},
    )
    async with rig.client() as client:
        yes = {
            "channel": "email",
            "purpose": "newsletter",
            "state": "granted",
            "source": "call",
            "text_shown": "Yes",
        }
        answer = await client.post(f"/v1/contacts/{kari}/permissions", json=yes)
        assert 201 == answer.status_code, answer.text
    fields = ["id", "full_name", "phone", "note", "custom.spent", "permission.email.newsletter"]

    started = await order(rig, fields=fields, name="all")
    await rig.drain()
    async with rig.client() as client:
        done = (await client.get(f"/v1/exports/{started['id']}")).json()
        listed = (await client.get("/v1/exports")).json()
    answer = await fetch(rig, await link_of(rig, started["id"]))

    assert ("done", 2) == (done["state"], done["rows"])
    assert [done] == listed
    assert done["file_bytes"] == len(answer.content)
    assert [
        fields,
        [kari, "Kari Ødegård", "'+4741234567", '\'=HYPERLINK("http://x")', "12.5", "granted"],
        [nils, 'Nils; "Dal"\nDal', "", "", "", ""],
    ] == rows_of(answer)
    assert "attachment" in answer.headers["content-disposition"]
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize("kind", ["condition", "list"])
async def test_a_segment_is_written_page_by_page(rig_for, monkeypatch, kind):
    monkeypatch.setattr(usecases, "PAGE", 3)
    rig = await rig_for(SPEC)
    ids = await make_people(
        rig,
        *(
            {"full_name": f"P{n}", "email": f"p{n}@example.com", "country": "NO" if n % 2 else "SE"}
            for n in range(16)
        ),
    )
    async with rig.client() as client:
        body = {"name": "Norway", "kind": kind}
        if kind == "condition":
            body["condition"] = {"op": "country", "is_in": ["NO"]}
        made = await client.post("/v1/segments", json=body)
        assert 201 == made.status_code, made.text
        segment = made.json()["id"]
        if kind == "list":
            await client.post(f"/v1/segments/{segment}/members", json={"person_ids": ids[1::2]})

    started = await order(rig, segment_id=segment, fields=["id"], delimiter=",")
    await rig.drain()

    answer = await fetch(rig, await link_of(rig, started["id"]))
    assert [["id"], *([one] for one in sorted(ids[1::2]))] == rows_of(answer, ",")


@pytest.mark.parametrize("place", ["timer.before_commit", "tx.before_commit", "tx.after_commit"])
async def test_an_export_that_dies_in_a_page_doubles_and_loses_nothing(rig_for, monkeypatch, place):
    monkeypatch.setattr(usecases, "PAGE", 4)
    rig = await rig_for(SPEC, start=False)
    ids = await make_people(
        rig, *({"full_name": f"P{n}", "email": f"p{n}@example.com"} for n in range(13))
    )
    started = await order(rig, fields=["id"])

    for nth in (1, 2):
        failpoints.arm(place, "raise", nth=nth)
        for _ in range(2):
            with contextlib.suppress(failpoints.FailPointHit):
                await rig.service.timers.step()
            rig.clock.advance(timedelta(minutes=10))
        failpoints.disarm_all()
    while await rig.service.timers.step():
        pass

    answer = await fetch(rig, await link_of(rig, started["id"]))
    assert [["id"], *([one] for one in sorted(ids))] == rows_of(answer)


async def test_a_link_ends_and_so_does_the_file(rig_for):
    rig = await rig_for(SPEC)
    await make_people(rig, {"full_name": "Kari", "email": "kari@example.com"})
    started = await order(rig)
    await rig.drain()
    path = await link_of(rig, started["id"])
    modes = [one.stat().st_mode & 0o777 for one in (rig.data_dir / "exports").iterdir()]

    alive = await fetch(rig, path)
    forged = await fetch(rig, path[:-2] + ("AA" if path[-2:] != "AA" else "BB"))
    rig.clock.advance(timedelta(hours=26))
    late = await fetch(rig, path)
    rig.clock.advance(timedelta(days=7))
    await rig.drain()
    async with rig.client() as client:
        gone = (await client.get(f"/v1/exports/{started['id']}")).json()
        refused = await client.post(f"/v1/exports/{started['id']}/link")

    assert [200, 404, 404] == [one.status_code for one in (alive, forged, late)]
    assert [0o600] == modes
    assert ("forgotten", 409) == (gone["state"], refused.status_code)
    assert [] == list((rig.data_dir / "exports").iterdir())


async def test_an_export_that_is_deleted_is_gone_at_once(rig_for):
    rig = await rig_for(SPEC)
    await make_people(rig, {"full_name": "Kari", "email": "kari@example.com"})
    started = await order(rig)
    await rig.drain()
    path = await link_of(rig, started["id"])

    async with rig.client() as client:
        deleted = await client.delete(f"/v1/exports/{started['id']}")
        unknown = await client.delete("/v1/exports/00000000-0000-7000-8000-000000000000")
    await rig.drain()

    assert [204, 404] == [deleted.status_code, unknown.status_code]
    assert 404 == (await fetch(rig, path)).status_code
    assert [] == list((rig.data_dir / "exports").iterdir())


async def test_orders_and_links_are_in_the_audit_log_and_need_the_scope(rig_for):
    rig = await rig_for(SPEC)
    started = await order(rig)
    await rig.drain()
    await link_of(rig, started["id"])
    async with rig.client(scopes=["contacts:read"]) as client:
        refused = [
            await client.post("/v1/exports", json={}),
            await client.post(f"/v1/exports/{started['id']}/link"),
            await client.delete(f"/v1/exports/{started['id']}"),
        ]

    pool = await rig.service.database.pool()
    rows = await pool.fetch("SELECT action, subject, actor FROM audit ORDER BY seq")
    told = [(row["action"], row["actor"]) for row in rows if row["subject"] == started["id"]]
    assert [("exports.ordered", "test-key"), ("exports.linked", "test-key")] == told
    assert [403, 403, 403] == [one.status_code for one in refused]


async def test_identity_numbers_and_unknown_fields_are_in_no_file(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        body = {"key": "pnr", "kind": "national_id", "rules": {"country": "NO"}}
        assert 201 == (await client.post("/v1/fields", json=body)).status_code

    secret = await order(rig, 422, fields=["custom.pnr"])
    unknown = await order(rig, 422, fields=["id", "password", "custom.nothing"])
    twice = await order(rig, 422, fields=["id", "id"])
    segment = await order(rig, 404, segment_id="00000000-0000-7000-8000-000000000000")

    assert "identity numbers" in secret["detail"]
    assert 2 == len(unknown["errors"])
    assert "each once" in twice["detail"]
    assert "segment" in segment["type"]


async def test_what_was_exported_can_be_imported_again(rig_for):
    rig = await rig_for(SPEC)
    await make_people(
        rig,
        {
            "full_name": "Kari Ødegård",
            "email": "kari@example.com",
            "phone": "41234567",
            "source": "shop",
        },
    )
    started = await order(rig)
    await rig.drain()
    answer = await fetch(rig, await link_of(rig, started["id"]))

    async with rig.client() as client:
        again = await client.post(
            "/v1/imports", content=answer.content, headers={"Content-Type": "text/csv"}
        )
        assert 202 == again.status_code, again.text
        await rig.drain()
        done = (await client.get(f"/v1/imports/{again.json()['id']}")).json()

    assert (0, 0, 1) == (done["created"], done["rejected"], done["unchanged"])
    assert "+4741234567" == unquoted("'+4741234567")


def book_of(answer):
    assert 200 == answer.status_code, answer.text
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


async def finished(rig, export_id):
    """Wait until the loop that makes workbooks has made this one."""

    async def is_done():
        async with rig.client() as client:
            told = (await client.get(f"/v1/exports/{export_id}")).json()
        return told if told["state"] != "running" else None

    return await eventually(is_done, message="the workbook was not made")


async def test_a_workbook_holds_texts_as_texts_numbers_as_numbers_and_no_formula(
    rig_for, monkeypatch
):
    monkeypatch.setattr(usecases, "PAGE", 2)
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await client.post("/v1/fields", json={"key": "spent", "kind": "decimal"})
    people = [
        {
            "full_name": f"Kari {n} 🦊",
            "email": f"kari{n}@example.com",
            "phone": f"4123456{n}",
            "note": '=HYPERLINK("http://x")',
            "custom": {"spent": "12,50"},
            "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"},
        }
        for n in range(5)
    ]
    ids = await make_people(rig, *people)
    fields = ["id", "full_name", "phone", "note", "custom.spent", "postal_code"]

    started = await order(rig, fields=fields, kind="xlsx")
    done = await finished(rig, started["id"])
    await rig.drain()
    answer = await fetch(rig, await link_of(rig, started["id"]))

    assert ("done", 5, len(answer.content)) == (done["state"], done["rows"], done["file_bytes"])
    phones = [f"+474123456{n}" for n in range(5)]
    assert [
        [
            fields,
            *(
                [one, f"Kari {n} 🦊", phones[n], '=HYPERLINK("http://x")', 12.5, "0155"]
                for n, one in enumerate(ids)
            ),
        ]
    ] == book_of(answer)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        styles = parts.read("xl/styles.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet.lower().replace("=hyperlink(", "")
    assert 'quotePrefix="1"' in styles
    assert "spreadsheetml" in answer.headers["content-type"]
    assert ".xlsx" in answer.headers["content-disposition"]
    assert [f"{started['id']}.xlsx"] == [one.name for one in (rig.data_dir / "exports").iterdir()]


async def test_a_workbook_whose_making_was_interrupted_is_made_again(rig_for):
    rig = await rig_for(SPEC)
    (kari,) = await make_people(rig, {"full_name": "Kari", "email": "kari@example.com"})
    started = await order(rig, fields=["id"], kind="xlsx")
    path = rig.data_dir / "exports" / f"{started['id']}.making"
    path.mkdir(parents=True, exist_ok=True)
    (path / "sheet").write_bytes(b"half a workbook")

    await finished(rig, started["id"])

    answer = await fetch(rig, await link_of(rig, started["id"]))
    assert [[["id"], [kari]]] == book_of(answer)
    assert not path.exists()


async def test_a_workbook_without_its_rows_says_what_to_do(rig_for):
    rig = await rig_for(SPEC, start=False)
    await make_people(rig, {"full_name": "Kari", "email": "kari@example.com"})
    started = await order(rig, kind="xlsx")
    while await rig.service.timers.step():
        pass
    (rig.data_dir / "exports" / f"{started['id']}.rows").unlink()

    async with write(rig.service.scope, actor="exports") as tx:
        had_work = await usecases.make_workbook(tx)

    async with rig.client() as client:
        told = (await client.get(f"/v1/exports/{started['id']}")).json()
    assert (True, "failed") == (had_work, told["state"])
    assert "order the export again" in told["problem"]


async def test_a_workbook_that_is_deleted_while_it_waits_leaves_nothing(rig_for):
    rig = await rig_for(SPEC, start=False)
    await make_people(rig, {"full_name": "Kari", "email": "kari@example.com"})
    started = await order(rig, kind="xlsx")
    while await rig.service.timers.step():
        pass
    async with rig.client() as client:
        assert 204 == (await client.delete(f"/v1/exports/{started['id']}")).status_code
    async with write(rig.service.scope, actor="exports") as tx:
        had_work = await usecases.make_workbook(tx)
    while await rig.service.timers.step():
        pass

    assert not had_work
    assert [] == list((rig.data_dir / "exports").iterdir())


def test_a_full_sheet_is_followed_by_another_with_the_same_head(tmp_path):
    source, target = tmp_path / "a.rows", tmp_path / "a.xlsx"
    rows = [[f"p{n}", str(n)] for n in range(5)]
    source.write_bytes(workbook.head(["name", "age"], [1]) + workbook.lines(rows))

    size = workbook.write(source, target, rows_a_sheet=2)

    book = CalamineWorkbook.from_path(str(target))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [
        [["name", "age"], ["p0", 0.0], ["p1", 1.0]],
        [["name", "age"], ["p2", 2.0], ["p3", 3.0]],
        [["name", "age"], ["p4", 4.0]],
    ] == sheets
    assert target.stat().st_size == size


@pytest.mark.parametrize("cell", ["1234567890123456", "NaN", "inf", "1 234", "many"])
def test_what_a_spreadsheet_would_change_stays_a_text(tmp_path, cell):
    source, target = tmp_path / "a.rows", tmp_path / "a.xlsx"
    source.write_bytes(workbook.head(["n"], [0]) + workbook.lines([[cell], ["-0.5"]]))

    workbook.write(source, target)

    (sheet,) = CalamineWorkbook.from_path(str(target)).sheet_names
    rows = CalamineWorkbook.from_path(str(target)).get_sheet_by_name(sheet).to_python()
    assert [["n"], [cell], [-0.5]] == rows


def test_a_workbook_that_is_stopped_leaves_nothing_behind(tmp_path):
    source, target = tmp_path / "a.rows", tmp_path / "a.xlsx"
    source.write_bytes(workbook.head(["name"], []) + workbook.lines([["p"]] * 10))
    asked = iter([False] * 5 + [True])

    with pytest.raises(workbook.Stopped):
        workbook.write(source, target, is_stopped=lambda: next(asked))

    assert [source] == list(tmp_path.iterdir())


def test_the_memory_of_a_workbook_does_not_grow_with_its_rows(tmp_path):
    peaks = []
    for rows in (2_000, 12_000):
        source, target = tmp_path / f"{rows}.rows", tmp_path / f"{rows}.xlsx"
        cells = (["x" * 100, "y" * 100] for _ in range(rows))
        source.write_bytes(workbook.head(["a", "b"], []) + b"".join(map(as_line, cells)))
        tracemalloc.start()
        workbook.write(source, target)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    small, large = peaks
    assert large < small * 1.5


def as_line(row):
    return workbook.lines([row])


async def test_a_workbook_that_was_exported_can_be_imported_again(rig_for):
    rig = await rig_for(SPEC)
    kari = {"full_name": "Kari Ødegård", "email": "kari@example.com", "phone": "41234567"}
    await make_people(rig, {**kari, "source": "shop"})
    started = await order(rig, kind="xlsx")
    await finished(rig, started["id"])
    answer = await fetch(rig, await link_of(rig, started["id"]))

    async with rig.client() as client:
        again = await client.post(
            "/v1/imports", content=answer.content, headers={"Content-Type": XLSX}
        )
        assert 202 == again.status_code, again.text
        await rig.drain()
        done = (await client.get(f"/v1/imports/{again.json()['id']}")).json()

    assert (0, 0, 1) == (done["created"], done["rejected"], done["unchanged"])
