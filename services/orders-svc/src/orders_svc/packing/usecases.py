"""Pack orders into parcels with a number each; unpack what is not wanted any more."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func
from sqlmodel import col, select

from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx
from orders_svc.labels.codes import s10, sscc
from orders_svc.orders.model import OrderState
from orders_svc.orders.usecases import lock_order
from orders_svc.packaging.usecases import take_material
from orders_svc.packing import queries
from orders_svc.packing.errors import NoNumbers, OtherThanPicked, PackedAlready
from orders_svc.packing.model import (
    S10_SERIALS,
    SSCC_SERIALS,
    Parcel,
    ParcelLine,
    ParcelState,
)
from orders_svc.packing.schemas import BoxIn, ContentIn, Numbering, PackIn
from orders_svc.settings import OrdersSettings
from orders_svc.shipments.model import Shipment
from orders_svc.waves.usecases import ready


async def pack_order(tx: Tx, order_id: UUID, given: PackIn) -> tuple[list[Parcel], tuple[str, ...]]:
    """Put what was picked of an order into boxes; return them, and what looks wrong about the address.

    Raises:
        OrderNotFound: no order has this id.
        WrongState: it is not being picked.
        StillPicked: a wave has not come to its last line.
        PackedAlready: it is packed, and has not been shipped yet.
        OtherThanPicked: the boxes hold more or less than was picked.
        AddressUnfit: a carrier would send it back.
        NoNumbers: the post has given us no numbers of the kind.
    """
    order = await lock_order(tx, order_id)
    order.require("packed", OrderState.PICKING)
    if await waiting_parcels(tx, order_id):
        raise PackedAlready("Ship it, or unpack it first", order_id=str(order_id))
    picked = await ready(tx, order)
    boxes = given.boxes or [_one_box(picked)]
    _check(boxes, picked)
    _, post = await queries.destination(tx, order)
    codes = await _draw(tx, given.numbering, len(boxes))
    parcels = [
        Parcel(
            parcel_id=new_id(),
            order_id=order_id,
            position=position,
            code=code,
            weight_grams=box.weight_grams,
            packed_at=tx.clock.now(),
        )
        for position, (box, code) in enumerate(zip(boxes, codes, strict=True), 1)
    ]
    tx.add_all(parcels)
    await tx.flush()  # what lies in them refers to them
    tx.add_all(
        ParcelLine(parcel_id=parcel.parcel_id, line_no=line_no, quantity=quantity)
        for parcel, box in zip(parcels, boxes, strict=True)
        for line_no, quantity in _sums([box]).items()
    )
    # What the order is packed with is taken once, with its first boxes.
    taken = await take_material(tx, [order_id])
    parcels[0].material = [
        {"sku": one.sku, "name": one.name, "quantity": one.quantity}
        for one in taken.get(order_id, [])
    ]
    await tx.flush()  # they are shown from the database
    return parcels, post.warnings


async def unpack(tx: Tx, order_id: UUID) -> None:
    """Take what has not left out of its boxes; their numbers are not used again."""
    await tx.execute(
        delete(Parcel).where(
            col(Parcel.order_id) == order_id, col(Parcel.state) == ParcelState.PACKED.value
        )
    )


async def waiting_parcels(tx: ReadTx, order_id: UUID) -> list[Parcel]:
    """Return the parcels of an order that have not left."""
    return [
        parcel
        for parcel in await queries.parcels_of(tx, order_id)
        if parcel.state == ParcelState.PACKED
    ]


async def contents_of(tx: ReadTx, parcels: Sequence[Parcel]) -> dict[int, int]:
    """Return how many of each line of the order lie in parcels."""
    lines = await queries.lines_of(tx, [parcel.parcel_id for parcel in parcels])
    sums: dict[int, int] = {}
    for line in (one for found in lines.values() for one in found):
        sums[line.line_no] = sums.get(line.line_no, 0) + line.quantity
    return sums


def tracking_of(parcels: Sequence[Parcel]) -> str:
    """Return by which numbers a customer can follow parcels."""
    return ", ".join(parcel.tracking or parcel.code for parcel in parcels)


def send(parcels: Sequence[Parcel], shipment: Shipment) -> None:
    """Let parcels leave with a shipment."""
    for parcel in parcels:
        parcel.shipment_id = shipment.shipment_id
        parcel.state = ParcelState.SENT.value


def _one_box(picked: dict[int, int]) -> BoxIn:
    if not picked:
        raise OtherThanPicked("Nothing of it was picked: there is nothing to pack", picked={})
    return BoxIn(
        lines=[ContentIn(line_no=line_no, quantity=one) for line_no, one in sorted(picked.items())]
    )


def _sums(boxes: Sequence[BoxIn]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for line in (one for box in boxes for one in box.lines):
        sums[line.line_no] = sums.get(line.line_no, 0) + line.quantity
    return sums


def _check(boxes: Sequence[BoxIn], picked: dict[int, int]) -> None:
    packed = _sums(boxes)
    wrong = [
        f"line {line_no}: {packed.get(line_no, 0)} in boxes, {picked.get(line_no, 0)} picked"
        for line_no in sorted({*packed, *picked})
        if packed.get(line_no, 0) != picked.get(line_no, 0)
    ]
    if wrong:
        raise OtherThanPicked(
            f"{'; '.join(wrong)}. Every piece that was picked lies in one box",
            picked={str(line_no): quantity for line_no, quantity in picked.items()},
        )


async def _draw(tx: Tx, numbering: Numbering, count: int) -> list[str]:
    settings = tx.settings(OrdersSettings)
    serials = SSCC_SERIALS if numbering is Numbering.SSCC else S10_SERIALS
    drawn = select(serials.next_value()).select_from(func.generate_series(1, count))
    numbers = list(await tx.scalars(drawn))
    if numbering is Numbering.SSCC:
        return [sscc(settings.gs1_company_prefix, number) for number in numbers]
    left = settings.s10_numbers - numbers[-1]
    if left <= 0:
        raise NoNumbers(
            "The range of the post is used up, or none is set: S10_FIRST and S10_NUMBERS of the settings name it"
        )
    first, country = settings.s10_first, settings.company_country
    return [s10(settings.s10_service, first + number, country) for number in numbers]
