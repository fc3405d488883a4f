"""Parcels: what of an order lies in which box, and how it is numbered and carried."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Sequence, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base, Moment

SSCC_SERIALS = Sequence("sscc_serial", start=1, metadata=Base.metadata)
S10_SERIALS = Sequence("s10_serial", start=0, minvalue=0, metadata=Base.metadata)


class ParcelState(StrEnum):
    """Where a parcel is."""

    PACKED = "packed"
    SENT = "sent"
    DELIVERED = "delivered"
    RETURNED = "returned"


class BookingState(StrEnum):
    """Whether the carrier knows of it. `unclear`: it was told, and no answer came; a person decides."""

    NONE = "none"
    WAITING = "waiting"
    BOOKED = "booked"
    REFUSED = "refused"
    UNCLEAR = "unclear"


class Parcel(Base, table=True):
    """A box of an order; where it goes is read when its label is printed, never kept."""

    __table_args__ = (
        CheckConstraint(
            "state IN ('packed', 'sent', 'delivered', 'returned')", name="parcel_state"
        ),
        CheckConstraint(
            "booking IN ('none', 'waiting', 'booked', 'refused', 'unclear')", name="parcel_booking"
        ),
        CheckConstraint("(state = 'packed') = (shipment_id IS NULL)", name="parcel_sent"),
        CheckConstraint("weight_grams >= 0", name="parcel_weight"),
        Index("parcel_order", "order_id"),
        Index("parcel_shipment", "shipment_id", postgresql_where="shipment_id IS NOT NULL"),
        Index("parcel_tracking", "tracking", postgresql_where="tracking <> ''"),
        Index("parcel_to_book", "parcel_id", postgresql_where="booking = 'waiting'"),
    )

    parcel_id: UUID = Field(primary_key=True)
    order_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),))
    shipment_id: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("shipment.shipment_id"),)
    )
    position: int
    code: str = Field(unique=True)
    """SSCC or S10, as printed on the label."""
    state: str = ParcelState.PACKED.value
    weight_grams: int = 0
    material: list[dict[str, Any]] = Field(default=[], sa_type=JSONB)
    """What was taken to pack it: sku and quantity."""
    carrier: str = ""
    service: str = ""
    booking: str = BookingState.NONE.value
    booking_note: str = ""
    tracking: str = ""
    packed_at: datetime = Field(sa_type=Moment)
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)


class ParcelLine(Base, table=True):
    """How many of a line of the order lie in a parcel."""

    __tablename__ = "parcel_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="parcel_line_quantity"),)

    parcel_id: UUID = Field(
        primary_key=True,
        sa_type=Uuid,
        sa_column_args=(ForeignKey("parcel.parcel_id", ondelete="CASCADE"),),
    )
    line_no: int = Field(primary_key=True)
    quantity: int
