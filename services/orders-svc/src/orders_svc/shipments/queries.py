"""Read shipments."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.children import children_of
from orders_svc.shipments.model import Shipment, ShipmentLine
from orders_svc.shipments.schemas import ShipmentLineOut, ShipmentOut


async def shipments_of(tx: ReadTx, order_ids: Iterable[UUID]) -> list[Shipment]:
    """Return what has left of orders, in the sequence of its leaving."""
    rows = await tx.scalars(
        select(Shipment)
        .where(col(Shipment.order_id).in_(set(order_ids)))
        .order_by(col(Shipment.shipment_id))
    )
    return list(rows)


async def lines_of(tx: ReadTx, shipment_ids: Iterable[UUID]) -> dict[UUID, list[ShipmentLine]]:
    """Return the lines of shipments, by shipment."""
    return await children_of(
        tx, ShipmentLine, col(ShipmentLine.shipment_id), shipment_ids, by=col(ShipmentLine.line_no)
    )


async def show_shipments(tx: ReadTx, order_id: UUID) -> list[ShipmentOut]:
    """Return what has left of an order."""
    shipments = await shipments_of(tx, [order_id])
    lines = await lines_of(tx, [one.shipment_id for one in shipments])
    shown = []
    for shipment in shipments:
        out = ShipmentOut.model_validate(shipment)
        out.lines = [ShipmentLineOut.model_validate(line) for line in lines[shipment.shipment_id]]
        shown.append(out)
    return shown
