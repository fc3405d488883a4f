"""Read how payers are reached."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Uuid
from sqlmodel import col, select

from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx
from orders_svc.payers.model import InvoiceDelivery, Payer
from orders_svc.payers.schemas import DeliveryState, PayerOut, Way
from orders_svc.people.errors import PersonUnknown
from orders_svc.people.model import Person
from orders_svc.people.queries import find_person, find_persons


async def find_payers(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, Payer]:
    """Return what payers wish, of those who wish something."""
    rows = await tx.scalars(
        select(Payer).where(col(Payer.person_id) == one_of(sorted(set(person_ids)), Uuid()))
    )
    return {one.person_id: one for one in rows}


async def message_ways(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, Way]:
    """Return how each of these is reminded: there is no network for reminders, so by e-mail or letter."""
    ids = set(person_ids)
    persons, wishes = await find_persons(tx, ids), await find_payers(tx, ids)
    return {one: reached_by(persons.get(one), wishes, one) for one in ids}


def reached_by(person: Person | None, wishes: Mapping[UUID, Payer], person_id: UUID) -> Way:
    """Return whether a person is written to by e-mail or on paper: as wished, as far as there is an address for it."""
    if person is None:
        return Way.EMAIL
    wish = wishes.get(person_id)
    has_address = bool(person.street and person.postal_code and person.city)
    wants_paper = wish is not None and wish.way == Way.LETTER
    if has_address and (wants_paper or not person.has_email):
        return Way.LETTER
    return Way.EMAIL


def invoiced_by(person: Person | None, wishes: Mapping[UUID, Payer], person_id: UUID) -> Way:
    """Return how a person gets invoices and credit notes."""
    wish = wishes.get(person_id)
    if wish is not None and wish.way == Way.EINVOICE:
        return Way.EINVOICE
    return reached_by(person, wishes, person_id)


async def show_payer(tx: ReadTx, person_id: UUID) -> PayerOut:
    """Return what a payer wishes, and how an invoice would go now. Raises `PersonUnknown`."""
    person = await find_person(tx, person_id)
    if person is None or person.is_erased:
        raise PersonUnknown(f"There is no card of the person {person_id} here")
    wishes = await find_payers(tx, [person_id])
    wish = wishes.get(person_id)
    return PayerOut(
        person_id=person_id,
        way=Way(wish.way) if wish else None,
        endpoint=wish.endpoint if wish else "",
        organisation_number=wish.organisation_number if wish else "",
        buyer_reference=wish.buyer_reference if wish else "",
        goes_by=invoiced_by(person, wishes, person_id),
    )


async def list_deliveries(
    tx: ReadTx, *, way: Way | None, state: DeliveryState, after: UUID | None, limit: int
) -> list[InvoiceDelivery]:
    """Return a page of documents in the sequence of their issue."""
    statement = (
        select(InvoiceDelivery)
        .where(col(InvoiceDelivery.state) == state.value)
        .order_by(col(InvoiceDelivery.invoice_id))
        .limit(limit)
    )
    if way is not None:
        statement = statement.where(col(InvoiceDelivery.way) == way.value)
    if after is not None:
        statement = statement.where(col(InvoiceDelivery.invoice_id) > after)
    return list(await tx.scalars(statement))
