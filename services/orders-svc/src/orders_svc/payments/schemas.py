"""Shapes of payments."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kantis_contracts.values import Currency
from kantis_kit.web.schemas import In, Out

Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=35, pattern=r"^[A-Za-z0-9 -]+$")
]
Rate = Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=20, decimal_places=10)]


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
    payer_name: str = Field(default="", max_length=140)


class MatchIn(In):
    """The reference of the invoice that a payment was meant for; `rate` when it was paid in another currency.

    The rate says what one unit of the payment's currency is worth in the invoice's; without it, that of the table holds.
    """

    model_config = ConfigDict(
        json_schema_extra={"example": {"reference": "1000000016", "rate": "1.0215"}}
    )

    reference: Reference
    rate: Rate | None = None


class ReverseIn(In):
    """Why a payment that was booked did not come after all."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "The cheque bounced"}})

    reason: str = Field(min_length=1, max_length=200)


class RefundIn(In):
    """Why money that nobody owes goes back to who paid it."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "Paid twice, asked back"}})

    reason: str = Field(min_length=1, max_length=200)


class CreditIn(In):
    """Whose credit the money stays as."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"person_id": "01890a5d-ac96-774b-bcce-b302099a8057"}}
    )

    person_id: UUID


class OriginalIn(In):
    """Which payment the bank has taken back."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"payment_id": "01890a5d-ac96-774b-bcce-b302099a8057"}}
    )

    payment_id: UUID


class RateIn(In):
    """What one unit of a currency is worth in another, from a day on."""

    model_config = ConfigDict(json_schema_extra={"example": {"rate": "1.0215"}})

    rate: Rate


class RateOut(Out):
    """An exchange rate, valid until the next one."""

    base: str
    quote: str
    valid_from: date
    rate: Decimal


class PaymentOut(Out):
    """A payment and what was done with it.

    `state` is `booked`, `unmatched` with the reason, `refunded`, `credited` or `reversed`; `credit_minor` is what was
    paid too much and stays the customer's. `principal_minor` of `applied_minor` went to the invoice, the rest to fees
    and interest; both in the invoice's currency.
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
    principal_minor: int
    credit_minor: int
    converted_minor: int | None
    rate: Decimal | None
    matched_by: str
    payer_name: str
    remittance: str
    file_id: UUID | None
    person_id: UUID | None
    is_reversal: bool
    reverses_id: UUID | None
    booked_at: datetime


class Candidate(Out):
    """An invoice that a held payment may be for, and why."""

    invoice_id: UUID
    number: str
    reference: str
    recipient: str
    open_minor: int
    currency: str
    due_on: date
    why: list[str]


class FileOut(Out):
    """A file of the bank's and what its entries became.

    `state` is `reading` while its entries are read and checked (`read_bytes` of `file_bytes`, nothing is booked yet),
    `booking` while those that are `waiting` are booked a thousand at a time, `done`, or `refused` with the `problem`:
    nothing of it was booked. `booked` found their invoice, `held` wait for a person; `held_because` counts those that
    still wait by their reason, and is told of a single file alone.
    """

    file_id: UUID
    kind: str
    message_id: str
    sha256: str
    state: str
    problem: str
    file_bytes: int
    read_bytes: int
    entries: int
    booked: int
    held: int
    reversed: int
    duplicates: int
    skipped: int
    waiting: int
    total_minor: int
    received_at: datetime
    done_at: datetime | None
    held_because: dict[str, int] | None = None
