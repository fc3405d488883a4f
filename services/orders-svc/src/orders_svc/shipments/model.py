"""What left the house together: some or all of the goods of an order, on one invoice."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Uuid
from sqlmodel import Field

from orders_svc.base import Base, Moment


class Shipment(Base, table=True):
    """A part of an order that left; its number is that of the order and which part it is."""

    shipment_id: UUID = Field(primary_key=True)
    order_id: UUID = Field(
        index=True, sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),)
    )
    number: str = Field(unique=True)
    invoice_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),))
    tracking: str = ""
    shipped_at: datetime = Field(sa_type=Moment)
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)


class ShipmentLine(Base, table=True):
    """How many of a line of the order left, and how many of these came back."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="shipment_line_quantity"),
        CheckConstraint(
            "returned_quantity >= 0 AND returned_quantity <= quantity",
            name="shipment_line_returned",
        ),
    )

    shipment_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("shipment.shipment_id"),)
    )
    line_no: int = Field(primary_key=True)
    quantity: int
    returned_quantity: int = 0

    @property
    def kept(self) -> int:
        """How many the customer still has."""
        return self.quantity - self.returned_quantity
