"""Orders leave, whole or in parts; what does not come any more is called off."""

from collections.abc import Mapping, Sequence

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing import usecases as billing
from orders_svc.catalogue import parts
from orders_svc.catalogue.usecases import Want
from orders_svc.orders import events
from orders_svc.orders import queries as orders
from orders_svc.orders.model import OrderLine, SalesOrder
from orders_svc.orders.usecases import language_of
from orders_svc.people.queries import find_person
from orders_svc.responses import usecases as responses
from orders_svc.shipments import queries
from orders_svc.shipments.errors import MoreThanLeft
from orders_svc.shipments.model import Shipment, ShipmentLine


async def ship_lines(
    tx: Tx, order: SalesOrder, quantities: Mapping[int, int], *, tracking: str
) -> Shipment:
    """Hand so many of an order's lines over: they leave the stock and are invoiced, the customer is told.

    The order counts as shipped with its last line; until then the rest waits to be picked again. The caller has locked
    the order.

    Raises:
        WrongState: it is not being picked.
        MoreThanLeft: a line has not that many left.
    """
    now = tx.clock.now()
    lines = (await orders.lines_of(tx, [order.order_id])).get(order.order_id, [])
    going = _part(lines, quantities)
    for line in lines:
        line.shipped_quantity += quantities.get(line.line_no, 0)
    if any(line.left for line in lines):
        order.put_back()
    else:
        order.ship(at=now, tracking=tracking)
    await parts.consume_part(tx, _wants(order, going))
    if order.shipped_at is not None:
        tx.stage(events.orders_shipped([order], {order.order_id: lines}, now))
        await responses.answer_orders(tx, [order.order_id])
    await _tell(tx, "order_shipped", order, going, {"tracking": tracking})
    before = len(await queries.shipments_of(tx, [order.order_id]))
    # Last: from here to the commit, every other invoice of the year waits for its number.
    (invoice,) = await billing.issue_invoices(tx, [order], {order.order_id: going})
    shipment = Shipment(
        shipment_id=new_id(),
        order_id=order.order_id,
        number=f"{order.number}-{before + 1}",
        invoice_id=invoice.invoice_id,
        tracking=tracking,
        shipped_at=now,
    )
    tx.add(shipment)
    await tx.flush()  # its lines refer to it
    tx.add_all(
        ShipmentLine(shipment_id=shipment.shipment_id, line_no=line.line_no, quantity=line.quantity)
        for line in going
    )
    return shipment


async def call_off(tx: Tx, order: SalesOrder, quantities: Mapping[int, int]) -> None:
    """Call off so many of an order's lines that do not come any more: the goods are for sale again.

    An order of which nothing is left is cancelled when nothing has left, else it is shipped and costs what has left. The
    caller has locked it.

    Raises:
        MoreThanLeft: a line has not that many left.
    """
    now = tx.clock.now()
    lines = (await orders.lines_of(tx, [order.order_id])).get(order.order_id, [])
    gone = _part(lines, quantities)
    for line in lines:
        line.cancelled_quantity += quantities.get(line.line_no, 0)
    await parts.release_part(tx, _wants(order, gone))
    await _tell(tx, "order_shortened", order, gone, {})
    is_left, has_left = any(one.left for one in lines), any(one.shipped_quantity for one in lines)
    if is_left or has_left:
        order.total_minor -= sum(line.amount_minor for line in gone)
    if is_left:
        order.version += 1
        return
    if has_left:
        order.finish(at=now)
        await tx.flush()  # whether it is paid is asked of the database
        tx.stage(events.orders_shipped([order], {order.order_id: lines}, now))
        await billing.close_orders(tx, [order.order_id])
    else:
        order.cancel(at=now)
        tx.stage(events.orders_cancelled([order], {order.order_id: lines}, now))
    await responses.answer_orders(tx, [order.order_id])


async def tell_delay(
    tx: Tx, order: SalesOrder, lines: Sequence[OrderLine], quantities: Mapping[int, int]
) -> None:
    """Tell a customer what of the order comes later."""
    await _tell(tx, "order_delayed", order, _part(lines, quantities), {})


def _part(lines: Sequence[OrderLine], quantities: Mapping[int, int]) -> list[OrderLine]:
    """Return lines of so many, at the price of the order."""
    by_no = {line.line_no: line for line in lines}
    for line_no, quantity in quantities.items():
        left = by_no[line_no].left if line_no in by_no else 0
        if quantity > left:
            raise MoreThanLeft(
                f"Line {line_no}: {left} of it have still to leave, not {quantity}",
                left={str(line.line_no): line.left for line in lines},
            )
    chosen = {line_no: quantity for line_no, quantity in quantities.items() if quantity}
    if not chosen:
        raise MoreThanLeft("Nothing was chosen: give at least one line and how many of it")
    return [by_no[line_no].part(quantity) for line_no, quantity in sorted(chosen.items())]


def _wants(order: SalesOrder, lines: Sequence[OrderLine]) -> list[Want]:
    return [Want(order.order_id, line.product_id, line.quantity) for line in lines]


async def _tell(
    tx: Tx, kind: str, order: SalesOrder, lines: Sequence[OrderLine], facts: dict[str, str]
) -> None:
    person = await find_person(tx, order.person_id)
    shown = events.order_facts(order, lines, language_of(person))
    tx.stage(events.notices_requested([events.notice(kind, order.person_id, {**shown, **facts})]))
