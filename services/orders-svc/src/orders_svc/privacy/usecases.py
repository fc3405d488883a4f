"""Forget persons: what they wrote and where they live goes, the books stay and are restricted."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy import (
    Date,
    Integer,
    Select,
    String,
    Table,
    Uuid,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.elements import CollectionAggregate

from kantis_contracts.contacts.privacy import DossierRequest, ErasureRequest
from kantis_contracts.privacy import PERSONAL
from kantis_kit import forgetting, gathering
from kantis_kit.db.sets import one_of
from kantis_kit.forgetting import Counts
from kantis_kit.tx import Tx
from orders_svc.base import Base
from orders_svc.privacy import events, queries
from orders_svc.privacy.model import legal_years
from orders_svc.privacy.rows import empty_rows
from orders_svc.responses.model import WORDLESS, has_words
from orders_svc.settings import OrdersSettings

KEPT = {
    "person": "that nothing is to be made out to them any more; emptied, names nobody",
    "response": "that an answer came, for the figures; emptied, names nobody",
    "sales_order": "bookkeeping: what was sold at what price; emptied, names nobody",
    "invoice": "bookkeeping law: vouchers are kept for years after the end of theirs; the recipient is restricted",
    "postal_return": "that a piece came back and what it cost, for the figures; names nobody",
    "payment": "bookkeeping: what came in and what it was for; emptied, names nobody",
    "payer": "that somebody wanted invoices in some way; emptied, names nobody",
    "customer_terms": "by which law their unpaid invoices are asked for; names nobody",
    "credit_hold": "why an order waited; names nobody",
    "posting": "bookkeeping law: the ledger is never changed; names nobody",
    "bought": "which goods somebody bought, for what is bought together; names nobody",
    "code": "which answer belonged to which campaign; names nobody",
}
"""Tables that stay, and why: each that names a person has its reason here."""


async def forget(tx: Tx, requests: Sequence[ErasureRequest], *, is_reminder: bool = False) -> None:
    """Forget persons and answer with a receipt each."""
    receipts = await forgetting.forget(
        tx,
        requests,
        empty=_bury_and_empty,
        metadata=Base.metadata,
        kept=KEPT,
        blanks=PERSONAL,
        is_reminder=is_reminder,
    )
    tx.stage(events.completed(receipts))


async def tell(tx: Tx, requests: Sequence[DossierRequest]) -> None:
    """Answer with everything that is held of persons, each in parts that travel."""
    await gathering.answer(tx, requests, gather=queries.gather, event=events.answered)


async def sweep(tx: Tx, *, is_whole: bool = False) -> None:
    """Empty what an event that came late has written of persons who are forgotten: lately, or ever."""
    await forgetting.sweep(tx, empty=_empty, blanks=PERSONAL, is_whole=is_whole)


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


async def _bury_and_empty(tx: Tx, ids: Sequence[UUID], counts: Counts) -> None:
    await _bury(tx, ids)
    await _empty(tx, ids, counts)


async def _bury(tx: Tx, ids: Iterable[UUID]) -> None:
    """Put empty rows in place that no event replaces, whichever comes first."""
    rows = [
        {
            "person_id": id_,
            "version": 0,
            "preferred_name": "",
            "full_name": "",
            "language": "en",
            "country": "NO",
            "street": "",
            "postal_code": "",
            "city": "",
            "address_country": "",
            "phone": "",
            "is_erased": True,
        }
        for id_ in ids
    ]
    if rows:
        await tx.execute(insert(_table("person")).values(rows).on_conflict_do_nothing())


async def _empty(tx: Tx, ids: Collection[UUID], counts: Counts) -> None:
    await empty_rows(tx, ids)  # first: the cards say the numbers by which rows are found
    chosen = one_of(sorted(ids), Uuid())
    person, order, response = _table("person"), _table("sales_order"), _table("response")
    words = (
        "preferred_name",
        "full_name",
        "street",
        "postal_code",
        "city",
        "address_country",
        "phone",
    )
    await counts.run(
        tx,
        "person",
        update(person)
        .where(
            person.c.person_id == chosen,
            or_(~person.c.is_erased, *(person.c[word] != "" for word in words)),
        )
        .values(**dict.fromkeys(words, ""), is_erased=True)
        .returning(person.c.person_id),
    )
    # Orders before responses, as when an order ships: so the two never wait for each other in a circle.
    await counts.run(
        tx,
        "sales_order",
        update(order)
        .where(
            order.c.person_id == chosen, or_(order.c.ship_to.is_not(None), order.c.tracking != "")
        )
        .values(ship_to=null(), tracking="")
        .returning(order.c.person_id),
    )
    await _empty_ways(tx, select(order.c.order_id).where(order.c.person_id == chosen))
    await counts.run(
        tx,
        "response",
        update(response)
        .where(response.c.person_id == chosen, has_words())
        .values(**WORDLESS)
        .returning(response.c.person_id),
    )
    await _empty_wishes(tx, chosen, counts)
    await _empty_payments(tx, ids, counts)
    await _restrict(tx, ids, counts)


async def _empty_wishes(tx: Tx, chosen: CollectionAggregate[UUID], counts: Counts) -> None:
    """Take out of what payers wished where in the e-invoice network they are, and what they call themselves there."""
    payer = _table("payer")
    words = ("endpoint", "organisation_number", "buyer_reference")
    await counts.run(
        tx,
        "payer",
        update(payer)
        .where(payer.c.person_id == chosen, or_(*(payer.c[word] != "" for word in words)))
        .values(**dict.fromkeys(words, ""), way="email")
        .returning(payer.c.person_id),
    )


async def _empty_ways(tx: Tx, orders: Select[tuple[UUID]]) -> None:
    """Take out of parcels by which number a carrier knows them, and out of returns what people wrote."""
    for name, word in (
        ("shipment", "tracking"),
        ("parcel", "tracking"),
        ("goods_return", "reason"),
    ):
        table = _table(name)
        filled = (table.c.order_id.in_(orders), table.c[word] != "")
        await tx.execute(update(table).where(*filled).values({word: ""}))


async def _empty_payments(tx: Tx, ids: Collection[UUID], counts: Counts) -> None:
    """Take who paid out of the payments of these persons' invoices, and who owes out of the agency's files."""
    payment, invoice, line = _table("payment"), _table("invoice"), _table("agency_line")
    chosen = one_of(sorted(ids), Uuid())
    theirs = select(invoice.c.invoice_id).where(invoice.c.person_id == chosen)
    words = ("payer_name", "payer_account", "remittance")
    await counts.run(
        tx,
        "payment",
        update(payment)
        .where(
            or_(payment.c.person_id == chosen, payment.c.invoice_id.in_(theirs)),
            or_(*(payment.c[word] != "" for word in words)),
        )
        .values(**dict.fromkeys(words, ""))
        .returning(payment.c.person_id),
    )
    await tx.execute(
        update(line)
        .where(line.c.invoice_id.in_(theirs), line.c.content.has_key("debtor"))
        .values(content=line.c.content.op("-")("debtor"))
    )


async def _restrict(tx: Tx, ids: Collection[UUID], counts: Counts) -> None:
    """Take the recipient out of invoices; only bookkeepers find it, as long as the law wants it kept."""
    invoice, restricted = _table("invoice"), _table("restricted_recipient")
    years = legal_years(tx.settings(OrdersSettings).company_country)
    named = (invoice.c.person_id == one_of(sorted(ids), Uuid()), invoice.c.recipient != "")
    until = func.make_date(
        cast(func.extract("year", invoice.c.issued_at), Integer) + literal(years),
        12,
        31,
        type_=Date(),
    )
    await tx.execute(
        insert(restricted)
        .from_select(
            ["invoice_id", "recipient", "keep_until"],
            select(invoice.c.invoice_id, cast(invoice.c.recipient, String), until).where(*named),
        )
        .on_conflict_do_nothing()
    )
    await counts.run(
        tx,
        "invoice",
        update(invoice)
        .where(*named)
        .values(recipient="", buyer=literal({}, JSONB()))
        .returning(invoice.c.person_id),
    )
