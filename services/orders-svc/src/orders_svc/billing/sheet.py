"""The invoice as a PDF: data in, bytes out, no network and no database.

What customers and products are called reaches the typesetter as data only; nothing of it is read as markup.
"""

import json
from pathlib import Path
from typing import Any

import typst

from kantis_kit.money import in_words
from orders_svc.billing.queries import Sheet
from orders_svc.billing.texts import TEXTS
from orders_svc.calendar import date_in
from orders_svc.money import date_in_words
from orders_svc.settings import OrdersSettings

TEMPLATE = Path(__file__).parent / "invoice.typ"


def invoice_words(sheet: Sheet, settings: OrdersSettings) -> dict[str, Any]:
    """Return every word of the invoice, in the customer's language."""
    invoice = sheet.invoice
    language = invoice.language
    texts = TEXTS[language]

    def money(amount_minor: int) -> str:
        return in_words(amount_minor, invoice.currency, language)

    issued_on = date_in_words(date_in(invoice.issued_at, settings.company_country), language)
    due_on = date_in_words(invoice.due_on, language)
    sums = [[texts["net"], money(invoice.net_minor)]]
    sums += [[f"{texts['vat']} {share.vat_pct} %", money(share.vat_minor)] for share in sheet.vat]
    return {
        "lang": language,
        "texts": texts,
        "number": invoice.number,
        "company": {
            "name": settings.company_name,
            "lines": [
                settings.company_street,
                f"{settings.company_postal_code} {settings.company_city}",
                f"{texts['company_number']} {settings.company_number}",
            ],
        },
        "recipient": invoice.recipient.split("\n"),
        "facts": [
            [texts["number"], invoice.number],
            [texts["order"], sheet.order.number],
            [texts["date"], issued_on],
            [texts["due"], due_on],
        ],
        "lines": [
            [
                f"{line.name} ({line.sku})",
                str(line.quantity),
                money(line.unit_price_minor),
                money(line.amount_minor),
            ]
            for line in sheet.lines
        ],
        "sums": sums,
        "total": money(invoice.total_minor),
        "reference": invoice.reference,
        "account": settings.bank_account,
        "due": due_on,
    }


def render(words: dict[str, Any]) -> bytes:
    """Typeset an invoice; takes some tens of milliseconds, so call it in a thread."""
    return bytes(
        typst.compile(
            str(TEMPLATE),
            root=str(TEMPLATE.parent),
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"data": json.dumps(words, ensure_ascii=False)},
        )
    )
