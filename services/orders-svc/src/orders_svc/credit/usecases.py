"""Agree terms with customers, hold orders above their limit, and release them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, Uuid, cast, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_kit.db.aliases import resolve
from kantis_kit.db.sets import column_set
from kantis_kit.tx import ReadTx, Tx
from orders_svc.aliases import person_alias
from orders_svc.credit import queries
from orders_svc.credit.errors import CustomerUnknown, NotHeld, OrderHeld
from orders_svc.credit.model import CreditHold, CustomerTerms
from orders_svc.credit.schemas import TermsIn, TermsOut
from orders_svc.orders.model import SalesOrder
from orders_svc.people.queries import find_person
from orders_svc.settings import OrdersSettings

_LOCK = 0x6372  # 'cr': two orders of one customer do not both fit into the last of a limit


@dataclass(frozen=True, slots=True)
class Credit:
    """Whether an amount fits into what a customer may owe."""

    limit_minor: int | None
    owed_minor: int
    amount_minor: int

    @property
    def is_enough(self) -> bool:
        """Say whether it fits."""
        return self.limit_minor is None or self.owed_minor + self.amount_minor <= self.limit_minor


async def set_terms(tx: Tx, person_id: UUID, given: TermsIn) -> TermsOut:
    """Keep what was agreed with a customer. Raises `CustomerUnknown`."""
    person_id = await _known(tx, person_id)
    if await find_person(tx, person_id) is None:
        raise CustomerUnknown(f"There is no card of the person {person_id} here")
    values = CustomerTerms(
        person_id=person_id,
        debtor=given.debtor.value,
        credit_limit_minor=given.credit_limit_minor,
        currency=given.currency,
        set_by=tx.actor,
        set_at=tx.clock.now(),
    ).model_dump()
    statement = insert(CustomerTerms).values(values)
    changed = {name: values[name] for name in values if name not in ("person_id", "version")}
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["person_id"],
            set_={**changed, "version": col(CustomerTerms.version) + 1},
        )
    )
    tx.audit("credit.terms", str(person_id), **given.model_dump(mode="json"))
    return await show_terms(tx, person_id)


async def show_terms(tx: ReadTx, person_id: UUID) -> TermsOut:
    """Return on which terms a customer buys, and what they owe."""
    person_id = await _known(tx, person_id)
    terms = (await queries.terms_of(tx, [person_id])).get(person_id)
    limit, currency = _limit(terms, tx.settings(OrdersSettings), None)
    return TermsOut(
        person_id=person_id,
        debtor=queries.debtor_of(terms),
        credit_limit_minor=limit,
        currency=currency,
        owed_minor=await queries.owed_minor(tx, person_id, currency),
    )


async def check_credit(tx: Tx, person_id: UUID, amount_minor: int, currency: str = "NOK") -> Credit:
    """Say whether a customer may owe so much more; who asks next about the same customer waits for our commit."""
    limit = (await _limits(tx, {(person_id, currency)})).get((person_id, currency))
    if limit is None:
        return Credit(None, 0, amount_minor)
    await _take_turns(tx, [person_id])
    owed = await queries.owed_minor(tx, person_id, currency)
    return Credit(limit, owed, amount_minor)


async def hold_above(tx: Tx, orders: Iterable[SalesOrder]) -> list[CreditHold]:
    """Hold those of the orders placed just now that are above their customers' limits: first come, first served."""
    placed = [one for one in orders if one.total_minor]
    limits = await _limits(tx, {(one.person_id, one.currency) for one in placed})
    limited = [one for one in placed if (one.person_id, one.currency) in limits]
    if not limited:
        return []
    await _take_turns(tx, [one.person_id for one in limited])
    owed = await queries.owed_by(tx, limits)
    # The orders are placed: they are part of what is owed already, and none of it when they are looked at.
    for one in limited:
        owed[one.person_id, one.currency] -= one.total_minor
    holds = []
    for one in limited:
        who = (one.person_id, one.currency)
        before = Credit(limits[who], owed[who], one.total_minor)
        owed[who] += one.total_minor
        if not before.is_enough:
            holds.append(
                CreditHold(
                    order_id=one.order_id,
                    person_id=one.person_id,
                    limit_minor=limits[who],
                    owed_minor=before.owed_minor,
                    amount_minor=one.total_minor,
                    currency=one.currency,
                    held_at=tx.clock.now(),
                )
            )
    tx.add_all(holds)
    return holds


async def _limits(
    tx: ReadTx, customers: Collection[tuple[UUID, str]]
) -> dict[tuple[UUID, str], int]:
    """Return what customers may owe in a currency, of those for whom there is a limit in it."""
    terms = await queries.terms_of(tx, {person_id for person_id, _ in customers})
    settings = tx.settings(OrdersSettings)
    found = {}
    for person_id, currency in customers:
        limit, known = _limit(terms.get(person_id), settings, currency)
        if limit is not None and known == currency:
            found[person_id, currency] = limit
    return found


async def _take_turns(tx: Tx, person_ids: Sequence[UUID]) -> None:
    """Let who asks next about the same customers wait for our commit; all lock in the same sequence."""
    asked = column_set("asked", {"id": (Uuid(), person_ids)})
    name = func.hashtext(cast(asked.c.id, Text)).label("name")
    names = select(name).distinct().order_by(name).subquery()
    await tx.execute(select(func.pg_advisory_xact_lock(_LOCK, names.c.name)))


async def check_released(tx: ReadTx, order_ids: Sequence[UUID]) -> None:
    """Let nobody pick what is held. Raises `OrderHeld`."""
    held = (
        await tx.scalars(
            select(CreditHold).where(
                col(CreditHold.order_id).in_(order_ids), col(CreditHold.released_at).is_(None)
            )
        )
    ).first()
    if held is not None:
        raise OrderHeld(
            f"The customer owes {held.owed_minor} of {held.limit_minor} {held.currency} in minor units, and this order is of "
            f"{held.amount_minor}; release it: POST /v1/credit/holds/{held.order_id}/release",
            order_id=str(held.order_id),
        )


async def release(tx: Tx, order_id: UUID, reason: str) -> CreditHold:
    """Let an order go out although it is above the limit. Raises `NotHeld`."""
    held: CreditHold | None = await tx.scalar(
        select(CreditHold).where(col(CreditHold.order_id) == order_id).with_for_update()
    )
    if held is None or held.released_at is not None:
        raise NotHeld(f"The order {order_id} does not wait for a release")
    held.released_at, held.released_by, held.reason = tx.clock.now(), tx.actor, reason
    tx.audit("credit.release", str(order_id), reason=reason)
    return held


async def _known(tx: ReadTx, person_id: UUID) -> UUID:
    """Return whom an id means now."""
    return (await resolve(tx, person_alias, [person_id])).get(person_id, person_id)


def _limit(
    terms: CustomerTerms | None, settings: OrdersSettings, currency: str | None
) -> tuple[int | None, str]:
    if terms is not None and terms.credit_limit_minor is not None:
        return terms.credit_limit_minor, terms.currency
    return settings.credit_limit_minor, currency or (terms.currency if terms else "NOK")
