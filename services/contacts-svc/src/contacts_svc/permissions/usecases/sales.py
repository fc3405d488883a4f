"""What a sale allows: the address that was given with it may be used for own and similar goods, until a refusal."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.facts.queries import living
from contacts_svc.people import queries as people
from contacts_svc.people.model import Person
from contacts_svc.permissions.decide import SOFT_BASIS
from contacts_svc.permissions.model import Statement
from contacts_svc.permissions.rules_table import Combination, Need, Rule, find_rule
from contacts_svc.permissions.usecases.ledger import record
from contacts_svc.settings import ContactsSettings
from kantis_contracts.contacts import PermissionState
from kantis_contracts.orders import OrderCard
from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind, Relation
from kantis_kit.tx import Tx

SOURCE = "sale"
_BY_KIND = {"email": Channel.EMAIL, "phone": Channel.SMS}


def soft_rule(person: Person, channel: Channel, on: date) -> Rule | None:
    """Return the row by which a sale is enough for own and similar goods; None where the law asks for a consent."""
    rule = find_rule(
        Combination(
            person.country,
            RecipientKind(person.recipient_kind),
            channel,
            MessageClass.MARKETING,
            Relation.CUSTOMER,
        ),
        on,
    )
    return rule if rule is not None and rule.need is Need.SOFT else None


async def take_sales(tx: Tx, orders: Sequence[OrderCard]) -> int:
    """Enter what these orders allow into the ledger; return how many entries were made.

    Only where the company has declared that its checkout offers to refuse, where the country's law knows the exception,
    and not for addresses that came from a competition. Whatever a person has said before, yes or no, stands.

    Source: markedsføringsloven § 15 (NO), marknadsföringslagen § 19 (SE), markedsføringsloven § 10(2) (DK),
    917/2014 § 200 (FI).
    """
    settings = tx.settings(ContactsSettings)
    if not settings.permissions_soft_opt_in_after_sale:
        return 0
    known = await living(tx, [order.person_id for order in orders])
    first: dict[UUID, OrderCard] = {}
    for order in sorted(orders, key=lambda one: (one.changed_at, one.order_id)):
        if order.person_id in known:
            first.setdefault(known[order.person_id], order)
    rows = await tx.scalars(select(Person).where(col(Person.id) == people.any_of(sorted(first))))
    held = await people.list_identifiers(tx, first)
    words = [
        word.strip().casefold()
        for word in settings.permissions_no_soft_opt_in_from.split(",")
        if word.strip()
    ]
    statements = []
    for person in rows:
        if any(word in person.source.casefold() for word in words):
            continue
        order = first[person.id]
        for one in held[person.id]:
            channel = _BY_KIND.get(one.kind)
            rule = soft_rule(person, channel, order.changed_at.date()) if channel else None
            if channel is None or rule is None or not one.is_primary:
                continue
            statements.append(
                Statement(
                    person.id,
                    channel,
                    Purpose.OFFERS,
                    PermissionState.GRANTED,
                    SOURCE,
                    order.changed_at,
                    legal_basis=SOFT_BASIS,
                    evidence={
                        "order_id": str(order.order_id),
                        "order_number": order.number,
                        "rule_id": rule.id,
                    },
                )
            )
    return await record(tx, statements, only_new=True) if statements else 0
