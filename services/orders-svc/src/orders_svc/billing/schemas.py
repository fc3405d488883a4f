"""Shapes of invoices and the ledger."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from kantis_contracts.values import Currency, VatPct
from kantis_kit.web.schemas import In, Out


class InvoiceKind(StrEnum):
    """What asks for money, and what takes it back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class VatOut(Out):
    """The part of an invoice at one rate."""

    vat_pct: VatPct
    net_minor: int
    vat_minor: int


class InvoiceLineOut(Out):
    """A line of an invoice; the amounts include VAT."""

    line_no: int
    credits_line: int | None
    sku: str
    name: str
    quantity: int
    unit_price_minor: int
    vat_pct: VatPct
    amount_minor: int


class InvoiceOut(Out):
    """An invoice or a credit note; `open_minor` is what is still owed, `credited_minor` what credit notes took off it.

    A credit note says in `credits_id` which invoice it takes back from, and has no `reference`.
    """

    invoice_id: UUID
    kind: InvoiceKind
    credits_id: UUID | None
    credit_reason: str
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None
    cell_id: UUID | None
    number: str
    reference: str | None
    net_minor: int
    vat_minor: int
    total_minor: int
    paid_minor: int
    credited_minor: int
    open_minor: int
    currency: str
    issued_at: datetime
    due_on: date
    vat: list[VatOut] = []
    lines: list[InvoiceLineOut] = []


class CreditLineIn(In):
    """Pieces of an invoice's line."""

    line_no: int = Field(ge=1)
    quantity: int = Field(ge=1)


class CreditAmountIn(In):
    """An amount at a rate, VAT included."""

    vat_pct: VatPct
    amount_minor: int = Field(gt=0, le=100_000_000_000)


class CreditNoteIn(In):
    """What to take back of an invoice: `lines`, or `amounts` as goodwill, not both."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"lines": [{"line_no": 1, "quantity": 1}], "reason": "Returned"}
        }
    )

    lines: list[CreditLineIn] = Field(default=[], max_length=1_000)
    amounts: list[CreditAmountIn] = Field(default=[], max_length=10)
    currency: Currency | None = None
    """When given, it must be the invoice's."""
    reason: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def one_of_the_two(self) -> Self:
        """Refuse what says nothing, both, or the same line or rate twice."""
        if bool(self.lines) == bool(self.amounts):
            message = "give lines, or amounts for goodwill: one of the two"
            raise ValueError(message)
        lines = {one.line_no for one in self.lines}
        rates = {one.vat_pct for one in self.amounts}
        if len(lines) < len(self.lines) or len(rates) < len(self.amounts):
            message = "name each line and each rate once"
            raise ValueError(message)
        return self


class CreditablePieces(Out):
    """Pieces of a line that are left to credit."""

    line_no: int
    quantity: int


class CreditableAmount(Out):
    """What is left to credit at a rate, VAT included."""

    vat_pct: VatPct
    amount_minor: int


class CreditableOut(Out):
    """What of an invoice is left to credit."""

    lines: list[CreditablePieces]
    amounts: list[CreditableAmount]


class CreditNotesOut(Out):
    """The credit notes of an invoice, and what is left to credit."""

    items: list[InvoiceOut]
    left: CreditableOut


class PrintIn(In):
    """What to print in one file."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"invoice_ids": ["019f6a2b-7c1d-7000-8000-000000000001"]}}
    )

    invoice_ids: list[UUID] = Field(min_length=1, max_length=100)
