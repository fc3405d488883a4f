"""Place orders, and keep them in step with their invoices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, null, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.catalogue import usecases as catalogue
from orders_svc.catalogue.model import Product
from orders_svc.catalogue.queries import find_products
from orders_svc.orders import events, queries
from orders_svc.orders.errors import OrderNotFound
from orders_svc.orders.model import ORDER_NUMBERS, OrderLine, SalesOrder
from orders_svc.people.model import Person
from orders_svc.people.queries import find_persons


@dataclass(frozen=True, slots=True)
class DraftLine:
    """Goods that are wanted; without a price, the product's own holds."""

    product_id: UUID
    quantity: int
    unit_price_minor: int | None = None


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order that somebody wants to place; its goods have one currency."""

    person_id: UUID
    lines: tuple[DraftLine, ...]
    response_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    ship_to: dict[str, Any] | None = None
    merged_id: UUID | None = None


@dataclass(slots=True)
class Outcome:
    """The order, or what there is too little of: what is available, by sku."""

    order: SalesOrder | None = None
    available: dict[str, int] = field(default_factory=dict)


async def place_orders(tx: Tx, drafts: Sequence[OrderDraft]) -> list[Outcome]:
    """Place orders and set their goods aside, first come first served; one outcome per draft.

    An order is placed whole or not at all. Publishes the orders and asks for a message to each customer. The products
    are locked last, for as short as can be: a thing that everybody wants is sold no faster than its lock is passed on.
    """
    if not drafts:
        return []
    products = await find_products(
        tx, [line.product_id for draft in drafts for line in draft.lines]
    )
    outcomes = [Outcome(available=_short(draft, products)) for draft in drafts]
    hopeful = [
        (draft, outcome)
        for draft, outcome in zip(drafts, outcomes, strict=True)
        if not outcome.available
    ]
    if hopeful:
        await _place(tx, hopeful, products)
    return outcomes


async def _place(
    tx: Tx, hopeful: Sequence[tuple[OrderDraft, Outcome]], products: dict[UUID, Product]
) -> None:
    now = tx.clock.now()
    drawn = select(ORDER_NUMBERS.next_value()).select_from(func.generate_series(1, len(hopeful)))
    numbers = list(await tx.scalars(drawn))
    persons = await find_persons(tx, [draft.person_id for draft, _ in hopeful])
    lines: dict[UUID, list[OrderLine]] = {}
    wants: list[catalogue.Want] = []
    for (draft, outcome), number in zip(hopeful, numbers, strict=True):
        order_id = new_id()
        lines[order_id] = [
            _line(order_id, line_no, line, products[line.product_id])
            for line_no, line in enumerate(draft.lines, 1)
        ]
        outcome.order = SalesOrder(
            order_id=order_id,
            number=str(number),
            person_id=draft.person_id,
            response_id=draft.response_id,
            campaign_id=draft.campaign_id,
            cell_id=draft.cell_id,
            total_minor=sum(line.amount_minor for line in lines[order_id]),
            currency=products[draft.lines[0].product_id].currency,
            placed_at=now,
            ship_to=draft.ship_to,
            merged_id=draft.merged_id,
        )
        wants += [
            catalogue.Want(order_id, product_id, quantity)
            for product_id, quantity in _sums(draft).items()
        ]
    rows = [outcome.order.model_dump() for _, outcome in hopeful if outcome.order]
    await tx.execute(insert(SalesOrder), rows)
    await tx.execute(
        insert(OrderLine), [line.model_dump() for one in lines.values() for line in one]
    )
    await catalogue.hold(tx, wants)
    short = await catalogue.reserve(tx, wants)
    await _drop(tx, [one for one in hopeful if one[1].order and one[1].order.order_id in short])
    placed = [outcome.order for _, outcome in hopeful if outcome.order is not None]
    tx.stage(events.orders_placed(placed, lines, now))
    tx.stage(
        events.notices_requested(
            events.notice(
                "order_placed",
                order.person_id,
                events.order_facts(
                    order, lines[order.order_id], language_of(persons.get(order.person_id))
                ),
            )
            for order in placed
        )
    )


async def _drop(tx: Tx, late: Sequence[tuple[OrderDraft, Outcome]]) -> None:
    """Take back what was written for orders whose goods went to others in the meantime."""
    if not late:
        return
    order_ids = [outcome.order.order_id for _, outcome in late if outcome.order]
    await tx.execute(delete(OrderLine).where(col(OrderLine.order_id).in_(order_ids)))
    await tx.execute(delete(SalesOrder).where(col(SalesOrder.order_id).in_(order_ids)))
    left = await find_products(tx, [line.product_id for draft, _ in late for line in draft.lines])
    for draft, outcome in late:
        outcome.order, outcome.available = None, _short(draft, left)


async def forget_addresses(tx: Tx, person_ids: Sequence[UUID]) -> None:
    """Empty the addresses that erased persons gave for their orders."""
    await tx.execute(
        update(SalesOrder)
        .where(col(SalesOrder.person_id).in_(person_ids), col(SalesOrder.ship_to).is_not(None))
        .values(ship_to=null())
    )


async def lock_order(tx: Tx, order_id: UUID) -> SalesOrder:
    """Return an order locked until the end of the transaction. Raises `OrderNotFound`."""
    order: SalesOrder | None = await tx.scalar(
        select(SalesOrder)
        .where(col(SalesOrder.order_id) == order_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise OrderNotFound(f"No order has the id {order_id}")
    return order


async def mark_paid(tx: Tx, order_ids: Iterable[UUID]) -> None:
    """Note that the invoices of orders are paid in full; told once, however often it is said."""
    now = tx.clock.now()
    rows = await tx.scalars(
        select(SalesOrder)
        .where(col(SalesOrder.order_id).in_(set(order_ids)))
        .order_by(col(SalesOrder.order_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    paid = [order for order in rows if order.pay(at=now)]
    lines = await queries.lines_of(tx, [order.order_id for order in paid])
    tx.stage(events.orders_paid(paid, lines, now))


def language_of(person: Person | None) -> str:
    """Return the language in which a customer is told things."""
    return person.language if person else Language.EN.value


def _sums(draft: OrderDraft) -> dict[UUID, int]:
    sums: dict[UUID, int] = {}
    for line in draft.lines:
        sums[line.product_id] = sums.get(line.product_id, 0) + line.quantity
    return sums


def _short(draft: OrderDraft, products: dict[UUID, Product]) -> dict[str, int]:
    """Return what is available of the goods that a draft wants more of; nothing when there is enough."""
    found = {one: products.get(one) for one in _sums(draft)}
    free = {one: product.available if product else 0 for one, product in found.items()}
    return {
        (product.sku if product else str(one)): free[one]
        for one, product in found.items()
        if free[one] < _sums(draft)[one]
    }


def _line(order_id: UUID, line_no: int, line: DraftLine, product: Product) -> OrderLine:
    price = product.price_minor if line.unit_price_minor is None else line.unit_price_minor
    return OrderLine(
        order_id=order_id,
        line_no=line_no,
        product_id=product.product_id,
        sku=product.sku,
        name=product.name,
        quantity=line.quantity,
        unit_price_minor=price,
        vat_pct=product.vat_pct,
        amount_minor=price * line.quantity,
    )
