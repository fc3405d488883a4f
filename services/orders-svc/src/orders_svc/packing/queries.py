"""Read parcels, and what is printed on their labels."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import col, select

from kantis_kit.postal import Post, PostalInvalid, read_post
from kantis_kit.tx import ReadTx
from orders_svc.children import children_of
from orders_svc.labels.codes import scanned
from orders_svc.labels.typeset import Label
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.queries import address_of, get_order
from orders_svc.packing.errors import AddressUnfit, ParcelNotFound
from orders_svc.packing.model import Parcel, ParcelLine
from orders_svc.packing.schemas import ParcelLineOut, ParcelOut
from orders_svc.people.queries import find_person
from orders_svc.settings import OrdersSettings


async def get_parcel(tx: ReadTx, parcel_id: UUID) -> Parcel:
    """Return a parcel. Raises `ParcelNotFound`."""
    parcel = await tx.get(Parcel, parcel_id)
    if parcel is None:
        raise ParcelNotFound(f"No parcel has the id {parcel_id}")
    return parcel


async def find_by_code(tx: ReadTx, code: str) -> Parcel | None:
    """Return the parcel that carries a number, its own or the carrier's, or None."""
    plain = scanned(code)
    found: Parcel | None = await tx.scalar(
        select(Parcel)
        .where(or_(col(Parcel.code) == plain, col(Parcel.tracking) == plain))
        .order_by(col(Parcel.parcel_id).desc())
        .limit(1)
    )
    return found


async def parcels_of(tx: ReadTx, order_id: UUID) -> list[Parcel]:
    """Return the parcels of an order, in the sequence of their packing."""
    rows = await tx.scalars(
        select(Parcel).where(col(Parcel.order_id) == order_id).order_by(col(Parcel.parcel_id))
    )
    return list(rows)


async def lines_of(tx: ReadTx, parcel_ids: Iterable[UUID]) -> dict[UUID, list[ParcelLine]]:
    """Return what lies in parcels, by parcel."""
    return await children_of(
        tx, ParcelLine, col(ParcelLine.parcel_id), parcel_ids, by=col(ParcelLine.line_no)
    )


async def show_parcels(tx: ReadTx, parcels: Sequence[Parcel]) -> list[ParcelOut]:
    """Return parcels with what lies in them."""
    lines = await lines_of(tx, [parcel.parcel_id for parcel in parcels])
    shown = []
    for parcel in parcels:
        out = ParcelOut.model_validate(parcel)
        out.lines = [ParcelLineOut.model_validate(one) for one in lines.get(parcel.parcel_id, [])]
        shown.append(out)
    return shown


async def destination(tx: ReadTx, order: SalesOrder) -> tuple[str, Post]:
    """Return to whom and where the parcels of an order go.

    Raises:
        AddressUnfit: a carrier would send it back.
    """
    address = address_of(order, await find_person(tx, order.person_id))
    said = {name: address[name] for name in ("street", "postal_code", "city", "country")}
    try:
        post = read_post(**said)
    except PostalInvalid as error:
        raise _unfit(order, error.field, str(error)) from error
    wanted = {
        "full_name": (address["full_name"], "nobody is named"),
        "street": (post.street, "street or box is missing"),
        "postal_code": (post.postal_code, "the postal code is missing"),
        "city": (post.city, "the place is missing"),
    }
    for field, (value, problem) in wanted.items():
        if not value:
            raise _unfit(order, field, problem)
    return address["full_name"], post


async def labels_of(tx: ReadTx, order_id: UUID, parcels: Sequence[Parcel]) -> list[Label]:
    """Return what is printed on the labels of an order's parcels. Raises `AddressUnfit`."""
    settings = tx.settings(OrdersSettings)
    order = await get_order(tx, order_id)
    name, post = await destination(tx, order)
    is_abroad = post.country != settings.company_country
    place = f"{post.postal_code} {post.city}"
    care_of = [f"c/o {post.care_of}"] if post.care_of else []
    to = (
        name,
        *care_of,
        *post.street.splitlines(),
        f"{post.country}-{place}" if is_abroad else place,
    )
    sender = (
        settings.company_name,
        settings.company_street,
        f"{settings.company_postal_code} {settings.company_city}",
    )
    together: dict[UUID | None, int] = {}
    for parcel in await parcels_of(tx, order_id):
        together[parcel.shipment_id] = together.get(parcel.shipment_id, 0) + 1
    return [
        Label(
            code=parcel.code,
            sender=sender,
            to=to,
            carrier=parcel.carrier,
            service=parcel.service,
            order=order.number,
            weight_grams=parcel.weight_grams,
            position=parcel.position,
            of=together[parcel.shipment_id],
        )
        for parcel in parcels
    ]


def _unfit(order: SalesOrder, field: str, problem: str) -> AddressUnfit:
    return AddressUnfit(
        f"{field}: {problem}. Order {order.number} stays where it is until the address of the person is mended",
        field=field,
    )
