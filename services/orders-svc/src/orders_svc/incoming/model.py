"""Goods that are on their way to the warehouse."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid
from sqlmodel import Field

from orders_svc.base import Base
from orders_svc.incoming.errors import DeliveryClosed


class Delivery(Base, table=True):
    """A purchase of one product, and how much of it has come."""

    __tablename__ = "incoming"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="incoming_quantity"),
        CheckConstraint("received >= 0", name="incoming_received"),
        Index("incoming_open", "product_id", "expected_on", postgresql_where="NOT is_closed"),
    )

    delivery_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),))
    quantity: int
    received: int = 0
    expected_on: date
    reference: str = ""
    is_closed: bool = False

    @property
    def outstanding(self) -> int:
        """What has still to come."""
        return 0 if self.is_closed else max(0, self.quantity - self.received)

    def receive(self, quantity: int, *, is_last: bool) -> None:
        """Note what has come; it is closed with the last of it. Raises `DeliveryClosed`."""
        self.must_be_open()
        self.received += quantity
        self.is_closed = is_last or self.received >= self.quantity

    def must_be_open(self) -> None:
        """Raise `DeliveryClosed` when nothing more is to come."""
        if self.is_closed:
            raise DeliveryClosed(
                f"{self.received} of {self.quantity} have come, and no more will: book what comes all the"
                f" same with POST /v1/products/{self.product_id}/stock-movements"
            )
