"""Facts that orders-svc publishes: what people answered, and what they got and paid."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.privacy import DossierPart, ErasureReceipt
from kantis_contracts.values import Currency


class ResponseKind(StrEnum):
    """What an answer asks for."""

    ORDER = "order"
    INQUIRY = "inquiry"
    COMPLAINT = "complaint"
    REFUSAL = "refusal"


class ResponseWay(StrEnum):
    """How an answer came in."""

    WEB = "web"
    KEYED = "keyed"
    BARCODE = "barcode"
    OPTICAL = "optical"
    PHONE = "phone"


class ProductCard(Item):
    """A product as others need it. `available` is what may be sold now."""

    product_id: UUID
    version: int
    sku: str
    name: str
    price_minor: int
    currency: Currency
    vat_pct: int
    available: int
    is_active: bool = True


class ProductChangedV1(Event, type="orders.product.changed.v1"):
    """Products are new, or their price or stock has changed."""

    items: tuple[ProductCard, ...] = Items


class ResponseRegistered(Item):
    """An answer to a piece."""

    response_id: UUID
    kind: ResponseKind
    way: ResponseWay
    response_code: str
    piece_id: UUID | None = None
    person_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    responded_at: datetime


class ResponseRegisteredV1(Event, type="orders.response.registered.v1"):
    """Responses have been registered."""

    items: tuple[ResponseRegistered, ...] = Items


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
    """Orders have been placed, their goods reserved."""

    items: tuple[OrderCard, ...] = Items


class OrderShippedV1(Event, type="orders.order.shipped.v1"):
    """Orders are on their way."""

    items: tuple[OrderCard, ...] = Items


class OrderPaidV1(Event, type="orders.order.paid.v1"):
    """Orders have been paid in full."""

    items: tuple[OrderCard, ...] = Items


class OrderCancelledV1(Event, type="orders.order.cancelled.v1"):
    """Orders have been called off before they were shipped; their goods are for sale again."""

    items: tuple[OrderCard, ...] = Items


class InvoiceCard(Item):
    """An invoice as others need it."""

    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    number: str
    reference: str
    total_minor: int
    currency: Currency
    due_on: date
    issued_at: datetime


class InvoiceIssuedV1(Event, type="orders.invoice.issued.v1"):
    """Invoices have been issued."""

    items: tuple[InvoiceCard, ...] = Items


class PaymentBooked(Item):
    """Money that came in for an invoice; `open_minor` is what is still owed."""

    payment_id: UUID
    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    amount_minor: int
    currency: Currency
    open_minor: int
    booked_at: datetime


class PaymentBookedV1(Event, type="orders.payment.booked.v1"):
    """Payments have been booked."""

    items: tuple[PaymentBooked, ...] = Items


class DunningState(StrEnum):
    """How an unpaid invoice is being followed up.

    `none` is not yet, or no longer; `paused` and `disputed` hold it back; `with_agency` has left the house.
    """

    NONE = "none"
    REMINDED = "reminded"
    WARNED = "warned"
    PAUSED = "paused"
    DISPUTED = "disputed"
    WITH_AGENCY = "with_agency"


class DunningChanged(Item):
    """Where the dunning of an invoice stands; `version` grows with each step, `reminders` is how many were sent."""

    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None = None
    version: int
    state: DunningState
    reminders: int
    open_minor: int
    currency: Currency
    changed_at: datetime


class DunningChangedV1(Event, type="orders.dunning.changed.v1"):
    """Invoices that are not paid are followed up, or no longer."""

    items: tuple[DunningChanged, ...] = Items


class Notice(Item):
    """Something that a customer must be told; transactional, never with sales text.

    `kind` is `order_placed`, `order_shipped` or `invoice_issued`; `facts` are the words of its message, ready to print.
    """

    notice_id: UUID
    person_id: UUID
    kind: str
    facts: dict[str, str] = Field(default_factory=dict)


class NoticeRequestedV1(Event, type="orders.notice.requested.v1"):
    """Customers are to be told of what happened to their orders."""

    items: tuple[Notice, ...] = Items


class OrdersErasureCompletedV1(Event, type="orders.orders_erasure.completed.v1"):
    """Orders has forgotten persons, short of the books."""

    items: tuple[ErasureReceipt, ...] = Items


class OrdersDossierAnsweredV1(Event, type="orders.orders_dossier.answered.v1"):
    """What orders holds of persons who asked."""

    items: tuple[DossierPart, ...] = Items
