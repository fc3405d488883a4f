"""Orders are picked together: gathered, walked along the places, confirmed by scanning, let go again.

Whoever changes a line has locked its order first, as everybody does who changes an order.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, func
from sqlmodel import col, select

from kantis_kit.calendar import ZONES, date_in
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.catalogue.queries import find_by_sku
from orders_svc.orders.model import OrderState, SalesOrder
from orders_svc.orders.queries import lines_of
from orders_svc.orders.usecases import lock_order
from orders_svc.settings import OrdersSettings
from orders_svc.shipments import usecases as shipments
from orders_svc.waves import queries, sql
from orders_svc.waves.errors import (
    LineSettled,
    LineTaken,
    NothingToPick,
    StillPicked,
    UnknownProduct,
    WaveClosed,
    WaveNotFound,
    WrongProduct,
    WrongQuantity,
)
from orders_svc.waves.model import (
    WAVE_NUMBERS,
    LineState,
    MemberState,
    Wave,
    WaveLine,
    WaveOrder,
    WaveState,
)
from orders_svc.waves.schemas import Rest, ShortIn

LEASE = timedelta(minutes=30)
"""So long a picker has for a walk; what is not confirmed by then, others may take."""


async def make_wave(tx: Tx, *, max_orders: int) -> Wave:
    """Gather up to so many placed orders, and put what they want in the sequence of the places.

    Raises:
        NothingToPick: no order waits.
    """
    now = tx.clock.now()
    wave = Wave(
        wave_id=new_id(),
        number=await tx.scalar(select(WAVE_NUMBERS.next_value())),
        orders=0,
        lines=0,
        made_by=tx.actor,
        made_at=now,
    )
    tx.add(wave)
    await tx.flush()  # its orders refer to it
    given = {"wave": wave.wave_id, "now": now}
    await tx.execute(sql.GATHER, {**given, "max_orders": max_orders})
    await tx.execute(sql.WALK, {"wave": wave.wave_id})
    wave.orders = await _count(tx, WaveOrder, wave.wave_id)
    wave.lines = await _count(tx, WaveLine, wave.wave_id)
    if not wave.orders:
        raise NothingToPick("Every placed order is in a wave, or waits for its goods")
    return wave


async def take_lines(tx: Tx, wave_id: UUID, *, lines: int) -> list[Row[tuple[object, ...]]]:
    """Take the next lines of a walk for whoever asks; nobody else gets them until the lease ends.

    Raises:
        WaveNotFound: no wave has this id.
        WaveClosed: nothing of it is to be picked any more.
    """
    wave = await queries.get_wave(tx, wave_id)
    if wave.state != WaveState.OPEN:
        raise WaveClosed(f"Wave {wave.number} is {wave.state}", state=wave.state)
    now = tx.clock.now()
    taken = await tx.execute(
        sql.TAKE,
        {"wave": wave_id, "by": tx.actor, "now": now, "until": now + LEASE, "lines": lines},
    )
    return sorted(taken.all(), key=lambda line: line.walk_no)


async def confirm(tx: Tx, wave_id: UUID, walk_no: int, *, code: str, quantity: int) -> WaveLine:
    """Confirm by what was scanned that a line has been picked.

    Raises:
        WaveNotFound: there is no such line.
        LineSettled: it was picked before, or is not to be picked any more.
        LineTaken: somebody else is on the way to it.
        UnknownProduct: no product has this code.
        WrongProduct: the line wants another one.
        WrongQuantity: it wants more, or fewer.
    """
    line, _ = await _lock_line(tx, wave_id, walk_no)
    scanned = (await find_by_sku(tx, [code])).get(code)
    where = f"Line {walk_no} wants {line.quantity} × {line.sku} ({line.name})"
    if scanned is None:
        raise UnknownProduct(f"No product has the code {code}. {where}")
    if scanned.product_id != line.product_id:
        raise WrongProduct(
            f"{code} is {scanned.name}. {where} from place {line.place or '-'}",
            wanted=line.sku,
            scanned=code,
        )
    if quantity != line.quantity:
        hint = (
            "put back what is too much"
            if quantity > line.quantity
            else "take the rest, or say that there is too little"
        )
        raise WrongQuantity(f"{where}, not {quantity}: {hint}", wanted=line.quantity)
    await _settle(tx, line, LineState.PICKED, quantity)
    return line


async def fall_short(tx: Tx, wave_id: UUID, walk_no: int, given: ShortIn) -> WaveLine:
    """Note that the shelf had fewer than wanted; the rest comes later, or not at all, and the customer is told.

    Raises:
        WaveNotFound: there is no such line.
        LineSettled: it was picked before, or is not to be picked any more.
        LineTaken: somebody else is on the way to it.
        WrongQuantity: there were as many as wanted, or more.
        Invalid: the day on which to try again has passed.
    """
    line, order = await _lock_line(tx, wave_id, walk_no)
    if given.picked >= line.quantity:
        raise WrongQuantity(
            f"Line {walk_no} wants {line.quantity} and {given.picked} were there: confirm it instead",
            wanted=line.quantity,
        )
    missing = {line.line_no: line.quantity - given.picked}
    await _settle(tx, line, LineState.SHORT, given.picked)
    if given.rest is Rest.CALL_OFF:
        await shipments.call_off(tx, order, missing)
    else:
        order.pick_after = _again(tx, given)
        lines = (await lines_of(tx, [order.order_id]))[order.order_id]
        await shipments.tell_delay(tx, order, lines, missing)
    await _end_empty(tx, wave_id, order)
    return line


async def cancel_wave(tx: Tx, wave_id: UUID) -> Wave:
    """Let the orders of a wave go of which nothing was taken yet; those that lie in a box are finished.

    Raises:
        WaveNotFound: no wave has this id.
        WaveClosed: nothing of it is to be picked any more.
    """
    wave = await queries.get_wave(tx, wave_id)
    if wave.state != WaveState.OPEN:
        raise WaveClosed(f"Wave {wave.number} is {wave.state}", state=wave.state)
    await tx.execute(sql.CANCEL, {"wave": wave_id, "now": tx.clock.now()})
    left = await _count(tx, WaveLine, wave_id, col(WaveLine.state) == LineState.WAITING.value)
    if not left:
        wave.state, wave.closed_at = WaveState.CANCELLED.value, tx.clock.now()
    return wave


async def leave(tx: Tx, order_ids: Sequence[UUID]) -> None:
    """Take orders out of the waves in which they are: they have left the house, or are not wanted any more."""
    for order_id in order_ids:
        membership = await queries.find_membership(tx, order_id)
        if membership is None:
            continue
        given = {"wave": membership.wave_id, "orders": [order_id], "now": tx.clock.now()}
        await tx.execute(sql.LEAVE_LINES, given)
        await tx.execute(sql.LEAVE, given)
        await tx.execute(sql.SETTLE_WAVE, given)


async def ready(tx: Tx, order: SalesOrder) -> dict[int, int]:
    """Return how many of each line can be packed or shipped now: what a wave has picked, without a wave all that is left.

    Raises:
        StillPicked: a wave has not come to its last line.
    """
    membership = await queries.find_membership(tx, order.order_id)
    if membership is None:
        lines = (await lines_of(tx, [order.order_id])).get(order.order_id, [])
        return {line.line_no: line.left for line in lines if line.left}
    if membership.state == MemberState.PICKING:
        wave = await queries.get_wave(tx, membership.wave_id)
        raise StillPicked(
            f"Wave {wave.number} has not come to its last line: confirm what waits, or say what is short",
            wave_id=str(wave.wave_id),
        )
    picked = await queries.picked_of(tx, membership)
    return {line_no: quantity for line_no, quantity in picked.items() if quantity}


async def set_priority(tx: Tx, order_id: UUID, priority: int) -> SalesOrder:
    """Say which orders waves take first. Raises `OrderNotFound`."""
    order = await lock_order(tx, order_id)
    if order.priority != priority:
        order.priority = priority
        order.version += 1
    return order


async def _lock_line(tx: Tx, wave_id: UUID, walk_no: int) -> tuple[WaveLine, SalesOrder]:
    seen = await tx.get(WaveLine, (wave_id, walk_no))
    if seen is None:
        await queries.get_wave(tx, wave_id)
        raise WaveNotFound(f"The wave has no line {walk_no}")
    order = await lock_order(tx, seen.order_id)
    line: WaveLine = (
        await tx.scalars(
            select(WaveLine)
            .where(col(WaveLine.wave_id) == wave_id, col(WaveLine.walk_no) == walk_no)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one()
    if line.state != LineState.WAITING:
        raise LineSettled(f"Line {walk_no} is {line.state}", state=line.state)
    is_held = line.taken_until is not None and line.taken_until > tx.clock.now()
    if is_held and line.taken_by != tx.actor:
        raise LineTaken(f"Line {walk_no} is on the walk of somebody else until {line.taken_until}")
    return line, order


async def _settle(tx: Tx, line: WaveLine, state: LineState, picked: int) -> None:
    now = tx.clock.now()
    line.state, line.picked, line.settled_at = state.value, picked, now
    line.taken_by, line.taken_until = "", None
    await tx.flush()  # the statements below look at the lines
    given = {"wave": line.wave_id, "order": line.order_id, "now": now}
    await tx.execute(sql.SETTLE_ORDER, given)
    await tx.execute(sql.SETTLE_WAVE, given)


async def _end_empty(tx: Tx, wave_id: UUID, order: SalesOrder) -> None:
    """Let an order go back of which nothing was on the shelf: there is nothing to pack."""
    membership = await queries.find_membership(tx, order.order_id)
    if membership is None or membership.state != MemberState.PICKED:
        return
    if any((await queries.picked_of(tx, membership)).values()):
        return
    await leave(tx, [order.order_id])
    if order.state == OrderState.PICKING:
        order.put_back()


def _again(tx: Tx, given: ShortIn) -> datetime:
    country = tx.settings(OrdersSettings).company_country
    today = date_in(tx.clock.now(), country)
    day = given.try_again_on or today + timedelta(days=1)
    if day < today:
        raise Invalid(f"try_again_on: {day} has passed; give today or a later day")
    return datetime.combine(day, time(0), tzinfo=ZoneInfo(ZONES[country]))


async def _count(
    tx: Tx,
    model: type[WaveOrder] | type[WaveLine],
    wave_id: UUID,
    *more: ColumnElement[bool],
) -> int:
    rows = select(func.count()).select_from(model).where(col(model.wave_id) == wave_id, *more)
    return int(await tx.scalar(rows))
