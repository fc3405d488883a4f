"""Read terms, and what customers owe."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, String, Uuid, and_, column, exists, func, union_all
from sqlalchemy.orm import Mapped
from sqlmodel import col, select

from kantis_kit.db.sets import column_set, row_set
from kantis_kit.tx import ReadTx
from orders_svc.aliases import person_alias
from orders_svc.billing.model import Invoice, is_owed, open_amount
from orders_svc.claims.model import Claim
from orders_svc.credit.model import CreditHold, CustomerTerms
from orders_svc.law.tables import Debtor
from orders_svc.orders.model import OrderState, SalesOrder


async def terms_of(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, CustomerTerms]:
    """Return what was agreed with customers, of those with whom something was.

    What was agreed under an id that was merged into theirs holds too, the newest of it, unless something was agreed with
    themselves. It stays where it was, so that it is theirs no more when they are parted.
    """
    asked = column_set("asked", {"id": (Uuid(), sorted(set(person_ids)))})
    alias = person_alias.c
    merged = select(alias.merged_id, alias.known_id).join(asked, asked.c.id == alias.known_id)
    whose = union_all(select(asked.c.id, asked.c.id.label("whose")), merged).subquery()
    rows = await tx.execute(
        select(CustomerTerms, whose.c.whose)
        .join(whose, whose.c.id == col(CustomerTerms.person_id))
        .order_by(col(CustomerTerms.person_id) == whose.c.whose, col(CustomerTerms.set_at))
    )
    return {row.whose: row.CustomerTerms for row in rows}


def debtor_of(terms: CustomerTerms | None) -> Debtor:
    """Return as what a customer buys; a consumer unless something else was agreed."""
    return Debtor(terms.debtor) if terms else Debtor.CONSUMER


async def owed_minor(tx: ReadTx, person_id: UUID, currency: str) -> int:
    """Return what a customer owes in a currency: open invoices, what stands beside them, and orders not shipped yet."""
    return (await owed_by(tx, [(person_id, currency)])).get((person_id, currency), 0)


async def owed_by(tx: ReadTx, customers: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
    """Return what customers owe, each in a currency, as `owed_minor` does; who owes nothing may be missing."""
    asked = row_set(
        "asked", [column("person_id", Uuid()), column("currency", String())], sorted(set(customers))
    )

    def of(model: type[Invoice | SalesOrder]) -> ColumnElement[bool]:
        return and_(
            col(model.person_id) == asked.c.person_id, col(model.currency) == asked.c.currency
        )

    who = (asked.c.person_id, asked.c.currency)
    invoices = (
        select(*who, open_amount().label("minor")).join(Invoice, of(Invoice)).where(is_owed())
    )
    left = col(Claim.amount_minor) - col(Claim.paid_minor) - col(Claim.waived_minor)
    beside = (
        select(*who, left)
        .join(Invoice, of(Invoice))
        .join(Claim, col(Claim.invoice_id) == col(Invoice.invoice_id))
    )
    coming = (
        select(*who, col(SalesOrder.total_minor))
        .join(SalesOrder, of(SalesOrder))
        .where(col(SalesOrder.state).in_([OrderState.PLACED.value, OrderState.PICKING.value]))
    )
    owed = union_all(invoices, beside, coming).subquery()
    rows = await tx.execute(
        select(owed.c.person_id, owed.c.currency, func.sum(owed.c.minor).label("minor")).group_by(
            owed.c.person_id, owed.c.currency
        )
    )
    return {(row.person_id, row.currency): int(row.minor) for row in rows}


def is_held(order_id: Mapped[UUID]) -> ColumnElement[bool]:
    """Return the condition that an order waits for somebody to release it."""
    return exists().where(
        col(CreditHold.order_id) == order_id, col(CreditHold.released_at).is_(None)
    )


async def find_held(tx: ReadTx, order_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these orders were held, whether or not somebody has released them."""
    wanted = set(order_ids)
    if not wanted:
        return set()
    rows = await tx.scalars(
        select(col(CreditHold.order_id)).where(col(CreditHold.order_id).in_(wanted))
    )
    return set(rows)


async def list_holds(tx: ReadTx, *, after: UUID | None, limit: int) -> list[CreditHold]:
    """Return a page of the orders that wait for somebody to release them."""
    statement = (
        select(CreditHold)
        .where(col(CreditHold.released_at).is_(None))
        .order_by(col(CreditHold.order_id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(CreditHold.order_id) > after)
    return list(await tx.scalars(statement))
