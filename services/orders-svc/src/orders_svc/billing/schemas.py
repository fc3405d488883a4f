"""Shapes of invoices, payments and the ledger."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kantis_contracts.values import Currency
from kantis_kit.web.schemas import In, Out

Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=35, pattern=r"^[A-Za-z0-9 -]+$")
]


class VatOut(Out):
    """The part of an invoice at one rate."""

    vat_pct: int
    net_minor: int
    vat_minor: int


class InvoiceOut(Out):
    """An invoice; `open_minor` is what is still owed."""

    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None
    cell_id: UUID | None
    number: str
    reference: str
    net_minor: int
    vat_minor: int
    total_minor: int
    paid_minor: int
    open_minor: int
    currency: str
    issued_at: datetime
    due_on: date
    vat: list[VatOut] = []


class PaymentIn(In):
    """Money that came in. `external_id` is the bank's: sent again, it books nothing more."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "reference": "1000000016",
                "amount_minor": 24900,
                "currency": "NOK",
                "paid_on": "2026-03-09",
                "external_id": "bank-2026-03-09-1",
            }
        }
    )

    reference: Reference
    amount_minor: int = Field(gt=0, le=100_000_000_000)
    currency: Currency = "NOK"
    paid_on: date
    external_id: str | None = Field(default=None, min_length=1, max_length=100)


class MatchIn(In):
    """The reference of the invoice that a payment was meant for."""

    model_config = ConfigDict(json_schema_extra={"example": {"reference": "1000000016"}})

    reference: Reference


class PaymentOut(Out):
    """A payment and what was done with it.

    `state` is `booked`, or `unmatched` with the reason; `credit_minor` is what was paid too much and stays the
    customer's.
    """

    payment_id: UUID
    reference: str
    invoice_id: UUID | None
    amount_minor: int
    currency: str
    paid_on: date
    external_id: str | None
    state: str
    reason: str
    applied_minor: int
    credit_minor: int
    booked_at: datetime


class AccountSum(Out):
    """The sum of an account in a currency: debit is positive."""

    account: str
    currency: str
    amount_minor: int


class LedgerBalance(Out):
    """All accounts; `is_balanced` says that debit and credit are equal in every currency."""

    accounts: list[AccountSum]
    is_balanced: bool
