"""How facts are kept: in any order, each as often as it comes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import table_of
from contacts_svc.facts.model import (
    EngagementFact,
    InvoiceFact,
    MessageFact,
    OrderFact,
    PaymentFact,
    ResponseFact,
    ReturnFact,
)
from contacts_svc.facts.queries import as_rows, known_ids
from contacts_svc.people.queries import any_of
from contacts_svc.touched import Family, touch
from kantis_contracts.messaging import Engagement, Settled
from kantis_contracts.orders import (
    DunningChanged,
    InvoiceCard,
    OrderCard,
    PaymentBooked,
)
from kantis_kit.tx import Tx

_ABOUT_PEOPLE = (
    EngagementFact,
    InvoiceFact,
    MessageFact,
    OrderFact,
    PaymentFact,
    ResponseFact,
    ReturnFact,
)


class OrderStep(StrEnum):
    """What an event tells of orders; the column in which its moment is kept."""

    PLACED = "placed_at"
    SHIPPED = "shipped_at"
    DELIVERED = "delivered_at"
    PAID = "paid_at"
    UNPAID = "unpaid"
    """The bank took money back: no moment is kept, the one of paying goes."""
    CANCELLED = "cancelled_at"


_PAYING = (OrderStep.PAID, OrderStep.UNPAID)
_MOMENTS = tuple(one for one in OrderStep if one is not OrderStep.UNPAID)


async def keep_orders(tx: Tx, cards: Sequence[OrderCard], step: OrderStep) -> set[UUID]:
    """Keep what is told of these orders; return whose they are.

    Amount and lines are those of the newest version. The moment of placing is the earliest told of an order, that of
    every other step the first one told of it; of paid and unpaid the newest version holds.
    """
    known = await known_ids(tx, (card.person_id for card in cards))
    newest: dict[UUID, OrderCard] = {}
    first: dict[UUID, datetime] = {}
    for card in cards:
        if card.order_id not in newest or newest[card.order_id].version < card.version:
            newest[card.order_id] = card
        first[card.order_id] = min(first.get(card.order_id, card.changed_at), card.changed_at)
    rows: list[dict[str, Any]] = [
        {
            "order_id": order_id,
            "person_id": known[newest[order_id].person_id],
            "version": newest[order_id].version,
            "number": newest[order_id].number,
            "total_minor": newest[order_id].total_minor,
            "currency": newest[order_id].currency,
            "lines": [line.model_dump(mode="json") for line in newest[order_id].lines],
            "campaign_id": newest[order_id].campaign_id,
            "placed_at": first[order_id],
            **{
                other.value: first[order_id] if step is other else None
                for other in _MOMENTS
                if other is not OrderStep.PLACED
            },
            "paid_version": newest[order_id].version if step in _PAYING else 0,
        }
        for order_id in sorted(newest)
    ]
    table = table_of(OrderFact)
    told = as_rows("told", OrderFact, rows)
    new = insert(table).from_select(told.c.keys(), select(*told.c))
    is_newer = new.excluded.version > table.c.version
    is_told = new.excluded.paid_version > table.c.paid_version
    guarded = ("number", "total_minor", "currency", "lines", "campaign_id")
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["order_id"],
            set_={
                "version": func.greatest(new.excluded.version, table.c.version),
                **{
                    name: case((is_newer, new.excluded[name]), else_=table.c[name])
                    for name in guarded
                },
                **{
                    one.value: func.least(new.excluded[one.value], table.c[one.value])
                    for one in _MOMENTS
                    if one is not OrderStep.PAID
                },
                "paid_at": case((is_told, new.excluded.paid_at), else_=table.c.paid_at),
                "paid_version": func.greatest(new.excluded.paid_version, table.c.paid_version),
            },
        )
    )
    people: set[UUID] = {row["person_id"] for row in rows}
    await touch(tx, people, Family.ORDER)
    return people


async def keep_invoices(tx: Tx, cards: Sequence[InvoiceCard]) -> None:
    """Keep invoices; what is still owed follows from their payments, also from those that were told before."""
    known = await known_ids(tx, (card.person_id for card in cards))
    rows = [
        {
            **card.model_dump(
                include={"invoice_id", "order_id", "number", "currency", "total_minor", "due_on"}
            ),
            "person_id": known[card.person_id],
            "campaign_id": card.campaign_id,
            "issued_at": card.issued_at,
            "paid_minor": 0,
        }
        for card in each(cards, "invoice_id")
    ]
    table = table_of(InvoiceFact)
    told = as_rows("told", InvoiceFact, rows)
    new = insert(table).from_select(told.c.keys(), select(*told.c))
    facts = ("number", "currency", "total_minor", "due_on", "campaign_id", "issued_at")
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["invoice_id"], set_={name: new.excluded[name] for name in facts}
        )
    )
    await settle(tx, [row["invoice_id"] for row in rows])
    await touch(tx, {row["person_id"] for row in rows}, Family.ORDER)


async def keep_payments(tx: Tx, items: Sequence[PaymentBooked]) -> None:
    """Keep payments, and what they leave open of their invoices."""
    known = await known_ids(tx, (item.person_id for item in items))
    payments = [
        {
            **item.model_dump(
                include={
                    "payment_id",
                    "invoice_id",
                    "order_id",
                    "amount_minor",
                    "currency",
                    "booked_at",
                }
            ),
            "person_id": known[item.person_id],
        }
        for item in each(items, "payment_id")
    ]
    await lock_invoices(tx, payments)  # two payments of one invoice add up one by one
    await add(tx, PaymentFact, payments, key="payment_id")
    await settle(tx, {row["invoice_id"] for row in payments})
    await touch(tx, {row["person_id"] for row in payments}, Family.ORDER)


async def keep_dunning(tx: Tx, items: Sequence[DunningChanged]) -> None:
    """Keep how unpaid invoices are followed up: of each the newest version told."""
    newest: dict[UUID, DunningChanged] = {}
    for item in items:
        held = newest.get(item.invoice_id)
        if held is None or held.version < item.version:
            newest[item.invoice_id] = item
    known = await known_ids(tx, (item.person_id for item in newest.values()))
    rows: list[dict[str, Any]] = [
        {
            "invoice_id": item.invoice_id,
            "order_id": item.order_id,
            "person_id": known[item.person_id],
            "currency": item.currency,
            "dunning_version": item.version,
            "dunning_state": item.state.value,
            "reminders": item.reminders,
            "dunning_at": item.changed_at,
        }
        for _, item in sorted(newest.items())
    ]
    await lock_invoices(tx, rows)
    told = as_rows("told", InvoiceFact, rows)
    table = table_of(InvoiceFact)
    facts = ("dunning_version", "dunning_state", "reminders", "dunning_at")
    await tx.execute(
        update(table)
        .where(
            table.c.invoice_id == told.c.invoice_id,
            table.c.dunning_version < told.c.dunning_version,
        )
        .values({name: told.c[name] for name in facts})
    )
    await touch(tx, {row["person_id"] for row in rows}, Family.ORDER)


async def lock_invoices(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> None:
    """Lock the invoices that these rows name; make those of which nothing else has been told."""
    named = {
        row["invoice_id"]: {
            **{key: row[key] for key in ("invoice_id", "order_id", "person_id", "currency")},
            "number": "",
            "paid_minor": 0,
        }
        for row in rows
    }
    table = table_of(InvoiceFact)
    told = as_rows("named", InvoiceFact, [named[key] for key in sorted(named)])
    await tx.execute(
        insert(table)
        .from_select(told.c.keys(), select(*told.c))
        .on_conflict_do_update(index_elements=["invoice_id"], set_={"number": table.c.number})
    )


async def settle(tx: Tx, invoice_ids: Iterable[UUID]) -> None:
    """Work out what invoices that this transaction has locked still leave open."""
    invoice, payment = table_of(InvoiceFact), table_of(PaymentFact)
    paid = (
        select(func.coalesce(func.sum(payment.c.amount_minor), 0))
        .where(payment.c.invoice_id == invoice.c.invoice_id)
        .correlate(invoice)
        .scalar_subquery()
    )
    await tx.execute(
        update(invoice)
        .where(invoice.c.invoice_id == any_of(invoice_ids))
        .values(
            paid_minor=paid,
            open_minor=invoice.c.total_minor - invoice.c.credited_minor - paid,
        )
    )


async def keep_messages(tx: Tx, items: Sequence[Settled]) -> None:
    """Keep how messages to persons ended; of two ends of one message the later one counts."""
    newest: dict[UUID, Settled] = {}
    for item in items:
        held = newest.get(item.message_id)
        if held is None or (held.settled_at, held.state) < (item.settled_at, item.state):
            newest[item.message_id] = item
    known = await known_ids(tx, (item.person_id for item in newest.values() if item.person_id))
    rows: list[dict[str, Any]] = [
        {
            "message_id": message_id,
            "person_id": known[person_id],
            "channel": item.channel.value,
            "campaign_id": item.campaign_id,
            "state": item.state.value,
            "reason": item.reason,
            "at": item.settled_at,
            "settled_at": item.settled_at,
        }
        for message_id, item in sorted(newest.items())
        if (person_id := item.person_id)
    ]
    if not rows:
        return
    table = table_of(MessageFact)
    told = as_rows("told", MessageFact, rows)
    new = insert(table).from_select(told.c.keys(), select(*told.c))
    facts = ("channel", "campaign_id", "state", "reason", "at", "settled_at")
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["message_id"],
            set_={name: new.excluded[name] for name in facts},
            where=or_(
                table.c.settled_at.is_(None),
                tuple_(table.c.settled_at, table.c.state)
                < tuple_(new.excluded.settled_at, new.excluded.state),
            ),
        )
    )
    await touch(tx, {row["person_id"] for row in rows}, Family.MESSAGE)


async def keep_engagements(tx: Tx, items: Sequence[Engagement], *, clicked: bool) -> None:
    """Keep openings and clicks of persons; only those of human beings count for the message.

    A click shows that the message was opened, also when its pictures were never loaded.
    """
    known = await known_ids(tx, (item.person_id for item in items if item.person_id))
    rows = [
        {
            "engagement_id": item.engagement_id,
            "message_id": item.message_id,
            "person_id": known[person_id],
            "kind": "clicked" if clicked else "opened",
            "verdict": item.verdict,
            "link_id": item.link_id,
            "campaign_id": item.campaign_id,
            "seen_at": item.seen_at,
        }
        for item in each(items, "engagement_id")
        if (person_id := item.person_id)
    ]
    if not rows:
        return
    await add(tx, EngagementFact, rows, key="engagement_id")
    await _mark_messages(tx, rows, clicked=clicked)
    await touch(tx, {row["person_id"] for row in rows}, Family.MESSAGE)


async def _mark_messages(tx: Tx, rows: Sequence[dict[str, Any]], *, clicked: bool) -> None:
    first: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        if row["verdict"] == "human":
            held = first.setdefault(row["message_id"], row)
            if row["seen_at"] < held["seen_at"]:
                first[row["message_id"]] = row
    if not first:
        return
    table = table_of(MessageFact)
    marks = [
        {
            "message_id": message_id,
            "person_id": row["person_id"],
            "channel": "",
            "campaign_id": row["campaign_id"],
            "state": "",
            "reason": "",
            "at": row["seen_at"],
            "opened_at": row["seen_at"],
            "clicked_at": row["seen_at"] if clicked else None,
        }
        for message_id, row in sorted(first.items())
    ]
    told = as_rows("told", MessageFact, marks)
    new = insert(table).from_select(told.c.keys(), select(*told.c))
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["message_id"],
            set_={
                "at": case(
                    (table.c.settled_at.is_(None), func.least(table.c.at, new.excluded.at)),
                    else_=table.c.at,
                ),
                "opened_at": func.least(table.c.opened_at, new.excluded.opened_at),
                "clicked_at": func.least(table.c.clicked_at, new.excluded.clicked_at),
            },
        )
    )


def each(items: Sequence[Any], key: str) -> list[Any]:
    """Return each thing once, in one order for all, so that nobody waits in a circle."""
    found = {getattr(item, key): item for item in items}
    return [found[one] for one in sorted(found)]


async def add(tx: Tx, model: type[Any], rows: Sequence[dict[str, Any]], *, key: str) -> None:
    """Keep facts that are told once and never change; what is there stays."""
    told = as_rows("added", model, rows)
    await tx.execute(
        insert(table_of(model))
        .from_select(told.c.keys(), select(*told.c))
        .on_conflict_do_nothing(index_elements=[key])
    )


async def forget(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Forget what these persons did; the books stand in orders, the proof of what was sent in messaging."""
    chosen = sorted(set(person_ids))
    for model in _ABOUT_PEOPLE:
        table = table_of(model)
        await tx.execute(delete(table).where(table.c.person_id == any_of(chosen)))
