"""Reads of value and lifecycle."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.facts.model import OrderFact
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.people.model import Person
from contacts_svc.people.queries import any_of
from contacts_svc.value.model import LifecycleChange, LifecyclePin, PersonValue, ValueRules
from contacts_svc.value.rules import Bought, Rules
from contacts_svc.value.schemas import BandsOut, ClassOut, LifecycleOut, StepOut, ValueOut
from kantis_kit.tx import ReadTx, Tx

MAX_STEPS = 200


async def get_rules(tx: ReadTx) -> tuple[Rules, int]:
    """Return the rules that hold now and their version; the defaults are version 0."""
    row = await tx.get(ValueRules, 1)
    return (Rules(), 0) if row is None else (Rules.model_validate(row.rules), row.version)


async def lock_rules(tx: Tx) -> ValueRules | None:
    """Return the row of the rules, locked, or None while the defaults hold."""
    row: ValueRules | None = await tx.scalar(select(ValueRules).with_for_update())
    return row


async def get_bands(tx: ReadTx) -> BandsOut:
    """Return the bands, and how many people still wait for them."""
    row = await tx.get(ValueRules, 1)
    rules, version = await get_rules(tx)
    waiting = await tx.scalar(
        select(func.count())
        .select_from(PersonValue)
        .where(col(PersonValue.rules_version) < version)
    )
    return BandsOut(
        **rules.model_dump(),
        version=version,
        updated_at=row.updated_at if row else None,
        waiting=waiting,
    )


async def lock_people(tx: Tx, person_ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return those who are there and not erased, locked in the order of their ids: one works out each value."""
    rows = await tx.scalars(
        select(Person)
        .where(col(Person.id) == any_of(sorted(set(person_ids))), ~col(Person.is_erased))
        .order_by(col(Person.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {person.id: person for person in rows}


async def list_bought(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, Bought]:
    """Return what each of these has ordered; who has no order that stands is left out."""
    order = OrderFact
    rows = await tx.execute(
        select(
            col(order.person_id),
            col(order.currency),
            func.count(),
            func.sum(col(order.total_minor)),
            func.min(col(order.placed_at)),
            func.max(col(order.placed_at)),
        )
        .where(
            col(order.person_id) == any_of(sorted(set(person_ids))),
            col(order.cancelled_at).is_(None),
        )
        .group_by(col(order.person_id), col(order.currency))
    )
    found: dict[UUID, list[tuple[str, int, int, datetime, datetime]]] = defaultdict(list)
    for person_id, *sums in plain(rows):
        currency, count, total, first, last = sums
        found[person_id].append((currency, count, int(total), first, last))
    return {person_id: _together(person_id, sums) for person_id, sums in found.items()}


def _together(person_id: UUID, sums: Sequence[tuple[str, int, int, datetime, datetime]]) -> Bought:
    return Bought(
        person_id=person_id,
        orders=sum(count for _, count, _, _, _ in sums),
        first_at=min(first for *_, first, _ in sums),
        last_at=max(last for *_, last in sums),
        spent_minor={currency: total for currency, _, total, _, _ in sums},
    )


async def list_pins(tx: ReadTx, person_ids: Iterable[UUID]) -> Mapping[UUID, datetime]:
    """Return until when the lifecycle of these is pinned; what is over is left out."""
    rows = await tx.execute(
        select(col(LifecyclePin.person_id), col(LifecyclePin.until)).where(
            col(LifecyclePin.person_id) == any_of(sorted(set(person_ids))),
            col(LifecyclePin.until) > tx.clock.now(),
        )
    )
    return dict(plain(rows))


async def list_due(tx: ReadTx, *, limit: int) -> list[UUID]:
    """Return whose value time has changed, the longest due first."""
    rows = await tx.scalars(
        select(col(PersonValue.person_id))
        .where(col(PersonValue.next_at) <= tx.clock.now())
        .order_by(col(PersonValue.next_at))
        .limit(limit)
    )
    return list(rows)


async def list_outdated(tx: ReadTx, version: int, *, limit: int) -> list[UUID]:
    """Return people whose value follows from older rules."""
    rows = await tx.scalars(
        select(col(PersonValue.person_id))
        .where(col(PersonValue.rules_version) < version)
        .order_by(col(PersonValue.rules_version), col(PersonValue.person_id))
        .limit(limit)
    )
    return list(rows)


GONE = "It was never there, or it was erased"


async def _get_person(tx: ReadTx, person_id: UUID) -> Person:
    person = await tx.get(Person, person_id)
    if person is None or person.is_erased:
        raise ContactUnknown(GONE)
    return person


async def get_value(tx: ReadTx, person_id: UUID) -> ValueOut:
    """Return what a contact is worth. Raises `ContactUnknown`."""
    # One statement: an order that is told between two would give its value beside the lifecycle from before it.
    both = (
        select(Person, PersonValue)
        .outerjoin(PersonValue, col(PersonValue.person_id) == col(Person.id))
        .where(col(Person.id) == person_id, col(Person.is_erased).is_(False))
    )
    found = list(plain(await tx.execute(both)))
    if not found:
        raise ContactUnknown(GONE)
    ((person, value),) = found
    pinned = (await list_pins(tx, [person_id])).get(person_id)
    known = value.model_dump(exclude={"version"}) if value else {"person_id": person_id}
    return ValueOut(**known, lifecycle=person.lifecycle, lifecycle_pinned_until=pinned)


async def count_classes(tx: ReadTx) -> list[ClassOut]:
    """Return how many people are in each class and tier, and what they have ordered."""
    keys = (col(PersonValue.tier), col(PersonValue.rfm_class), col(PersonValue.currency))
    rows = await tx.execute(
        select(
            *keys,
            func.count(),
            func.sum(col(PersonValue.orders)),
            func.sum(col(PersonValue.spent_minor)),
        )
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        ClassOut(
            rfm_class=name,
            tier=tier,
            currency=currency,
            people=people,
            orders=orders,
            spent_minor=int(spent),
        )
        for tier, name, currency, people, orders, spent in plain(rows)
    ]


async def get_lifecycle(tx: ReadTx, person_id: UUID) -> LifecycleOut:
    """Return where a contact stands and how they came there. Raises `ContactUnknown`."""
    person = await _get_person(tx, person_id)
    pin = await tx.get(LifecyclePin, person_id)
    is_pinned = pin is not None and pin.until > tx.clock.now()
    steps = await tx.scalars(
        select(LifecycleChange)
        .where(col(LifecycleChange.person_id) == person_id)
        .order_by(col(LifecycleChange.at).desc(), col(LifecycleChange.id).desc())
        .limit(MAX_STEPS)
    )
    return LifecycleOut(
        lifecycle=person.lifecycle,
        pinned_until=pin.until if pin and is_pinned else None,
        pinned_by=pin.actor if pin and is_pinned else None,
        steps=[StepOut.model_validate(step) for step in steps],
    )
