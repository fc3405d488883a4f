"""How payers get their invoices, and the documents that wait to be printed or handed to the e-invoice network."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid
from sqlmodel import Field

from orders_svc.base import Base, Moment
from orders_svc.payers.schemas import DeliveryState


class Payer(Base, table=True):
    """What a payer wishes; who has wished nothing gets e-mails, or letters where there is no e-mail address."""

    __table_args__ = (
        CheckConstraint("way IN ('email', 'letter', 'einvoice')", name="payer_way"),
        CheckConstraint("way <> 'einvoice' OR endpoint <> ''", name="payer_endpoint"),
    )

    person_id: UUID = Field(primary_key=True)
    way: str
    endpoint: str = ""
    """Where in the network an organisation takes e-invoices: scheme and number."""
    organisation_number: str = ""
    buyer_reference: str = ""
    set_by: str
    set_at: datetime = Field(sa_type=Moment)


class InvoiceDelivery(Base, table=True):
    """A document that is printed or goes into the e-invoice network; what travels by e-mail has none."""

    __tablename__ = "invoice_delivery"
    __table_args__ = (
        CheckConstraint("way IN ('letter', 'einvoice')", name="invoice_delivery_way"),
        CheckConstraint("state IN ('waiting', 'sent')", name="invoice_delivery_state"),
        CheckConstraint(
            "(state = 'sent') = (settled_at IS NOT NULL)", name="invoice_delivery_settled"
        ),
        Index(
            "invoice_delivery_waiting",
            "way",
            "invoice_id",
            postgresql_where="state = 'waiting'",
        ),
    )

    invoice_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),)
    )
    number: str
    way: str
    endpoint: str = ""
    state: str = DeliveryState.WAITING.value
    reason: str = ""
    """Why the network did not take it, when it goes by letter instead."""
    asked_at: datetime = Field(sa_type=Moment)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
