"""Take back what an invoice asked for: by its lines, or an amount per rate as goodwill.

An invoice is never changed. What is credited reduces what is owed; what was paid already becomes the customer's credit.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.calendar import date_in
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing import events
from orders_svc.billing.creditable import Creditable, find_creditable
from orders_svc.billing.errors import CreditNoteCredited, InvoiceNotFound, TooMuchCredited
from orders_svc.billing.ledger import book, credit_booking
from orders_svc.billing.model import Invoice, InvoiceLine
from orders_svc.billing.queries import invoice_lines
from orders_svc.billing.schemas import InvoiceKind
from orders_svc.billing.usecases import (
    by_mail,
    close_orders,
    document_url,
    draw_numbers,
    store,
    vat_rows,
)
from orders_svc.money import VatShare, split_vat
from orders_svc.orders.events import notice, notices_requested
from orders_svc.orders.queries import get_order
from orders_svc.settings import OrdersSettings


async def credit_lines(
    tx: Tx, invoice_id: UUID, quantities: Mapping[int, int], *, reason: str
) -> Invoice:
    """Credit pieces of an invoice's lines, by line number, and tell the customer.

    Raises:
        InvoiceNotFound: no invoice has this id.
        CreditNoteCredited: it is a credit note.
        TooMuchCredited: more than what is left to credit.
        Invalid: a line that the invoice has not, or nothing of it.
    """
    invoice = await _lock_invoice(tx, invoice_id)
    lines = {line.line_no: line for line in (await invoice_lines(tx, [invoice_id]))[invoice_id]}
    _check_lines(quantities, lines)
    left = await find_creditable(tx, invoice)
    over = [line_no for line_no, wanted in quantities.items() if wanted > left.pieces[line_no]]
    if over:
        said = ", ".join(f"line {one}: {left.pieces[one]} left" for one in sorted(over))
        raise TooMuchCredited(f"lines: invoice {invoice.number} has {said}", left=left.told())
    credited = [
        InvoiceLine(
            invoice_id=invoice_id,
            line_no=line_no,
            credits_line=line_no,
            sku=lines[line_no].sku,
            name=lines[line_no].name,
            quantity=pieces,
            unit_price_minor=lines[line_no].unit_price_minor,
            vat_pct=lines[line_no].vat_pct,
            amount_minor=pieces * lines[line_no].unit_price_minor,
        )
        for line_no, pieces in sorted(quantities.items())
    ]
    return await _issue(tx, invoice, credited, left, reason)


async def credit_amounts(
    tx: Tx, invoice_id: UUID, amounts: Mapping[Decimal, int], *, reason: str
) -> Invoice:
    """Credit an amount per rate, VAT included, for which nothing comes back. Raises as `credit_lines` does."""
    invoice = await _lock_invoice(tx, invoice_id)
    if not amounts or min(amounts.values()) <= 0:
        raise Invalid("amounts: credit at least one amount above nothing")
    left = await find_creditable(tx, invoice)
    credited = [
        InvoiceLine(
            invoice_id=invoice_id,
            line_no=line_no,
            sku="",
            name=reason,
            quantity=1,
            unit_price_minor=amount_minor,
            vat_pct=vat_pct,
            amount_minor=amount_minor,
        )
        for line_no, (vat_pct, amount_minor) in enumerate(sorted(amounts.items()), 1)
    ]
    return await _issue(tx, invoice, credited, left, reason)


async def _issue(
    tx: Tx, invoice: Invoice, lines: Sequence[InvoiceLine], left: Creditable, reason: str
) -> Invoice:
    """Issue a credit note of lines that are still the invoice's."""
    split = _split(invoice, lines, left)
    settings = tx.settings(OrdersSettings)
    now = tx.clock.now()
    today = date_in(now, settings.company_country)
    net_minor = sum(share.net_minor for share in split)
    vat_minor = sum(share.vat_minor for share in split)
    ((series_number, number),) = await draw_numbers(
        tx, InvoiceKind.CREDIT_NOTE, invoice.company, today.year, 1
    )
    note = Invoice(
        **invoice.model_dump(
            include={
                "order_id",
                "person_id",
                "merged_id",
                "campaign_id",
                "cell_id",
                "company",
                "reference_kind",
                "language",
                "recipient",
                "seller",
                "buyer",
                "currency",
            }
        ),
        invoice_id=new_id(),
        kind=InvoiceKind.CREDIT_NOTE.value,
        credits_id=invoice.invoice_id,
        credit_reason=reason,
        year=today.year,
        series_number=series_number,
        number=number,
        net_minor=net_minor,
        vat_minor=vat_minor,
        total_minor=net_minor + vat_minor,
        issued_at=now,
        due_on=today,
    )
    for line in lines:
        line.invoice_id = note.invoice_id
    await store(tx, [note], lines, vat_rows(note, split))
    settled_minor = invoice.credit(note.total_minor)
    await tx.flush()  # whether the order is paid is asked of the database
    await book(tx, [credit_booking(note, split, invoice, settled_minor)])
    tx.stage(events.invoice_credited(note, invoice, settled_minor))
    order = await get_order(tx, invoice.order_id)
    facts = {
        "order_number": order.number,
        **events.credit_facts(note, invoice, document_url(tx, note)),
    }
    tx.stage(
        notices_requested(
            notice("credit_note_issued", one.person_id, facts) for one in await by_mail(tx, [note])
        )
    )
    if settled_minor and not invoice.open_minor:
        await close_orders(tx, [invoice.order_id])
    return note


def _split(invoice: Invoice, lines: Sequence[InvoiceLine], left: Creditable) -> list[VatShare]:
    """Return what lines credit at each rate. Raises `TooMuchCredited`."""
    wanted: dict[Decimal, int] = {}
    for line in lines:
        wanted[line.vat_pct] = wanted.get(line.vat_pct, 0) + line.amount_minor
    over = [rate for rate, amount_minor in wanted.items() if amount_minor > left.gross_minor(rate)]
    if over:
        said = ", ".join(f"{left.gross_minor(one)} at {one} %" for one in sorted(over))
        raise TooMuchCredited(
            f"amount_minor: of invoice {invoice.number} there is left to credit {said}",
            left=left.told(),
        )
    return [_part(left.rates[rate], amount_minor) for rate, amount_minor in sorted(wanted.items())]


def _part(left: VatShare, gross_minor: int) -> VatShare:
    """Split an amount so that the last one takes exactly the VAT that is left: the parts add up to the whole."""
    rest_minor = left.net_minor + left.vat_minor - gross_minor
    vat_minor = left.vat_minor - min(split_vat(rest_minor, left.vat_pct).vat_minor, left.vat_minor)
    vat_minor = min(vat_minor, gross_minor)
    return VatShare(left.vat_pct, gross_minor - vat_minor, vat_minor)


def _check_lines(quantities: Mapping[int, int], lines: Mapping[int, InvoiceLine]) -> None:
    wrong = [
        {
            "in": "body",
            "field": "lines",
            "message": f"line {line_no}: "
            + (
                "credit at least one piece"
                if line_no in lines
                else f"the invoice has the lines {', '.join(map(str, sorted(lines)))}"
            ),
        }
        for line_no, wanted in quantities.items()
        if line_no not in lines or wanted <= 0
    ]
    if wrong or not quantities:
        raise Invalid("lines: credit at least one piece of a line of the invoice", errors=wrong)


async def _lock_invoice(tx: Tx, invoice_id: UUID) -> Invoice:
    invoice: Invoice | None = await tx.scalar(
        select(Invoice)
        .where(col(Invoice.invoice_id) == invoice_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if invoice is None:
        raise InvoiceNotFound(f"No invoice has the id {invoice_id}")
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        raise CreditNoteCredited(
            f"{invoice.number} is a credit note; what was credited by mistake is invoiced anew"
        )
    return invoice
