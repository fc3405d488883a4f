"""Parcels arrive: their shipments with the last of them, their orders with the last shipment."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import col, select

from kantis_kit.tx import Tx
from orders_svc.deliveries.schemas import DeliveryIn, DeliveryOut, Outcome
from orders_svc.labels.codes import scanned
from orders_svc.orders import events, queries
from orders_svc.orders.model import OrderState, SalesOrder
from orders_svc.orders.usecases import language_of
from orders_svc.packing.model import Parcel, ParcelState
from orders_svc.people.queries import find_persons
from orders_svc.shipments.model import Shipment


async def take_deliveries(tx: Tx, items: Sequence[DeliveryIn]) -> list[DeliveryOut]:
    """Note what has arrived; the same told twice changes nothing, and the customer is told once."""
    codes = [scanned(item.code) for item in items]
    orders = await _lock_orders(tx, codes)
    parcels, shipments = await _under_way(tx, orders)
    outcomes = []
    for item, code in zip(items, codes, strict=True):
        outcome = _note(item, code, parcels, shipments, now=tx.clock.now())
        outcomes.append(DeliveryOut(code=item.code, outcome=outcome))
    _close_shipments(parcels, shipments)
    await _close_orders(tx, orders, shipments)
    return outcomes


async def _lock_orders(tx: Tx, codes: Sequence[str]) -> dict[UUID, SalesOrder]:
    """Return the orders of which these numbers tell, locked as everybody does who changes an order."""
    by_parcel = select(col(Parcel.order_id)).where(
        or_(col(Parcel.code).in_(codes), col(Parcel.tracking).in_(codes))
    )
    by_shipment = select(col(Shipment.order_id)).where(col(Shipment.tracking).in_(codes))
    rows = await tx.scalars(
        select(SalesOrder)
        .where(
            or_(col(SalesOrder.order_id).in_(by_parcel), col(SalesOrder.order_id).in_(by_shipment))
        )
        .order_by(col(SalesOrder.order_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {order.order_id: order for order in rows}


async def _under_way(
    tx: Tx, order_ids: Iterable[UUID]
) -> tuple[list[Parcel], dict[UUID, Shipment]]:
    chosen = list(order_ids)
    parcels = await tx.scalars(select(Parcel).where(col(Parcel.order_id).in_(chosen)))
    shipments = await tx.scalars(select(Shipment).where(col(Shipment.order_id).in_(chosen)))
    return list(parcels), {one.shipment_id: one for one in shipments}


def _note(
    item: DeliveryIn,
    code: str,
    parcels: Sequence[Parcel],
    shipments: dict[UUID, Shipment],
    *,
    now: datetime,
) -> Outcome:
    """Note that a parcel has arrived, or a shipment that was never packed in numbered ones."""
    there: list[Parcel] | list[Shipment] = [
        one for one in parcels if code in (one.code, one.tracking) and one.shipment_id
    ] or [one for one in shipments.values() if code == one.tracking]
    if not there:
        return Outcome.UNKNOWN
    news = [one for one in there if one.delivered_at is None]
    if not news:
        return Outcome.KNOWN
    for one in news:
        shipment_id = one.shipment_id
        if shipment_id is None or not shipments[shipment_id].shipped_at <= item.delivered_at <= now:
            return Outcome.NOT_YET
        one.delivered_at = item.delivered_at
        if isinstance(one, Parcel):
            one.state = ParcelState.DELIVERED.value
    return Outcome.DELIVERED


def _close_shipments(parcels: Sequence[Parcel], shipments: dict[UUID, Shipment]) -> None:
    for shipment in shipments.values():
        inside = [one.delivered_at for one in parcels if one.shipment_id == shipment.shipment_id]
        arrived = [at for at in inside if at is not None]
        if shipment.delivered_at is None and arrived and len(arrived) == len(inside):
            shipment.delivered_at = max(arrived)


async def _close_orders(
    tx: Tx, orders: dict[UUID, SalesOrder], shipments: dict[UUID, Shipment]
) -> None:
    moments: dict[UUID, list[datetime | None]] = {}
    for shipment in shipments.values():
        moments.setdefault(shipment.order_id, []).append(shipment.delivered_at)
    done = []
    for order in orders.values():
        arrived = [at for at in moments.get(order.order_id, []) if at is not None]
        if order.state == OrderState.SHIPPED and len(arrived) == len(moments[order.order_id]):
            order.deliver(at=max(arrived))
            done.append(order)
    lines = await queries.lines_of(tx, [order.order_id for order in done])
    persons = await find_persons(tx, [order.person_id for order in done])
    tx.stage(events.orders_delivered(done, lines, tx.clock.now()))
    tx.stage(
        events.notices_requested(
            events.notice(
                "order_delivered",
                order.person_id,
                events.order_facts(
                    order, lines[order.order_id], language_of(persons.get(order.person_id))
                ),
            )
            for order in done
        )
    )
