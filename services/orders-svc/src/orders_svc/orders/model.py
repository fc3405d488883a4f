"""An order and its way: waiting when goods are short, placed, picking, shipped, delivered; cancelled before it ships; paid."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Sequence, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base, Moment, Pct
from orders_svc.orders.errors import WrongState
from orders_svc.orders.schemas import Substitutes

ORDER_NUMBERS = Sequence("order_number", start=100_001, metadata=Base.metadata)


class OrderState(StrEnum):
    """Where an order is; while it is waiting nothing is set aside for it."""

    WAITING = "waiting"
    PLACED = "placed"
    PICKING = "picking"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


OPEN = (OrderState.WAITING, OrderState.PLACED, OrderState.PICKING)
"""Where an order can be called off still."""


class SalesOrder(Base, table=True):
    """What a person gets; `version` grows with each change."""

    __tablename__ = "sales_order"
    __table_args__ = (
        CheckConstraint("total_minor >= 0", name="sales_order_total"),
        CheckConstraint(
            "state IN ('waiting', 'placed', 'picking', 'shipped', 'delivered', 'cancelled')",
            name="sales_order_state",
        ),
        CheckConstraint(
            "(state IN ('shipped', 'delivered')) = (shipped_at IS NOT NULL)",
            name="sales_order_shipped",
        ),
        CheckConstraint("is_paid = (paid_at IS NOT NULL)", name="sales_order_paid"),
        Index("sales_order_open", "placed_at", postgresql_where="state IN ('placed', 'picking')"),
        Index("sales_order_waiting", "placed_at", "order_id", postgresql_where="state = 'waiting'"),
        Index("sales_order_split", "split_from", postgresql_where="split_from IS NOT NULL"),
        Index("sales_order_external", "external_id", unique=True),
        Index("sales_order_person", "person_id"),
        Index("sales_order_merged", "merged_id", postgresql_where="merged_id IS NOT NULL"),
    )

    order_id: UUID = Field(primary_key=True)
    version: int = 1
    number: str = Field(unique=True)
    person_id: UUID
    response_id: UUID | None = Field(default=None, unique=True)
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    state: str = OrderState.PLACED.value
    is_paid: bool = False
    total_minor: int = Field(sa_type=BigInteger)
    currency: str
    placed_at: datetime = Field(sa_type=Moment)
    picked_at: datetime | None = Field(default=None, sa_type=Moment)
    shipped_at: datetime | None = Field(default=None, sa_type=Moment)
    cancelled_at: datetime | None = Field(default=None, sa_type=Moment)
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)
    priority: int = 0
    """Which orders a wave takes first: the higher before the lower, the older before the younger."""
    pick_after: datetime | None = Field(default=None, sa_type=Moment)
    """Before this no wave takes it: what the shelf did not have is not looked for again at once."""
    tracking: str = ""
    ship_to: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """Where the parcel goes, when the answer said that the address has changed."""
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another."""
    split_from: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),)
    )
    """The order whose goods were there at once; this one is the rest."""
    promised_on: date | None = None
    """While it waits: the day on which its goods are expected."""
    external_id: str | None = None
    """What the shop that sent it calls it; sent again, it is the same order."""
    substitutes: str = Substitutes.NEVER.value

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is set aside for it yet."""
        return self.state == OrderState.WAITING

    def fill(self) -> None:
        """Note that its goods are set aside now. Raises `WrongState`."""
        self._step(OrderState.PLACED, "filled", OrderState.WAITING)

    def change(self, *, total_minor: int, is_waiting: bool) -> None:
        """Have other lines, which is possible until it is picked. Raises `WrongState`."""
        to = OrderState.WAITING if is_waiting else OrderState.PLACED
        self._step(to, "changed", OrderState.WAITING, OrderState.PLACED)
        self.total_minor = total_minor

    def pick(self, *, at: datetime) -> None:
        """Begin to pick. Raises `WrongState`."""
        self._step(OrderState.PICKING, "picked", OrderState.PLACED)
        self.picked_at = at

    def ship(self, *, at: datetime, tracking: str) -> None:
        """Hand over to the carrier. Raises `WrongState`."""
        self._step(OrderState.SHIPPED, "shipped", OrderState.PICKING)
        self.shipped_at = at
        self.tracking = tracking

    def put_back(self) -> None:
        """Let what has not left yet wait for its goods, and for the next who picks. Raises `WrongState`."""
        self._step(OrderState.PLACED, "put back", OrderState.PICKING)
        self.picked_at = None

    def finish(self, *, at: datetime) -> None:
        """Count as shipped what has left in parts, when the rest does not come any more. Raises `WrongState`."""
        self._step(OrderState.SHIPPED, "finished", OrderState.PLACED, OrderState.PICKING)
        self.shipped_at = at

    def deliver(self, *, at: datetime) -> None:
        """Note that the last parcel has arrived. Raises `WrongState`."""
        self._step(OrderState.DELIVERED, "delivered", OrderState.SHIPPED)
        self.delivered_at = at

    def cancel(self, *, at: datetime) -> None:
        """Call off, which is possible until the order ships. Raises `WrongState`."""
        self._step(OrderState.CANCELLED, "cancelled", *OPEN)
        self.cancelled_at = at

    def require(self, done: str, *begins: OrderState) -> None:
        """Let pass what can be done now. Raises `WrongState`."""
        if self.state not in begins:
            wanted = " or ".join(begins)
            raise WrongState(
                f"Order {self.number} is {self.state}; it can be {done} only while it is {wanted}",
                state=str(self.state),
            )

    def _step(self, to: OrderState, done: str, *begins: OrderState) -> None:
        self.require(done, *begins)
        self.state = to.value
        self.version += 1


class OrderLine(Base, table=True):
    """Goods in an order at the price that was agreed, VAT included."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="order_line_quantity"),
        CheckConstraint("unit_price_minor >= 0", name="order_line_price"),
        CheckConstraint("amount_minor = quantity * unit_price_minor", name="order_line_amount"),
        CheckConstraint(
            "shipped_quantity >= 0 AND cancelled_quantity >= 0"
            " AND shipped_quantity + cancelled_quantity <= quantity",
            name="order_line_left",
        ),
        Index("order_line_product", "product_id"),
    )

    order_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),)
    )
    line_no: int = Field(primary_key=True)
    product_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),))
    sku: str
    name: str
    quantity: int
    unit_price_minor: int = Field(sa_type=BigInteger)
    vat_pct: Decimal = Field(sa_type=Pct)
    amount_minor: int = Field(sa_type=BigInteger)
    bundle_id: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    """The bundle of which it is a part, at its share of the bundle's price."""
    wanted_id: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    """What was asked for, when this is sent instead."""
    shipped_quantity: int = 0
    cancelled_quantity: int = 0
    """Called off after the order was placed: what the shelf did not have."""

    @property
    def left(self) -> int:
        """How many have still to leave."""
        return self.quantity - self.shipped_quantity - self.cancelled_quantity

    def part(self, quantity: int) -> "OrderLine":
        """Return a line of so many at the same price, for what is printed; it is not stored."""
        kept = self.model_dump(exclude={"shipped_quantity", "cancelled_quantity"})
        amount_minor = self.unit_price_minor * quantity
        return OrderLine(**{**kept, "quantity": quantity, "amount_minor": amount_minor})


class Basket(Base, table=True):
    """An order of which those who recommend have not heard yet."""

    order_id: UUID = Field(primary_key=True)
