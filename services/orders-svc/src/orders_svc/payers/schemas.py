"""Shapes of payers' wishes and of documents that wait for their way."""

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from kantis_kit.web.schemas import In, Out


class Way(StrEnum):
    """How a document reaches who pays."""

    EMAIL = "email"
    LETTER = "letter"
    EINVOICE = "einvoice"


class DeliveryState(StrEnum):
    """What became of a document that does not travel by e-mail."""

    WAITING = "waiting"
    SENT = "sent"


class PayerIn(In):
    """How somebody wants invoices; an e-invoice needs the place in the network where the organisation takes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"way": "einvoice", "endpoint": "0192:987654325", "buyer_reference": "K-12"}
        }
    )

    way: Way
    endpoint: str = Field(default="", pattern=r"^([0-9]{4}:[A-Za-z0-9.-]{1,50})?$")
    organisation_number: str = Field(default="", pattern=r"^[A-Za-z0-9-]{0,20}$")
    buyer_reference: str = Field(default="", max_length=100, pattern=r"^[^\x00-\x1f]*$")

    @model_validator(mode="after")
    def an_einvoice_has_a_place(self) -> Self:
        """Refuse a wish for e-invoices that says not where to."""
        if self.way is Way.EINVOICE and not self.endpoint:
            message = "endpoint: give where the organisation takes e-invoices, as 0192:987654325"
            raise ValueError(message)
        return self


class PayerOut(Out):
    """What a payer wishes, and how an invoice that is issued now would go."""

    person_id: UUID
    way: Way | None
    endpoint: str
    organisation_number: str
    buyer_reference: str
    goes_by: Way


class DeliveryOut(Out):
    """A document that waits to be printed or handed to the network, or that was."""

    invoice_id: UUID
    number: str
    way: Way
    endpoint: str
    state: DeliveryState
    reason: str
    asked_at: datetime
    settled_at: datetime | None


class Outcome(StrEnum):
    """What became of documents: they have left the house, or the network refused them."""

    SENT = "sent"
    REFUSED = "refused"


class SettleIn(In):
    """What became of documents; an e-invoice that the network refused goes by letter."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "invoice_ids": ["019f6a2b-7c1d-7000-8000-000000000001"],
                "outcome": "refused",
                "reason": "The receiver is not registered",
            }
        }
    )

    invoice_ids: list[UUID] = Field(min_length=1, max_length=1_000)
    outcome: Outcome = Outcome.SENT
    reason: str = Field(default="", max_length=200)


class SettledOut(Out):
    """How many documents it changed; the others had been settled before, or do not wait."""

    changed: int
