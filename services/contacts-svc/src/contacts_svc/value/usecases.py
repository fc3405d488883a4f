"""What is done with value and lifecycle: worked out from facts, by the rules that the company sets."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import table_of
from contacts_svc.facts.queries import as_rows
from contacts_svc.people import usecases as people
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.people.model import Origin, Person
from contacts_svc.people.queries import any_of
from contacts_svc.people.usecases.save import history_row, set_fields, write_history
from contacts_svc.touched import Family, touch
from contacts_svc.value import queries
from contacts_svc.value.errors import PinInvalid, PinUnknown
from contacts_svc.value.model import LifecycleChange, LifecyclePin, PersonValue, ValueRules
from contacts_svc.value.rules import Bought, Rules, Value, judge
from contacts_svc.value.schemas import LifecycleIn
from kantis_contracts.contacts import Lifecycle
from kantis_kit.tx import Tx

RULES_TIMER = "value.rules"
SLICE = 1_000
"""How many people are valued in one statement per step."""
MAX_PIN = timedelta(days=3_660)
CUSTOMERS = frozenset({Lifecycle.NEW, Lifecycle.ACTIVE, Lifecycle.PASSIVATING, Lifecycle.LAPSED})
"""Steps that orders alone lead to by rule."""


async def work_out(tx: Tx, person_ids: Iterable[UUID], *, reason: str) -> None:
    """Work out value and lifecycle of these from the facts as they are now.

    The persons are locked first and their orders read after that, so that of two orders told at once neither is left
    out. A lifecycle that is pinned stays.
    """
    known = await queries.lock_people(tx, person_ids)
    if not known:
        return
    now = tx.clock.now()
    rules, version = await queries.get_rules(tx)
    bought = await queries.list_bought(tx, known)
    pins = await queries.list_pins(tx, known)
    values = {person_id: judge(rules, one, now) for person_id, one in bought.items()}
    changed = await _keep(tx, bought, values, pins, version)
    changed |= await _drop(tx, known.keys() - values.keys())
    await touch(tx, changed, Family.VALUE)
    wanted = {person_id: value.lifecycle for person_id, value in values.items()}
    # Whoever took back their only order is no customer; others without orders stand where they were put.
    for person_id in known.keys() - values.keys():
        if person_id in changed and known[person_id].lifecycle in CUSTOMERS:
            wanted[person_id] = Lifecycle.PROSPECT
    steps = [
        (known[person_id], lifecycle)
        for person_id, lifecycle in sorted(wanted.items())
        if person_id not in pins
    ]
    await _step(tx, steps, Origin(tx.actor, reason=reason))


async def _keep(
    tx: Tx,
    bought: Mapping[UUID, Bought],
    values: Mapping[UUID, Value],
    pins: Mapping[UUID, datetime],
    version: int,
) -> set[UUID]:
    """Write values; return whose differ from what was known."""
    if not values:
        return set()
    now = tx.clock.now()
    rows = [
        {
            "person_id": person_id,
            "version": 1,
            "orders": bought[person_id].orders,
            "first_order_at": bought[person_id].first_at,
            "last_order_at": bought[person_id].last_at,
            "currency": value.currency,
            "spent_minor": value.spent_minor,
            "recency": value.recency,
            "frequency": value.frequency,
            "monetary": value.monetary,
            "rfm_class": value.rfm_class,
            "tier": value.tier,
            "rules_version": version,
            # The end of a pin is a moment at which time alone changes something, too.
            "next_at": min(
                (at for at in (value.next_at, pins.get(person_id)) if at is not None), default=None
            ),
            "updated_at": now,
        }
        for person_id, value in sorted(values.items())
    ]
    table = table_of(PersonValue)
    told = as_rows("worth", PersonValue, rows)
    new = insert(table).from_select(told.c.keys(), select(*told.c))
    facts = [name for name in rows[0] if name not in ("person_id", "version", "updated_at")]
    found = await tx.scalars(
        new.on_conflict_do_update(
            index_elements=["person_id"],
            set_={
                **{name: new.excluded[name] for name in (*facts, "updated_at")},
                "version": table.c.version + 1,
            },
            where=or_(*(table.c[name].is_distinct_from(new.excluded[name]) for name in facts)),
        ).returning(table.c.person_id)
    )
    return set(found)


async def _drop(tx: Tx, person_ids: Iterable[UUID]) -> set[UUID]:
    """Forget the value of those who have no order that stands; return who had one."""
    table = table_of(PersonValue)
    found = await tx.scalars(
        delete(table)
        .where(table.c.person_id == any_of(sorted(person_ids)))
        .returning(table.c.person_id)
    )
    return set(found)


async def _step(tx: Tx, wanted: Iterable[tuple[Person, Lifecycle]], origin: Origin) -> None:
    """Let locked persons take a step of their lifecycle; whoever stands there already takes none."""
    now = tx.clock.now()
    changed: dict[UUID, Person] = {}
    history = []
    for person, lifecycle in wanted:
        told = set_fields(person, {"lifecycle": lifecycle.value})
        if not told:
            continue
        person.version, person.updated_at = person.version + 1, now
        changed[person.id] = person
        history.append(history_row(person, origin, None, told))
        before, after = told["lifecycle"]
        tx.add(
            LifecycleChange(
                person_id=person.id,
                before=before,
                after=after,
                reason=origin.reason,
                actor=origin.actor,
                at=now,
            )
        )
    await write_history(tx, history)
    await people.announce(tx, changed)


async def follow_time(tx: Tx, *, slices: int = 5) -> None:
    """Work out anew what time alone has changed, and what an order valued by older bands while they were replaced."""
    await follow_rules(tx)
    for _ in range(slices):
        due = await queries.list_due(tx, limit=SLICE)
        if not due:
            return
        await work_out(tx, due, reason="time since the last order")
        await _let_go(tx, due)


async def _let_go(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Forget values of persons who are gone, so that they are not due for ever."""
    table, person = table_of(PersonValue), table_of(Person)
    there = select(person.c.id).where(person.c.id == table.c.person_id, ~person.c.is_erased)
    await tx.execute(
        delete(table).where(
            table.c.person_id == any_of(sorted(person_ids)), ~there.correlate(table).exists()
        )
    )


async def set_rules(tx: Tx, row: ValueRules | None, rules: Rules) -> None:
    """Replace the rules, of which the row is locked; everybody's value follows in slices."""
    now, kept = tx.clock.now(), rules.model_dump(mode="json")
    if row is None:
        tx.add(ValueRules(id=1, version=1, rules=kept, actor=tx.actor, updated_at=now))
    else:
        row.version, row.rules, row.actor, row.updated_at = row.version + 1, kept, tx.actor, now
    # What follows reads the row.
    await tx.flush()
    await tx.schedule(RULES_TIMER, "all", now)


async def follow_rules(tx: Tx) -> None:
    """Value the next slice of people by the rules as they are now; ask for another turn while some are left."""
    _, version = await queries.get_rules(tx)
    outdated = await queries.list_outdated(tx, version, limit=SLICE)
    if not outdated:
        return
    await work_out(tx, outdated, reason="new bands")
    await _let_go(tx, outdated)
    await tx.schedule(RULES_TIMER, "all", tx.clock.now())


async def pin_lifecycle(tx: Tx, person_id: UUID, body: LifecycleIn) -> None:
    """Set a lifecycle by hand, and keep the rule from it until a moment.

    Raises:
        ContactUnknown: never there, or erased.
        PinInvalid: the moment does not lie ahead, or more than ten years ahead.
    """
    now = tx.clock.now()
    if not now < body.until <= now + MAX_PIN:
        raise PinInvalid("until: give a moment that lies ahead, at most ten years")
    person = (await queries.lock_people(tx, [person_id])).get(person_id)
    if person is None:
        raise ContactUnknown("It was never there, or it was erased")
    row = as_rows(
        "pinned",
        LifecyclePin,
        [{"person_id": person_id, "until": body.until, "actor": tx.actor, "at": now}],
    )
    new = insert(table_of(LifecyclePin)).from_select(row.c.keys(), select(*row.c))
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["person_id"],
            set_={name: new.excluded[name] for name in ("until", "actor", "at")},
        )
    )
    reason = body.reason or "set by hand"
    await _step(tx, [(person, body.lifecycle)], Origin(tx.actor, reason=reason))
    await work_out(tx, [person_id], reason=reason)


async def unpin_lifecycle(tx: Tx, person_id: UUID) -> None:
    """Let the rule decide again, at once. Raises `PinUnknown`."""
    table = table_of(LifecyclePin)
    await queries.lock_people(tx, [person_id])
    gone = await tx.scalar(
        delete(table).where(table.c.person_id == person_id).returning(table.c.person_id)
    )
    if gone is None:
        raise PinUnknown
    await work_out(tx, [person_id], reason="no longer pinned")


async def forget(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Forget what these persons were worth, and the steps of their lifecycle."""
    chosen = sorted(set(person_ids))
    for model in (PersonValue, LifecycleChange, LifecyclePin):
        table = table_of(model)
        await tx.execute(delete(table).where(table.c.person_id == any_of(chosen)))
