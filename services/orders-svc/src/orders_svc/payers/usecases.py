"""Keep what payers wish, and which documents wait to be printed or handed to the e-invoice network."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_kit.db.sets import one_of
from kantis_kit.tx import Tx
from orders_svc.base import insert_all
from orders_svc.payers import queries
from orders_svc.payers.model import InvoiceDelivery, Payer
from orders_svc.payers.schemas import DeliveryState, Outcome, PayerIn, PayerOut, Way
from orders_svc.people.errors import PersonUnknown
from orders_svc.people.queries import find_person


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or credit note that does not travel by e-mail."""

    invoice_id: UUID
    number: str
    way: Way
    endpoint: str = ""


async def set_payer(tx: Tx, person_id: UUID, given: PayerIn) -> PayerOut:
    """Keep how somebody wants invoices and reminders; it holds for what is issued from now on.

    Raises:
        PersonUnknown: nobody has this id.
    """
    person = await find_person(tx, person_id)
    if person is None or person.is_erased:
        raise PersonUnknown(f"There is no card of the person {person_id} here")
    kept = {**given.model_dump(mode="json"), "set_by": tx.actor, "set_at": tx.clock.now()}
    await tx.execute(
        insert(Payer)
        .values(person_id=person_id, **kept)
        .on_conflict_do_update(index_elements=["person_id"], set_=kept)
    )
    tx.audit("payer.set", str(person_id), way=given.way.value)
    return await queries.show_payer(tx, person_id)


async def put_aside(tx: Tx, documents: Sequence[Document]) -> None:
    """Let documents wait for who prints them or hands them to the network."""
    rows = [
        {
            "invoice_id": one.invoice_id,
            "number": one.number,
            "way": one.way.value,
            "endpoint": one.endpoint,
            "state": DeliveryState.WAITING.value,
            "reason": "",
            "asked_at": tx.clock.now(),
        }
        for one in documents
    ]
    if rows:
        await tx.execute(insert_all(InvoiceDelivery, rows))


async def settle(tx: Tx, invoice_ids: Sequence[UUID], outcome: Outcome, *, reason: str) -> int:
    """Note what became of documents that wait; return of how many it is news.

    An e-invoice that was refused goes by letter: it waits for the printer.
    """
    statement = update(InvoiceDelivery).where(
        col(InvoiceDelivery.invoice_id) == one_of(sorted(set(invoice_ids)), Uuid()),
        col(InvoiceDelivery.state) == DeliveryState.WAITING.value,
    )
    if outcome is Outcome.SENT:
        statement = statement.values(state=DeliveryState.SENT.value, settled_at=tx.clock.now())
    else:
        statement = statement.where(col(InvoiceDelivery.way) == Way.EINVOICE.value).values(
            way=Way.LETTER.value, endpoint="", reason=reason
        )
    rows = await tx.scalars(statement.returning(col(InvoiceDelivery.invoice_id)))
    return len(rows.all())
