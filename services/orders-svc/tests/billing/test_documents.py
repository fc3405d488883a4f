"""Paper: what stands on it, in whose language, and what machines read from it."""

import io
from datetime import date

import pytest
from pypdf import PdfReader

from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.testing.printed import Printed
from orders_svc.billing.documents.giro import giro_line, virtual_barcode
from orders_svc.billing.documents.sheet import words_of
from orders_svc.billing.documents.texts import TEXTS
from orders_svc.billing.documents.typeset import typeset

ACCOUNTS = {
    "kid_mod10": ("NOK", "1503 40 12345", "1000000016"),
    "ocr_length": ("SEK", "5050-1055", "1234574"),
    "fik71": ("DKK", "12345678", "000000000123455"),
    "viitenumero": ("EUR", "FI21 1234 5600 0007 85", "1234561"),
    "rf": ("EUR", "FI21 1234 5600 0007 85", "RF341234561"),
}
HOMES = {
    "nb": "kid_mod10",
    "sv": "ocr_length",
    "da": "fik71",
    "fi": "viitenumero",
    "en": "rf",
}


def pages(pdf):
    """Return the text of each page, with one space between words."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


@pytest.fixture
def bill(sheet_of):
    """Make an invoice that is paid to an account of a country."""

    def make(language, layout, name="Ullteppe"):
        sheet = sheet_of(language, name)
        invoice = sheet.invoice
        invoice.currency, account, invoice.reference = ACCOUNTS[layout]
        invoice.reference_kind = layout
        invoice.seller = {**invoice.seller, "account": account}
        return sheet

    return make


@pytest.mark.parametrize("language", list(Language))
def test_an_invoice_says_all_that_is_needed_to_pay_it_in_the_buyers_language(bill, language):
    layout = HOMES[language.value]
    sheet = bill(language.value, layout)

    (text,) = pages(typeset([words_of(sheet)]))

    words = TEXTS[language.value]
    printed_reference = {"viitenumero": "12 34561", "rf": "RF34 1234 561"}
    for wanted in (
        words["title"],
        sheet.invoice.number,
        "974760673 MVA",
        "Storgata 9",
        "Ullteppe (BLANKET)",
        words["due"],
        words[layout.partition("_")[0].rstrip("0123456789")],
        printed_reference.get(layout, sheet.invoice.reference),
        ACCOUNTS[layout][1],
        words["page"] + " 1",
    ):
        assert wanted in text
    assert text.isprintable()


def test_a_credit_note_names_its_invoice_and_asks_for_nothing(bill):
    sheet = bill("nb", "kid_mod10")
    credited = sheet.invoice.model_copy()
    note = sheet.invoice
    note.kind, note.credits_id, note.number = "credit_note", new_id(), "K2026-000001"
    note.reference, note.credit_reason = None, "Varen kom i retur"

    (text,) = pages(
        typeset([words_of(type(sheet)(note, sheet.order, sheet.lines, sheet.vat, credited))])
    )

    for wanted in (
        "Kreditnota",
        "K2026-000001",
        "Gjelder faktura 2026-000001",
        "Varen kom i retur",
        "Til gode",
    ):
        assert wanted in text
    for unwanted in ("KID", "Til konto", "Forfallsdato", "1000000016"):
        assert unwanted not in text


def test_an_invoice_of_many_lines_goes_over_pages_and_is_paid_on_the_last(bill):
    sheet = bill("nb", "kid_mod10")
    line = sheet.lines[0]
    sheet.lines[:] = [
        line.model_copy(update={"line_no": n, "name": f"Vare {n:03}"}) for n in range(1, 101)
    ]

    texts = pages(typeset([words_of(sheet)]))

    assert len(texts) > 2
    assert all("Vare Antall Pris Beløp" in text for text in texts), "each page has the headings"
    assert [f"Side {n}" for n in range(1, len(texts) + 1)] == [
        text[text.rindex("Side") :] for text in texts
    ]
    whole = " ".join(texts)
    assert all(f"Vare {n:03} " in whole for n in range(1, 101))
    assert [False] * (len(texts) - 1) + [True] == ["1000000016" in text for text in texts]


def test_documents_of_a_file_begin_on_pages_of_their_own_with_their_own_numbers(bill):
    sheets = [bill("nb", "kid_mod10", name) for name in ("Lampe", "Stol")]

    texts = pages(typeset([words_of(sheet) for sheet in sheets]))

    assert [("Lampe" in text, "Stol" in text) for text in texts] == [(True, False), (False, True)]
    assert all(text.endswith("Side 1") for text in texts)


@pytest.mark.parametrize("language", list(Language))
def test_nothing_that_people_write_is_read_as_markup(bill, language):
    written = '#panic("read as markup") $x$ *b* @ref <tag> \\'

    (text,) = pages(typeset([words_of(bill(language.value, "kid_mod10", written))]))

    assert '#panic("read as markup") $x$ *b* @ref <tag>' in text.replace("“", '"').replace("”", '"')


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        ("kid_mod10", "H   1000000016   125 00 < 5 >   15034012345 <"),
        ("ocr_length", "# 1234574 #   125 00 5 >   50501055#41#"),
        ("fik71", "+71<000000000123455+12345678<"),
        ("viitenumero", ""),
    ],
)
def test_the_line_that_a_bank_reads_is_that_of_the_country(bill, layout, line):
    sheet = bill("en", layout)

    assert line == giro_line(sheet.invoice, sheet.invoice.seller["account"])


@pytest.mark.parametrize(
    ("layout", "code"),
    [
        # Version, account, euros and cents, reserve and reference, due day.
        ("viitenumero", "421123456000007850001250000000000000000001234561260316"),
        ("rf", "521123456000007850001250034000000000000001234561260316"),
    ],
)
def test_the_finnish_bar_code_is_read_back_from_the_paper(bill, tmp_path, layout, code):
    sheet = bill("fi", layout)

    pdf = typeset([words_of(sheet)])

    assert 54 == len(code)
    assert {code} == Printed(tmp_path, pdf).codes(1, 15, 240, 150, 45, ppi=300)
    assert code in pages(pdf)[0]


def test_the_bar_code_holds_the_vector_of_the_banks_and_no_sum_beyond_its_digits(bill):
    """Source: Finance Finland, Pankkiviivakoodi-opas, the example of version 4; 2026-11."""
    sheet = bill("fi", "viitenumero")
    invoice = sheet.invoice
    invoice.reference, invoice.due_on = "868516259619897", date(2010, 6, 12)
    invoice.total_minor = 488_315

    assert "479440520200360820048831500000000868516259619897100612" == virtual_barcode(
        invoice, "FI79 4405 2020 0360 82"
    )
    invoice.total_minor = 100_000_000
    assert "00000000" == virtual_barcode(invoice, "FI79 4405 2020 0360 82")[17:25]
    invoice.currency = "SEK"
    assert "" == virtual_barcode(invoice, "FI79 4405 2020 0360 82")


async def test_invoices_are_printed_in_one_file_and_unknown_ones_are_named(desk):
    await desk.ready("ABCDE2", full_name="Åse Øvergård")
    answer = await desk.order(code="ABCDE2")
    invoice = await desk.ship(answer["order_id"])
    path = f"/v1/invoices/{invoice['invoice_id']}"
    note = await desk.client.post(
        f"{path}/credit-notes", json={"lines": [{"line_no": 1, "quantity": 1}], "reason": "Retur"}
    )
    both = [invoice["invoice_id"], note.json()["invoice_id"]]

    printed = await desk.client.post("/v1/invoices/print-file", json={"invoice_ids": both})
    unknown = await desk.client.post(
        "/v1/invoices/print-file", json={"invoice_ids": [answer["order_id"]]}
    )
    ubl = await desk.client.get(f"{path}/ubl", params={"endpoint": "0192:987654325"})
    wrong = await desk.client.get(f"{path}/ubl", params={"endpoint": "kari@example.com"})

    first, second = pages(printed.content)
    assert "Åse Øvergård" in first
    assert "Kreditnota" not in first
    assert f"Gjelder faktura {invoice['number']}" in second
    assert 404 == unknown.status_code
    assert answer["order_id"] in unknown.json()["detail"]
    assert "application/xml" == ubl.headers["content-type"]
    assert invoice["number"] in ubl.text
    assert 422 == wrong.status_code
