"""Take orders from shops and people at the telephone: once, from somebody who is known, of goods that can be sold.

What a customer may owe is asked here, for orders know nothing of credit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from kantis_kit.db.aliases import resolve
from kantis_kit.tx import Tx
from orders_svc.aliases import person_alias
from orders_svc.catalogue.errors import SoldOut
from orders_svc.credit.queries import find_held
from orders_svc.credit.usecases import hold_above
from orders_svc.orders import changes, queries
from orders_svc.orders.errors import ExternalIdReused
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.schemas import OrderIn
from orders_svc.orders.usecases import DraftLine, OrderDraft, place_orders
from orders_svc.people.errors import PersonUnknown
from orders_svc.people.queries import find_person


@dataclass(frozen=True, slots=True)
class Taken:
    """An order and the rest of it that waits."""

    order: SalesOrder
    back_order: SalesOrder | None
    is_new: bool = True


async def take_order(tx: Tx, body: OrderIn) -> Taken:
    """Place an order, or return the one that was placed under the same id of its shop.

    Raises:
        PersonUnknown: no card of the person is here, or the person has been erased.
        ExternalIdReused: the id belongs to an order of somebody else.
        Invalid: a line names no product, or a family.
        NotSoldIn: goods have no price in the currency.
        SoldOut: goods are short, and the order says that it is to be refused then.
    """
    leads = await resolve(tx, person_alias, [body.person_id])
    person_id = leads.get(body.person_id, body.person_id)
    if body.external_id is not None:
        # Of the same order sent twice at once, the second waits here and finds the first.
        await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext(body.external_id))))
    before = await queries.find_external(tx, body.external_id)
    if before is not None:
        if before.person_id != person_id:
            raise ExternalIdReused(
                f"external_id {body.external_id} is order {before.number} of somebody else;"
                " two orders need two ids",
                order_id=str(before.order_id),
            )
        return Taken(before, await queries.find_rest(tx, before.order_id), is_new=False)
    person = await find_person(tx, person_id)
    if person is None or person.is_erased:
        raise PersonUnknown(f"There is no card of the person {body.person_id} here")
    goods = await queries.goods_of(tx, body.lines, body.currency)
    draft = draft_of(body, person_id, goods)
    (outcome,) = await place_orders(tx, [draft])
    if outcome.order is None:
        what = ", ".join(f"{sku}: {left}" for sku, left in outcome.available.items())
        raise SoldOut(f"Available now: {what}", available=outcome.available)
    # What waits is no debt yet: it is asked for when its goods have come.
    await hold_above(tx, [one for one in outcome.orders if not one.is_waiting])
    return Taken(outcome.order, outcome.back_order)


async def change_lines(tx: Tx, order: SalesOrder, goods: Sequence[tuple[UUID, int]]) -> SalesOrder:
    """Give a locked order other lines; one that grows above what its customer may owe is held.

    Raises as `changes.change_lines` does.
    """
    before = order.total_minor
    await changes.change_lines(tx, order, goods)
    is_more = order.total_minor > before and not order.is_waiting
    if is_more and not await find_held(tx, [order.order_id]):
        await hold_above(tx, [order])
    return order


def draft_of(body: OrderIn, person_id: UUID, goods: Sequence[tuple[UUID, int]]) -> OrderDraft:
    """Return what somebody wants whose id leads to `person_id`, with the goods that the lines name."""
    return OrderDraft(
        person_id=person_id,
        lines=tuple(DraftLine(product_id, quantity) for product_id, quantity in goods),
        ship_to=body.ship_to.model_dump(exclude_defaults=True) | {"country": body.ship_to.country}
        if body.ship_to
        else None,
        merged_id=body.person_id if person_id != body.person_id else None,
        currency=body.currency,
        if_short=body.if_short,
        substitutes=body.substitutes,
        external_id=body.external_id,
    )
