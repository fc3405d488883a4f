"""Shapes of credit."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from kantis_contracts.values import Currency
from kantis_kit.web.schemas import In, Out
from orders_svc.law.tables import Debtor


class TermsIn(In):
    """What is agreed with a customer; without a limit, that of the installation holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"debtor": "business", "credit_limit_minor": 500000, "currency": "NOK"}
        }
    )

    debtor: Debtor = Debtor.CONSUMER
    credit_limit_minor: int | None = Field(default=None, ge=0, le=100_000_000_000)
    currency: Currency = "NOK"


class TermsOut(Out):
    """On which terms a customer buys, and what they owe now: invoices, fees and interest, orders on their way."""

    person_id: UUID
    debtor: Debtor
    credit_limit_minor: int | None
    currency: str
    owed_minor: int


class ReleaseIn(In):
    """Why an order goes out although it is above the limit."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "Paid by phone"}})

    reason: str = Field(min_length=1, max_length=200)


class HoldOut(Out):
    """An order that is above its customer's limit, as it stood when it was placed."""

    order_id: UUID
    person_id: UUID
    limit_minor: int
    owed_minor: int
    amount_minor: int
    currency: str
    held_at: datetime
    released_at: datetime | None
    released_by: str
    reason: str
