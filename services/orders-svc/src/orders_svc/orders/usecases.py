"""Place orders, and keep them in step with their invoices."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Date, Uuid, column, delete, func, null, update
from sqlmodel import col, select

from kantis_contracts.values import Language
from kantis_kit.db.sets import one_of, row_set
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx
from orders_svc.base import insert_all, table_of
from orders_svc.catalogue import usecases as catalogue
from orders_svc.catalogue.queries import find_products
from orders_svc.incoming.queries import arrivals
from orders_svc.orders import events, queries
from orders_svc.orders.drafting import (
    DraftLine,
    OrderDraft,
    Terms,
    country_of,
    divide,
    make_lines,
    read_terms,
    with_substitutes,
)
from orders_svc.orders.errors import OrderNotFound
from orders_svc.orders.model import ORDER_NUMBERS, Basket, OrderLine, OrderState, SalesOrder
from orders_svc.orders.schemas import IfShort, Substitutes
from orders_svc.people.model import Person
from orders_svc.people.queries import find_persons
from orders_svc.settings import OrdersSettings

__all__ = ["DraftLine", "OrderDraft", "Outcome", "place_orders"]


@dataclass(slots=True)
class Outcome:
    """The order, and the rest of it that waits for goods; or what there is too little of: what is available, by sku."""

    order: SalesOrder | None = None
    available: dict[str, int] = field(default_factory=dict)
    back_order: SalesOrder | None = None

    @property
    def orders(self) -> list[SalesOrder]:
        """What was placed."""
        return [order for order in (self.order, self.back_order) if order is not None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A draft and what becomes of it."""

    draft: OrderDraft
    outcome: Outcome


Lines = dict[UUID, list[OrderLine]]


async def place_orders(tx: Tx, drafts: Sequence[OrderDraft]) -> list[Outcome]:
    """Place orders and set their goods aside, first come first served; one outcome per draft.

    A draft says what becomes of it when goods are short: it is refused, it waits as a whole, or what is there goes and
    the rest waits as an order of its own. Publishes the orders and asks for a message to each customer. The products
    are locked last, for as short as can be: a thing that everybody wants is sold no faster than its lock is passed on.

    Raises:
        NotSoldIn: goods have no price in the currency of their order.
    """
    asked = [_Asked(draft, Outcome()) for draft in drafts]
    left = [one for one in asked if one.draft.lines]
    if not left:
        return [one.outcome for one in asked]
    persons = await find_persons(tx, [draft.person_id for draft in drafts])
    terms = await read_terms(tx, drafts, persons)
    lines: Lines = {}
    while left:
        planned = _plan(tx, left, terms, persons)
        lines |= planned
        await _write(tx, left, planned)
        late = await _set_aside(tx, left, lines)
        await _drop(tx, late, lines)
        if late:
            # Locked by now: what is left is no guess any more.
            terms.refresh(await find_products(tx, terms.products))
        left = late
    await _queue(tx, [one.outcome for one in asked], lines, terms)
    await _tell(tx, [one.outcome for one in asked], lines, persons)
    return [one.outcome for one in asked]


def wants_of(order_id: UUID, lines: Iterable[OrderLine]) -> list[catalogue.Want]:
    """Return what the lines of an order take from the shelves."""
    sums: dict[UUID, int] = {}
    for line in lines:
        sums[line.product_id] = sums.get(line.product_id, 0) + line.quantity
    return [catalogue.Want(order_id, one, quantity) for one, quantity in sums.items()]


def _plan(tx: Tx, asked: Sequence[_Asked], terms: Terms, persons: Mapping[UUID, Person]) -> Lines:
    """Decide about drafts by what seems to be there; orders stand in their outcomes, without numbers still."""
    home = tx.settings(OrdersSettings).company_country
    lines: Lines = {}
    for one in asked:
        draft, outcome = one.draft, one.outcome
        if draft.substitutes is Substitutes.ALLOW:
            draft = with_substitutes(draft, terms)
        short = terms.short(draft.lines)
        now, later = (draft, None) if not short else (None, draft)
        if short and draft.if_short is IfShort.PARTIAL:
            now, later = divide(draft, terms)
        if short and (draft.if_short is IfShort.REFUSE or not _can_wait(draft, terms)):
            outcome.available = _by_sku(short, terms)
            continue
        country = country_of(draft, persons.get(draft.person_id), home)
        for part, state in ((now, OrderState.PLACED), (later, OrderState.WAITING)):
            if part is None:
                continue
            order, lines_of_it = draft_order(tx, part, state, country, terms)
            lines[order.order_id] = lines_of_it
            if outcome.order is None:
                outcome.order = order
                if state is OrderState.PLACED:
                    terms.take(part.lines)
            else:
                _is_rest_of(order, outcome.order)
                outcome.back_order = order
    return lines


def draft_order(
    tx: ReadTx, draft: OrderDraft, state: OrderState, country: str, terms: Terms
) -> tuple[SalesOrder, list[OrderLine]]:
    """Return an order without a number still, with its lines; nothing is written or set aside.

    Raises:
        NotSoldIn: goods have no price in the currency of the order.
        VatUnknown: no rate of VAT holds where they go.
    """
    order_id = new_id()
    lines = make_lines(order_id, draft, country, terms)
    order = SalesOrder(
        order_id=order_id,
        number="",
        state=state.value,
        person_id=draft.person_id,
        response_id=draft.response_id,
        campaign_id=draft.campaign_id,
        cell_id=draft.cell_id,
        total_minor=sum(line.amount_minor for line in lines),
        currency=terms.currency_of(draft),
        placed_at=tx.clock.now(),
        ship_to=draft.ship_to,
        merged_id=draft.merged_id,
        external_id=draft.external_id,
        substitutes=draft.substitutes.value,
    )
    return order, lines


def _is_rest_of(rest: SalesOrder, order: SalesOrder) -> None:
    rest.split_from = order.order_id
    rest.response_id = rest.external_id = None


def _can_wait(draft: OrderDraft, terms: Terms) -> bool:
    """Tell whether there will ever be such goods: they are sold, and lie on shelves."""
    known = [terms.products.get(one) for one in terms.wanted(draft.lines)]
    return all(product and product.is_active and product.has_stock for product in known)


async def _write(tx: Tx, asked: Sequence[_Asked], lines: Lines) -> None:
    placed = [one.outcome for one in asked if one.outcome.order is not None]
    if not placed:
        return
    drawn = select(ORDER_NUMBERS.next_value()).select_from(func.generate_series(1, len(placed)))
    for outcome, number in zip(placed, await tx.scalars(drawn), strict=True):
        for order, suffix in zip(outcome.orders, ("", "-2"), strict=False):
            order.number = f"{number}{suffix}"
    orders = [order for outcome in placed for order in outcome.orders]
    await tx.execute(insert_all(SalesOrder, [order.model_dump() for order in orders]))
    told = [line.model_dump() for order in orders for line in lines[order.order_id]]
    await tx.execute(insert_all(OrderLine, told))
    await tx.execute(insert_all(Basket, [{"order_id": order.order_id} for order in orders]))


async def _set_aside(tx: Tx, asked: Sequence[_Asked], lines: Lines) -> list[_Asked]:
    """Set goods aside; return whose went to others in the meantime."""
    wants = [
        want
        for one in asked
        for order in one.outcome.orders
        if not order.is_waiting
        for want in wants_of(order.order_id, lines[order.order_id])
    ]
    await catalogue.hold(tx, wants)
    short = await catalogue.reserve(tx, wants)
    return [one for one in asked if one.outcome.order and one.outcome.order.order_id in short]


async def _drop(tx: Tx, late: Sequence[_Asked], lines: Lines) -> None:
    """Take back what was written for orders whose goods went to others in the meantime."""
    if not late:
        return
    order_ids = [order.order_id for one in late for order in one.outcome.orders]
    for model in (Basket, OrderLine):
        await tx.execute(delete(model).where(col(model.order_id).in_(order_ids)))
    rest = [order.order_id for one in late for order in one.outcome.orders if order.split_from]
    for ids in (rest, order_ids):
        await tx.execute(delete(SalesOrder).where(col(SalesOrder.order_id).in_(ids)))
    for order_id in order_ids:
        del lines[order_id]
    for one in late:
        one.outcome.order = one.outcome.back_order = None


async def _queue(tx: Tx, outcomes: Sequence[Outcome], lines: Lines, terms: Terms) -> None:
    """Let orders wait for their goods, and promise each a day where one is known."""
    waiting = [order for one in outcomes for order in one.orders if order.is_waiting]
    if not waiting:
        return
    wants = [want for order in waiting for want in wants_of(order.order_id, lines[order.order_id])]
    known = await catalogue.lock_products(tx, [want.product_id for want in wants])
    today = terms.prices.on
    coming = await arrivals(tx, known, today=today)
    for order in waiting:
        wanted = wants_of(order.order_id, lines[order.order_id])
        order.promised_on = coming.promise({want.product_id: want.quantity for want in wanted})
    await catalogue.queue(tx, wants)
    promised = row_set(
        "promised",
        [column("order_id", Uuid()), column("promised_on", Date())],
        [(one.order_id, one.promised_on) for one in waiting if one.promised_on is not None],
    )
    table = table_of(SalesOrder)
    await tx.execute(
        update(table)
        .where(table.c.order_id == promised.c.order_id)
        .values(promised_on=promised.c.promised_on)
    )


async def _tell(
    tx: Tx, outcomes: Sequence[Outcome], lines: Lines, persons: Mapping[UUID, Person]
) -> None:
    placed = [order for outcome in outcomes for order in outcome.orders]
    tx.stage(events.orders_placed(placed, lines, tx.clock.now()))
    offers = await queries.offers_for(tx, placed, lines)
    tx.stage(
        events.notices_requested(
            events.placed_notice(
                order,
                lines[order.order_id],
                language_of(persons.get(order.person_id)),
                offers.get(order.order_id, []),
            )
            for order in placed
        )
    )


def _by_sku(short: Mapping[UUID, int], terms: Terms) -> dict[str, int]:
    return {
        (terms.products[one].sku if one in terms.products else str(one)): left
        for one, left in short.items()
    }


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
    paid = await _note_paid(tx, order_ids, at=now)
    lines = await queries.lines_of(tx, [order.order_id for order in paid])
    tx.stage(events.orders_paid(paid, lines, now))


async def mark_unpaid(tx: Tx, order_ids: Iterable[UUID]) -> None:
    """Note that money was taken back of orders that had been paid in full."""
    unpaid = await _note_paid(tx, order_ids, at=None)
    lines = await queries.lines_of(tx, [order.order_id for order in unpaid])
    tx.stage(events.orders_unpaid(unpaid, lines, tx.clock.now()))


async def _note_paid(tx: Tx, order_ids: Iterable[UUID], *, at: datetime | None) -> list[SalesOrder]:
    """Note of orders in one statement since when they are paid, or that they are not; return those that it is news of."""
    locked = (
        select(col(SalesOrder.order_id))
        .where(
            col(SalesOrder.order_id) == one_of(list(set(order_ids)), Uuid()),
            col(SalesOrder.is_paid) == (at is None),
        )
        .order_by(col(SalesOrder.order_id))
        .with_for_update(key_share=True)
        .cte("locked")
    )
    rows = await tx.scalars(
        update(SalesOrder)
        .where(col(SalesOrder.order_id) == locked.c.order_id)
        .values(is_paid=at is not None, paid_at=at, version=col(SalesOrder.version) + 1)
        .returning(SalesOrder)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    return sorted(rows, key=lambda order: order.order_id)


def language_of(person: Person | None) -> str:
    """Return the language in which a customer is told things."""
    return person.language if person else Language.EN.value
