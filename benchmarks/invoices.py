"""Invoices with their PDF: documents per second and core, beside the typesetter on one empty page in the same run.

Each invoice has a number, a buyer, lines and a reference of its own. In turns, by processor time: one file per invoice,
a file of 25 for a printer, and an empty page of the same fonts and the same standard. At least 150 invoices a second and
core in files for a printer.

    python benchmarks/invoices.py [INVOICES]
"""

import statistics
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from time import process_time

import typst

from kantis_kit.ids import new_id
from orders_svc.billing.documents.sheet import words_of
from orders_svc.billing.documents.typeset import STANDARD, typeset
from orders_svc.billing.model import Invoice, InvoiceLine
from orders_svc.billing.parties import Buyer, agreement_of, seller_of
from orders_svc.billing.queries import Sheet
from orders_svc.billing.references import make_reference
from orders_svc.billing.usecases import vat_rows
from orders_svc.money import split_by_rate
from orders_svc.orders.model import SalesOrder
from orders_svc.settings import OrdersSettings

INVOICES, CHUNK, ROUNDS = 600, 25, 6
LEAST = 150
PAGE = (
    b"#set document(date: datetime(year: 2026, month: 3, day: 2, hour: 0, minute: 0, second: 0))\n"
    b"#sys.inputs.n"
)
AT = datetime(2026, 3, 2, tzinfo=UTC)
RATES = (Decimal(25), Decimal(15))
SETTINGS = OrdersSettings()
AGREEMENT = agreement_of(SETTINGS, "NOK")


def make_sheet(n: int) -> Sheet:
    """Return an invoice of three lines at two rates."""
    order_id, person_id, invoice_id = new_id(), new_id(), new_id()
    buyer = Buyer(
        name=f"Kari Nordmann {n}",
        street=f"Storgata {n}",
        postal_code="0155",
        city="Oslo",
        country="NO",
    )
    lines = [
        InvoiceLine(
            invoice_id=invoice_id,
            line_no=line_no,
            sku=f"SKU-{n % 97}-{line_no}",
            name=f"Ullteppe nr. {n % 97}",
            quantity=line_no,
            unit_price_minor=9_900 + n,
            vat_pct=RATES[line_no % 2],
            amount_minor=line_no * (9_900 + n),
        )
        for line_no in (1, 2, 3)
    ]
    split = split_by_rate((line.amount_minor, line.vat_pct) for line in lines)
    net_minor, vat_minor = (
        sum(one.net_minor for one in split),
        sum(one.vat_minor for one in split),
    )
    invoice = Invoice(
        invoice_id=invoice_id,
        order_id=order_id,
        person_id=person_id,
        company=SETTINGS.company_number,
        year=2026,
        series_number=n,
        number=f"2026-{n:06}",
        reference=make_reference(AGREEMENT, str(100_000_000 + n)),
        reference_kind=AGREEMENT.layout,
        language="nb",
        recipient="\n".join(buyer.lines),
        seller=seller_of(SETTINGS, AGREEMENT).model_dump(),
        buyer=buyer.model_dump(),
        net_minor=net_minor,
        vat_minor=vat_minor,
        total_minor=net_minor + vat_minor,
        currency="NOK",
        issued_at=AT,
        due_on=date(2026, 3, 16),
    )
    order = SalesOrder(
        order_id=order_id,
        number=str(100_000 + n),
        person_id=person_id,
        total_minor=invoice.total_minor,
        currency="NOK",
        placed_at=AT,
    )
    return Sheet(invoice, order, lines, vat_rows(invoice, split))


def one_by_one(sheets: list[Sheet]) -> None:
    """Make a file of each."""
    for sheet in sheets:
        typeset([words_of(sheet)])


def for_a_printer(sheets: list[Sheet]) -> None:
    """Make files of many."""
    for at in range(0, len(sheets), CHUNK):
        typeset([words_of(sheet) for sheet in sheets[at : at + CHUNK]])


def empty_pages() -> Callable[[list[Sheet]], None]:
    """Return what makes a file with a single word for each: what no layout can save."""
    press = typst.Compiler(
        font_paths=typst.Fonts(include_system_fonts=False), ignore_system_fonts=True
    )

    def make(sheets: list[Sheet]) -> None:
        for sheet in sheets:
            press.compile(
                PAGE,
                format="pdf",
                sys_inputs={"n": sheet.invoice.number},
                pdf_standards=STANDARD,
                pdf_tags=False,
            )

    return make


def main() -> int:
    """Print documents per second and core; return 1 below the limit."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else INVOICES
    ways = {
        "a file each": one_by_one,
        f"files of {CHUNK}": for_a_printer,
        "empty pages": empty_pages(),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    share = max(count // ROUNDS, CHUNK)
    for turn in range(ROUNDS):
        for name, way in ways.items():
            sheets = [make_sheet(turn * share + n) for n in range(share)]
            begun = process_time()
            way(sheets)
            rates[name].append(share / (process_time() - begun))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    for name, rate in middle.items():
        print(
            f"{name:14} {rate:7.0f} a second and core, {rate / middle['empty pages']:.0%} of empty pages"
        )
    made = middle[f"files of {CHUNK}"]
    print(f"limit: {LEAST} in files of {CHUNK}: {'kept' if made >= LEAST else 'missed'}")
    return int(made < LEAST)


if __name__ == "__main__":
    sys.exit(main())
