"""Book parcels: asked for in a transaction, told to the carrier outside of any, noted in another.

A parcel of which no answer came is never booked again by itself: the carrier may carry, and charge, it twice.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from kantis_kit.errors import Unavailable
from kantis_kit.http import OutgoingClient, Unanswered
from kantis_kit.tx import ReadTx, Scope, Tx, read, write
from orders_svc.carriers.clients import carriers
from orders_svc.carriers.clients.port import (
    BookingRefused,
    Carrier,
    Consignment,
    Party,
    TryLater,
)
from orders_svc.carriers.errors import BookedAlready, NoAgreement
from orders_svc.carriers.schemas import BookIn
from orders_svc.orders.queries import get_order
from orders_svc.orders.usecases import lock_order
from orders_svc.packing.errors import AddressUnfit
from orders_svc.packing.model import BookingState, Parcel
from orders_svc.packing.queries import destination, get_parcel
from orders_svc.settings import OrdersSettings

ACTOR = "carriers"
CHANNEL = "kantis_parcels"
BY_FILE = "file"
_NOTE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class _Told:
    """What came of telling a carrier."""

    state: BookingState
    tracking: str = ""
    note: str = ""


async def ask(tx: Tx, parcel_id: UUID, given: BookIn) -> Parcel:
    """Let a parcel wait for its carrier's answer; one that is carried by a list is booked at once.

    Raises:
        ParcelNotFound: no parcel has this id.
        NoAgreement: there is no agreement with the carrier.
        BookedAlready: the carrier knows of it, or may.
        AddressUnfit: a carrier would send it back.
    """
    order = await lock_order(tx, (await get_parcel(tx, parcel_id)).order_id)
    parcel = await get_parcel(tx, parcel_id)
    known = sorted(carriers(tx.settings(OrdersSettings)))
    if given.carrier != BY_FILE and given.carrier not in known:
        raise NoAgreement(
            f"Set the customer number and key of {given.carrier} in the settings; there are agreements with: "
            f"{', '.join([*known, BY_FILE])}",
            carriers=[*known, BY_FILE],
        )
    may = {BookingState.NONE, BookingState.REFUSED}
    if given.again:
        may.add(BookingState.UNCLEAR)
    if parcel.booking not in may:
        raise BookedAlready(
            f"Parcel {parcel.code} is {parcel.booking} with {parcel.carrier}; ask the carrier, and say `again` if it "
            "knows nothing",
            booking=str(parcel.booking),
        )
    await destination(tx, order)
    is_listed = given.carrier == BY_FILE
    state = BookingState.BOOKED if is_listed else BookingState.WAITING
    parcel.carrier, parcel.service = given.carrier, given.service
    parcel.booking, parcel.booking_note = state.value, ""
    await tx.execute(select(func.pg_notify(CHANNEL, "")))  # the loop that tells carriers
    return parcel


async def book_next(scope: Scope, client: OutgoingClient) -> bool:
    """Tell a carrier of the parcel that has waited longest; return whether one waited and was settled."""
    settings = _settings(scope)
    async with write(scope, actor=ACTOR) as tx:
        parcel: Parcel | None = await tx.scalar(
            select(Parcel)
            .where(col(Parcel.booking) == BookingState.WAITING.value)
            .order_by(col(Parcel.parcel_id))
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if parcel is None:
            return False
        parcel_id, carrier = parcel.parcel_id, carriers(settings).get(parcel.carrier)
        # Whoever dies from here on leaves it so: nobody knows what the carrier has heard.
        parcel.booking = BookingState.UNCLEAR.value
        parcel.booking_note = "told the carrier, no answer yet"
    async with read(scope) as tx:
        told = await _consignment(tx, parcel_id)
    if isinstance(told, Consignment):
        told = await _tell(client, carrier, told)
    async with write(scope, actor=ACTOR) as tx:
        parcel = await get_parcel(tx, parcel_id)
        parcel.booking, parcel.booking_note = told.state.value, told.note[:_NOTE_LENGTH]
        parcel.tracking = told.tracking
    return told.state is not BookingState.WAITING


async def _consignment(tx: ReadTx, parcel_id: UUID) -> Consignment | _Told:
    """Return what the carrier is told; the address may have been changed since it was asked for."""
    settings = tx.settings(OrdersSettings)
    parcel = await get_parcel(tx, parcel_id)
    order = await get_order(tx, parcel.order_id)
    try:
        name, post = await destination(tx, order)
    except AddressUnfit as error:
        return _Told(BookingState.REFUSED, note=str(error))
    sender = Party(
        settings.company_name,
        settings.company_street,
        settings.company_postal_code,
        settings.company_city,
        settings.company_country,
    )
    return Consignment(
        code=parcel.code,
        order_number=order.number,
        service=parcel.service,
        weight_grams=parcel.weight_grams,
        sender=sender,
        recipient=Party(name, post.street, post.postal_code, post.city, post.country),
        at=tx.clock.now(),
    )


async def _tell(client: OutgoingClient, carrier: Carrier | None, consignment: Consignment) -> _Told:
    if carrier is None:
        return _Told(BookingState.REFUSED, note="there is no agreement with the carrier any more")
    request = carrier.request(consignment)
    try:
        answer = await client.request(
            "POST", request.url, json=request.body, headers=request.headers
        )
        number = carrier.booked(answer.status_code, answer.content)
    except BookingRefused as error:
        return _Told(BookingState.REFUSED, note=str(error))
    except TryLater as error:
        return _Told(BookingState.WAITING, note=str(error))
    except Unanswered:
        return _Told(BookingState.UNCLEAR, note="the carrier was told and has not answered")
    except Unavailable:
        return _Told(BookingState.WAITING, note="the carrier cannot be reached")
    return _Told(BookingState.BOOKED, tracking=number)


def _settings(scope: Scope) -> OrdersSettings:
    settings = scope.settings
    if not isinstance(settings, OrdersSettings):
        message = "orders-svc needs OrdersSettings"
        raise TypeError(message)
    return settings
