"""Every word of an invoice or credit note, in the buyer's language, as the layout wants it."""

from typing import Any

from kantis_kit.barcodes import bars
from kantis_kit.calendar import date_in
from kantis_kit.money import in_words
from orders_svc.billing.documents.giro import giro_line, virtual_barcode
from orders_svc.billing.documents.texts import TEXTS
from orders_svc.billing.model import Invoice
from orders_svc.billing.parties import Seller
from orders_svc.billing.queries import Sheet
from orders_svc.billing.references import printed
from orders_svc.billing.schemas import InvoiceKind
from orders_svc.money import date_in_words, rate_in_words


def words_of(sheet: Sheet) -> dict[str, Any]:
    """Return what is printed; nothing of it is read as markup."""
    invoice, language = sheet.invoice, sheet.invoice.language
    texts, seller = TEXTS[language], Seller(**invoice.seller)
    is_credit = invoice.kind == InvoiceKind.CREDIT_NOTE

    def money(amount_minor: int) -> str:
        return in_words(amount_minor, invoice.currency, language)

    issued_on = date_in(invoice.issued_at, seller.country)
    return {
        "lang": language,
        "title": title_of(sheet),
        "heading": texts["credit_title" if is_credit else "title"],
        "day": [issued_on.year, issued_on.month, issued_on.day],
        "page": texts["page"],
        "company": {
            "name": seller.name,
            "lines": [
                line
                for line in (
                    seller.street,
                    f"{seller.postal_code} {seller.city}",
                    f"{texts['company_number']} {seller.number}",
                    f"{texts['vat_number']} {seller.vat_id}",
                    seller.note,
                    seller.mail,
                )
                if line
            ],
        },
        "recipient": invoice.recipient.split("\n"),
        "facts": facts_of(sheet),
        "columns": [texts[name] for name in ("item", "quantity", "price", "amount")],
        "lines": [
            [
                f"{line.name} ({line.sku})" if line.sku else line.name,
                str(line.quantity),
                money(line.unit_price_minor),
                money(line.amount_minor),
            ]
            for line in sheet.lines
        ],
        "sums": [
            [texts["net"], money(invoice.net_minor)],
            *(
                [
                    f"{texts['vat']} {rate_in_words(share.vat_pct, language)}, {texts['base']}: {money(share.net_minor)}",
                    money(share.vat_minor),
                ]
                for share in sheet.vat
            ),
        ],
        "total": [texts["to_credit" if is_credit else "total"], money(invoice.total_minor)],
        "giro": None if is_credit else _giro(invoice, seller, money(invoice.total_minor)),
    }


def title_of(sheet: Sheet) -> str:
    """Return what a document is called in its buyer's language."""
    kind = "title" if sheet.credits is None else "credit_title"
    return f"{TEXTS[sheet.invoice.language][kind]} {sheet.invoice.number}"


def facts_of(sheet: Sheet) -> list[list[str]]:
    """Return which document it is, of when, and until when it is paid: pairs of a name and a value."""
    invoice, texts = sheet.invoice, TEXTS[sheet.invoice.language]
    country = Seller(**invoice.seller).country
    issued_on = date_in_words(date_in(invoice.issued_at, country), invoice.language)
    if sheet.credits is not None:
        return [
            [texts["credit_number"], invoice.number],
            [texts["credits"], sheet.credits.number],
            [texts["order"], sheet.order.number],
            [texts["credit_date"], issued_on],
            [texts["reason"], invoice.credit_reason],
        ]
    return [
        [texts["number"], invoice.number],
        [texts["order"], sheet.order.number],
        [texts["date"], issued_on],
        [texts["due"], date_in_words(invoice.due_on, invoice.language)],
    ]


def _giro(invoice: Invoice, seller: Seller, total: str) -> dict[str, Any]:
    """Return the slip at the foot of an invoice, with what the country's banks read from it."""
    texts = TEXTS[invoice.language]
    name = invoice.reference_kind.partition("_")[0].rstrip("0123456789")
    code = virtual_barcode(invoice, seller.account)
    return {
        "heading": texts["giro"],
        "fields": [
            [texts["paid_to"], seller.name],
            [texts[f"account_{name}"], f"{seller.account} {seller.bic}".strip()],
            [texts[name], printed(invoice.reference or "", invoice.reference_kind)],
            [texts["due"], date_in_words(invoice.due_on, invoice.language)],
            [texts["payer"], invoice.recipient.partition("\n")[0]],
            [texts["total"], total],
        ],
        "line": giro_line(invoice, seller.account),
        "code": [texts["barcode"], code] if code else None,
        "bars": bars(code) if code else None,
    }
