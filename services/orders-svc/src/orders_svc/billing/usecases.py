"""Issue invoices, and say which orders are paid by them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_kit.auth.links import LinkSigner
from kantis_kit.calendar import date_in
from kantis_kit.db.sets import one_of
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing import events
from orders_svc.billing.documents.links import path_to
from orders_svc.billing.ledger import book, invoice_booking
from orders_svc.billing.model import (
    KID_BASES,
    Invoice,
    InvoiceLine,
    InvoiceSeries,
    InvoiceVat,
)
from orders_svc.billing.parties import agreement_of, buyer_of, due_on, seller_of
from orders_svc.billing.references import make_reference
from orders_svc.billing.schemas import InvoiceKind
from orders_svc.money import VatShare, split_by_rate
from orders_svc.orders import usecases as orders_usecases
from orders_svc.orders.events import notice, notices_requested
from orders_svc.orders.model import OrderLine, SalesOrder
from orders_svc.payers import usecases as payers
from orders_svc.payers.queries import find_payers, invoiced_by
from orders_svc.payers.schemas import Way
from orders_svc.people.queries import find_persons
from orders_svc.settings import OrdersSettings, PaymentAgreement

NUMBER_DIGITS = 6
_SERIES = {
    InvoiceKind.INVOICE: ("last_number", ""),
    InvoiceKind.CREDIT_NOTE: ("last_credit_number", "K"),
}
"""Per kind the column that counts it, and what its numbers begin with."""


async def issue_invoices(
    tx: Tx, orders: Sequence[SalesOrder], lines: Mapping[UUID, Sequence[OrderLine]]
) -> list[Invoice]:
    """Issue the invoices of what ships of orders, with gapless numbers, and ask for messages to the customers.

    An invoice of nothing counts as paid at once.
    """
    settings = tx.settings(OrdersSettings)
    now = tx.clock.now()
    today = date_in(now, settings.company_country)
    persons = await find_persons(tx, [order.person_id for order in orders])
    numbers = await draw_numbers(
        tx, InvoiceKind.INVOICE, settings.company_number, today.year, len(orders)
    )
    invoices, printed, shares, bookings = [], [], [], []
    agreements = {order.currency: agreement_of(settings, order.currency) for order in orders}
    references = {
        currency: await draw_references(
            tx, sum(order.currency == currency for order in orders), agreement
        )
        for currency, agreement in agreements.items()
    }
    for order, (series_number, number) in zip(orders, numbers, strict=True):
        agreement = agreements[order.currency]
        person = persons.get(order.person_id)
        buyer = buyer_of(order, person)
        split = split_by_rate((line.amount_minor, line.vat_pct) for line in lines[order.order_id])
        net_minor = sum(share.net_minor for share in split)
        vat_minor = sum(share.vat_minor for share in split)
        invoice = Invoice(
            invoice_id=new_id(),
            order_id=order.order_id,
            person_id=order.person_id,
            merged_id=order.merged_id,
            campaign_id=order.campaign_id,
            cell_id=order.cell_id,
            company=settings.company_number,
            year=today.year,
            series_number=series_number,
            number=number,
            reference=references[order.currency].pop(0),
            reference_kind=agreement.layout,
            language=orders_usecases.language_of(person),
            recipient="\n".join(buyer.lines),
            seller=seller_of(settings, agreement).model_dump(),
            buyer=buyer.model_dump(),
            net_minor=net_minor,
            vat_minor=vat_minor,
            total_minor=net_minor + vat_minor,
            currency=order.currency,
            issued_at=now,
            due_on=due_on(today, buyer.country, settings),
        )
        invoices.append(invoice)
        printed += [
            InvoiceLine(
                invoice_id=invoice.invoice_id,
                **line.model_dump(
                    include={
                        "line_no",
                        "sku",
                        "name",
                        "quantity",
                        "unit_price_minor",
                        "vat_pct",
                        "amount_minor",
                    }
                ),
            )
            for line in lines[order.order_id]
        ]
        shares += vat_rows(invoice, split)
        bookings.append(invoice_booking(invoice, split))
    await store(tx, invoices, printed, shares)
    await book(tx, bookings)
    tx.stage(events.invoices_issued(invoices))
    order_numbers = {order.order_id: order.number for order in orders}
    mailed = await by_mail(tx, invoices)
    tx.stage(
        notices_requested(
            notice(
                "invoice_issued",
                invoice.person_id,
                {
                    "order_number": order_numbers[invoice.order_id],
                    **events.invoice_facts(invoice, document_url(tx, invoice)),
                },
            )
            for invoice in mailed
        )
    )
    await close_orders(tx, [invoice.order_id for invoice in invoices if not invoice.total_minor])
    return invoices


async def by_mail(tx: Tx, documents: Sequence[Invoice]) -> list[Invoice]:
    """Return the documents that go by e-mail; the others wait to be printed, or for the e-invoice network."""
    ids = [one.person_id for one in documents]
    persons, wishes = await find_persons(tx, ids), await find_payers(tx, ids)
    mailed, aside = [], []
    for one in documents:
        way = invoiced_by(persons.get(one.person_id), wishes, one.person_id)
        if way is Way.EMAIL:
            mailed.append(one)
            continue
        endpoint = wishes[one.person_id].endpoint if way is Way.EINVOICE else ""
        aside.append(payers.Document(one.invoice_id, one.number, way, endpoint))
    await payers.put_aside(tx, aside)
    return mailed


def document_url(tx: Tx, invoice: Invoice) -> str:
    """Return the link to a document that goes into mails."""
    base = tx.settings(OrdersSettings).public_url.rstrip("/")
    return base + path_to(tx.use(LinkSigner), invoice.invoice_id, now=tx.clock.now())


def vat_rows(invoice: Invoice, split: Iterable[VatShare]) -> list[InvoiceVat]:
    """Return what an invoice has at each rate."""
    return [
        InvoiceVat(
            invoice_id=invoice.invoice_id,
            vat_pct=share.vat_pct,
            net_minor=share.net_minor,
            vat_minor=share.vat_minor,
        )
        for share in split
    ]


async def store(
    tx: Tx,
    invoices: Sequence[Invoice],
    lines: Sequence[InvoiceLine],
    shares: Sequence[InvoiceVat],
) -> None:
    """Write documents down, from now on for ever."""
    tx.add_all(invoices)
    await tx.flush()  # lines and VAT refer to their invoices
    for model, rows in ((InvoiceLine, lines), (InvoiceVat, shares)):
        if rows:
            await tx.execute(insert(model), [row.model_dump() for row in rows])


async def close_orders(tx: Tx, order_ids: Iterable[UUID]) -> None:
    """Note as paid which of these orders are: all of their goods invoiced, nothing open, and something paid.

    What was credited to the last penny has been called off, not paid.
    """
    chosen = set(order_ids)
    if not chosen:
        return
    paid, total = func.sum(col(Invoice.paid_minor)), func.sum(col(Invoice.total_minor))
    done = await tx.scalars(
        select(col(SalesOrder.order_id))
        .join(Invoice, col(Invoice.order_id) == col(SalesOrder.order_id))
        .where(
            col(SalesOrder.order_id) == one_of(list(chosen), Uuid()),
            col(Invoice.kind) == InvoiceKind.INVOICE.value,
        )
        .group_by(col(SalesOrder.order_id))
        .having(
            total >= col(SalesOrder.total_minor),
            paid + func.sum(col(Invoice.credited_minor)) == total,
            (paid > 0) | (total == 0),
        )
    )
    await orders_usecases.mark_paid(tx, list(done))


async def draw_numbers(
    tx: Tx, kind: InvoiceKind, company: str, year: int, count: int
) -> list[tuple[int, str]]:
    """Draw consecutive numbers of a kind, bare and as printed; who draws next waits for our commit, so no gap stays."""
    column, letter = _SERIES[kind]
    counter = InvoiceSeries.__table__.c[column]  # type: ignore[attr-defined]  # SQLModel adds it at run time
    values: dict[str, Any] = {"last_number": 0, "last_credit_number": 0, column: count}
    last: int = await tx.scalar(
        insert(InvoiceSeries)
        .values(company=company, year=year, **values)
        .on_conflict_do_update(
            index_elements=[col(InvoiceSeries.company), col(InvoiceSeries.year)],
            set_={column: counter + count},
        )
        .returning(counter)
    )
    return [
        (number, f"{letter}{year}-{number:0{NUMBER_DIGITS}d}")
        for number in range(last - count + 1, last + 1)
    ]


async def draw_references(tx: Tx, count: int, agreement: PaymentAgreement) -> list[str]:
    """Draw payment references that nobody had before; bases whose MOD11 digit would be `-` are passed over."""
    references: list[str] = []
    while missing := count - len(references):
        drawn = select(KID_BASES.next_value()).select_from(func.generate_series(1, missing))
        made = [make_reference(agreement, str(base)) for base in await tx.scalars(drawn)]
        references += [reference for reference in made if reference is not None]
    return references
