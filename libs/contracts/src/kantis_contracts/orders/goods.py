"""Facts of goods: what is sold, what was ordered and where it is."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Currency, VatPct


class ProductCard(Item):
    """A product as others need it. `available` is what may be sold now."""

    product_id: UUID
    version: int
    sku: str
    name: str
    price_minor: int
    currency: Currency
    vat_pct: VatPct
    available: int
    is_active: bool = True


class ProductChangedV1(Event, type="orders.product.changed.v1"):
    """Products are new, or their price or stock has changed."""

    items: tuple[ProductCard, ...] = Items


class AlsoBought(Item):
    """A product that buyers of another one bought more often than chance would have it."""

    product_id: UUID
    sku: str
    lift: float
    """How many times as often as all buyers did."""
    buyers: int


class Recommendation(Item):
    """What buyers of a product also bought, the strongest first. Of two of one product the higher version holds."""

    product_id: UUID
    version: int
    also: tuple[AlsoBought, ...] = ()


class RecommendationChangedV1(Event, type="orders.recommendation.changed.v1"):
    """What is bought together has changed."""

    items: tuple[Recommendation, ...] = Items


class OrderLineCard(Item):
    """A line of an order; the amount includes VAT."""

    product_id: UUID
    sku: str
    name: str = ""
    quantity: int
    amount_minor: int


class OrderCard(Item):
    """An order as others need it; `version` grows with each of its changes."""

    order_id: UUID
    version: int
    number: str
    person_id: UUID
    response_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    total_minor: int
    currency: Currency
    lines: tuple[OrderLineCard, ...] = Field(default=())
    changed_at: datetime


class OrderPlacedV1(Event, type="orders.order.placed.v1"):
    """Orders have been placed; their goods are set aside, or they wait for them."""

    items: tuple[OrderCard, ...] = Items


class OrderChangedV1(Event, type="orders.order.changed.v1"):
    """Orders have other lines than before: the customer changed them, or got something else instead."""

    items: tuple[OrderCard, ...] = Items


class OrderShippedV1(Event, type="orders.order.shipped.v1"):
    """Orders are on their way."""

    items: tuple[OrderCard, ...] = Items


class OrderPaidV1(Event, type="orders.order.paid.v1"):
    """Orders have been paid in full."""

    items: tuple[OrderCard, ...] = Items


class OrderUnpaidV1(Event, type="orders.order.unpaid.v1"):
    """Orders that had been paid in full are not: the bank took money back."""

    items: tuple[OrderCard, ...] = Items


class OrderCancelledV1(Event, type="orders.order.cancelled.v1"):
    """Orders have been called off before they were shipped; their goods are for sale again."""

    items: tuple[OrderCard, ...] = Items


class OrderDeliveredV1(Event, type="orders.order.delivered.v1"):
    """The last parcel of orders has arrived."""

    items: tuple[OrderCard, ...] = Items


class OrderReturn(Item):
    """Goods of an order that came back: `refund_minor` was credited for them, `returned_minor` for the order in all."""

    return_id: UUID
    order_id: UUID
    number: str
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    refund_minor: int
    returned_minor: int
    currency: Currency
    is_withdrawal: bool = True
    lines: tuple[OrderLineCard, ...] = Field(default=())
    returned_at: datetime


class OrderReturnedV1(Event, type="orders.order.returned.v1"):
    """Goods of orders have come back and were credited."""

    items: tuple[OrderReturn, ...] = Items
