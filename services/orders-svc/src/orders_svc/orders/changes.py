"""Change what an order has, until it is picked: other lines, or something else instead of what it waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_kit.errors import Invalid
from kantis_kit.tx import Tx
from orders_svc.catalogue import usecases as catalogue
from orders_svc.catalogue.errors import SoldOut
from orders_svc.catalogue.queries import find_by_sku, parts_of, substitutes_of
from orders_svc.orders import events, queries
from orders_svc.orders.drafting import DraftLine, OrderDraft, country_of, make_lines, read_terms
from orders_svc.orders.errors import NoSubstitute, WrongState
from orders_svc.orders.model import OrderLine, SalesOrder
from orders_svc.orders.usecases import language_of, lock_order, wants_of
from orders_svc.people.queries import find_person
from orders_svc.settings import OrdersSettings


async def change_lines(tx: Tx, order: SalesOrder, goods: Sequence[tuple[UUID, int]]) -> SalesOrder:
    """Give a locked order other lines; what it had keeps the price that was agreed.

    Raises:
        WrongState: it is being picked, or further.
        SoldOut: there is too little of what is new; nothing has changed.
        NotSoldIn: goods have no price in the currency of the order.
    """
    agreed = await _agreed(tx, await _lines(tx, order))
    lines = tuple(DraftLine(one, quantity, agreed.get(one)) for one, quantity in goods)
    return await _exchange(tx, order, lines, "order_changed")


async def accept_substitute(tx: Tx, order_id: UUID, *, sku: str, instead: str) -> SalesOrder:
    """Give the customer what they agree to have instead; never at a higher price.

    Raises:
        OrderNotFound: no order has this id.
        WrongState: it does not wait for goods, nor is it placed only.
        NoSubstitute: the order has no such goods, or the other is not declared as what may be sent instead.
        SoldOut: there is too little of the other, too.
    """
    order = await lock_order(tx, order_id)
    known = await find_by_sku(tx, [sku, instead])
    wanted, other = known.get(sku), known.get(instead)
    if wanted is None or other is None:
        field, named = ("sku", sku) if wanted is None else ("instead", instead)
        message = f"no product has the sku {named}"
        raise Invalid(
            f"{field}: {message}", errors=[{"in": "body", "field": field, "message": message}]
        )
    held = await _lines(tx, order)
    declared = (await substitutes_of(tx, [wanted.product_id])).get(wanted.product_id, [])
    is_theirs = any(line.product_id == wanted.product_id and not line.bundle_id for line in held)
    if other.product_id not in declared or not is_theirs:
        raise NoSubstitute(
            f"{instead} may not be sent instead of {sku} in order {order.number}: see"
            f" GET /v1/products/{wanted.product_id}/substitutes"
        )
    agreed = await _agreed(tx, held)
    most = agreed[wanted.product_id]
    price = min(most, other.price_minor) if other.currency == order.currency else most
    lines = tuple(
        replace(
            line,
            product_id=other.product_id,
            unit_price_minor=price,
            wanted_id=wanted.product_id,
        )
        if line.product_id == wanted.product_id
        else line
        for line in await _as_drafted(tx, held, agreed)
    )
    return await _exchange(tx, order, lines, "order_substituted", must_have=True)


async def _exchange(
    tx: Tx,
    order: SalesOrder,
    lines: tuple[DraftLine, ...],
    kind: str,
    *,
    must_have: bool = False,
) -> SalesOrder:
    was_waiting = order.is_waiting
    if any(line.left < line.quantity for line in await _lines(tx, order)):
        raise WrongState(
            f"Part of order {order.number} has left: call the rest off, and order anew",
            state=order.state,
        )
    order.change(total_minor=order.total_minor, is_waiting=was_waiting)
    person = await find_person(tx, order.person_id)
    draft = OrderDraft(order.person_id, lines, ship_to=order.ship_to, currency=order.currency)
    terms = await read_terms(tx, [draft], {person.person_id: person} if person else {})
    country = country_of(draft, person, tx.settings(OrdersSettings).company_country)
    made = make_lines(order.order_id, draft, country, terms)
    wants = {want.product_id: want.quantity for want in wants_of(order.order_id, made)}
    await tx.execute(delete(OrderLine).where(col(OrderLine.order_id) == order.order_id))
    await tx.execute(insert(OrderLine), [line.model_dump() for line in made])
    order.total_minor = sum(line.amount_minor for line in made)
    short = await catalogue.exchange(tx, order.order_id, wants)
    if short and (must_have or not was_waiting):
        left = {terms.products[one].sku: there for one, there in short.items()}
        what = ", ".join(f"{sku}: {there}" for sku, there in left.items())
        raise SoldOut(f"Available for this order now: {what}", available=left)
    if was_waiting and not short:
        order.fill()
    tx.stage(events.orders_changed([order], {order.order_id: made}, tx.clock.now()))
    facts = events.order_facts(order, made, language_of(person))
    tx.stage(events.notices_requested([events.notice(kind, order.person_id, facts)]))
    return order


async def _lines(tx: Tx, order: SalesOrder) -> list[OrderLine]:
    return (await queries.lines_of(tx, [order.order_id])).get(order.order_id, [])


async def _bundles(tx: Tx, lines: Sequence[OrderLine]) -> dict[UUID, int]:
    """Return how many of each bundle these lines are."""
    parts = await parts_of(tx, {line.bundle_id for line in lines if line.bundle_id})
    counts = {}
    for bundle_id, of_bundle in parts.items():
        one = of_bundle[0]
        pieces = sum(
            line.quantity
            for line in lines
            if (line.bundle_id, line.product_id) == (bundle_id, one.product_id)
        )
        counts[bundle_id] = pieces // one.quantity
    return counts


async def _agreed(tx: Tx, lines: Sequence[OrderLine]) -> dict[UUID, int]:
    """Return at what price the goods and bundles of these lines were sold."""
    agreed = {line.product_id: line.unit_price_minor for line in lines if not line.bundle_id}
    for bundle_id, count in (await _bundles(tx, lines)).items():
        amount = sum(line.amount_minor for line in lines if line.bundle_id == bundle_id)
        agreed[bundle_id] = amount // max(1, count)
    return agreed


async def _as_drafted(
    tx: Tx, lines: Sequence[OrderLine], agreed: Mapping[UUID, int]
) -> list[DraftLine]:
    """Return the lines as they were asked for: bundles whole again."""
    drafted = [
        DraftLine(line.product_id, line.quantity, line.unit_price_minor, line.wanted_id)
        for line in lines
        if not line.bundle_id
    ]
    for bundle_id, count in (await _bundles(tx, lines)).items():
        drafted.append(DraftLine(bundle_id, count, agreed[bundle_id]))
    return drafted
