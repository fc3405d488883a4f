"""Workbooks are read as spreadsheets write them, and those that are made to harm are refused with a sentence."""

import io
import zipfile

import pytest

from contacts_svc.imports import xlsx
from contacts_svc.imports.reading import open_sheet
from contacts_svc.imports.xlsx import Unreadable
from contacts_svc.main import SPEC
from kantis_kit.csv_rows import read_records

KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId7" Type="t" Target="worksheets/sheet1.xml"/></Relationships>'
)
BOOK = (
    f'<workbook {MAIN} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<workbookPr{0}/><sheets><sheet name="Old" state="hidden" r:id="rId9"/>'
    '<sheet name="People" r:id="rId7"/></sheets></workbook>'
)
STYLES = (
    f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="[$-414]dd/mm/yyyy"/>'
    '<numFmt numFmtId="165" formatCode="0.00&quot; days&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
)


def workbook(rows, *, texts=(), book="", styles=STYLES, more=None, names=None):
    data = io.BytesIO()
    parts = {
        "xl/workbook.xml": BOOK.format(book),
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/styles.xml": styles,
        "xl/sharedStrings.xml": f"<sst {MAIN}>{''.join(f'<si>{one}</si>' for one in texts)}</sst>",
        "xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>",
        **(more or {}),
    }
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            if names is None or name in names:
                archive.writestr(name, text)
    return data.getvalue()


def text_row(number, *cells):
    inner = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f'<row r="{number}">{inner}</row>'


def table(path, data):
    path.write_bytes(data)
    sheet = open_sheet(path)
    rows = read_records(
        path, sheet.encoding, sheet.delimiter, offset=sheet.data_offset, number=sheet.header_row
    )
    return sheet.header, {record.number: record.cells for record in rows if record.cells}


def test_cells_are_read_as_a_spreadsheet_shows_them(tmp_path):
    rows = (
        '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c>'
        '<c r="C2" t="inlineStr"><is><t>Født</t></is></c><c r="D2" t="str"><f>1+1</f><v>Sum</v></c></row>'
        '<row r="5"><c r="A5" t="s"><v>2</v></c><c r="B5"><v>4.741234567E9</v></c>'
        '<c r="C5" s="2"><v>46387</v></c><c r="D5" s="3"><v>1.234</v></c></row>'
        '<row r="6"><c r="A6" t="b"><v>1</v></c><c r="C6" s="1"><v>46387.5</v></c></row>'
        '<row r="7"><c r="B7" t="e"><v>#N/A</v></c></row>'
    )
    texts = (
        "<t>Navn</t>",
        "<r><t>Tele</t></r><r><t>fon</t></r><rPh><t>x</t></rPh>",
        '<t xml:space="preserve">Åse "Å", 👩‍🌾</t>',
    )

    header, found = table(tmp_path / "a.csv", workbook(rows, texts=texts))

    assert ["Navn", "Telefon", "Født", "Sum"] == header
    assert {
        5: ['Åse "Å", 👩‍🌾', "4741234567", "2026-12-31", "1.2340"],
        6: ["true", "", "2026-12-31 12:00", ""],
        7: ["", "#N/A", "", ""],
    } == found
    assert [tmp_path / "a.csv"] == list(tmp_path.iterdir())


def test_days_of_an_old_macintosh_are_counted_from_1904(tmp_path):
    rows = text_row(1, "Born") + '<row r="2"><c s="1"><v>44925</v></c></row>'

    _, found = table(tmp_path / "a.csv", workbook(rows, book=' date1904="1"'))

    assert {2: ["2026-12-31"]} == found


async def test_a_workbook_goes_the_way_of_a_table(rig_for, door):
    rig = await rig_for(SPEC)
    rows = (
        text_row(1, "Navn", "E-post", "Mobil")
        + text_row(2, "Kari Nes", "kari@example.com")
        + '<row r="3"><c r="A3" t="inlineStr"><is><t>Nils</t></is></c><c r="C3"><v>41234567</v></c></row>'
        + text_row(5, "Uten alt")
    )

    done = await door.take(rig, workbook(rows), kind=KIND)
    given_back = await door.rejects(rig, done)

    assert ("xlsx", 2, 1, 100) == (done["kind"], done["created"], done["rejected"], done["percent"])
    assert {"kari@example.com", None} == (await door.contacts(rig)).keys()
    assert "5,there is neither an e-mail address nor a phone number,Uten alt,," in given_back


BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "save it as .xlsx"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (workbook(text_row(1, "a"))[:-200], "damaged"),
        (workbook("", names={"xl/styles.xml"}), "not a workbook"),
        (workbook(text_row(1, "x" * 30_000_000)), "would grow"),
        (
            workbook("", more={f"xl/media/{n}": "" for n in range(xlsx.MAX_ENTRIES)}),
            "the archive holds",
        ),
        (
            workbook("", more={"xl/worksheets/sheet1.xml": f"{BOMB}<worksheet>&b;</worksheet>"}),
            "document type",
        ),
        (workbook("", more={"xl/sharedStrings.xml": f"{BOMB}<sst>&b;</sst>"}), "document type"),
        (workbook('<row r="1"><c t="s"><v>7</v></c></row>'), "refers to text"),
        (workbook('<row r="1"><c t="s"><v>-1</v></c></row>'), "refers to text"),
        (workbook('<row r="2"/><row r="1"/>'), "row 1 follows row 2"),
        (workbook('<row r="9999999"/>'), "follows row 0"),
        (workbook('<row r="1"><c r="XFD1"><v>1</v></c></row>'), "at most 200"),
        (workbook("<row>"), "damaged"),
        (workbook(""), "empty"),
    ],
)
async def test_what_is_no_honest_workbook_is_refused_and_not_kept(rig_for, door, data, said):
    rig = await rig_for(SPEC, start=False)

    refused = await door.send(rig, data, kind=KIND, status=422)

    assert said in refused["detail"]
    assert [] == list((rig.data_dir / "imports").glob("*"))


def test_one_text_that_is_used_without_end_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "MAX_OUT_BYTES", 1_000_000)
    cell = '<c t="s"><v>0</v></c>'
    rows = "".join(f"<row>{cell}</row>" for _ in range(200))
    path = tmp_path / "a.csv"
    path.write_bytes(workbook(rows, texts=[f"<t>{'x' * 30_000}</t>"]))

    with pytest.raises(Unreadable, match="more text than"):
        open_sheet(path)

    assert [path] == list(tmp_path.iterdir())


def test_a_part_that_is_larger_than_the_archive_says_is_refused(tmp_path):
    data = bytearray(workbook(text_row(1, "a" * 5_000)))
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/worksheets/sheet1.xml"))
    data[place + 24 : place + 28] = (10).to_bytes(4, "little")
    path = tmp_path / "a.csv"
    path.write_bytes(data)

    with pytest.raises(Unreadable, match=r"damaged|larger"):
        open_sheet(path)
