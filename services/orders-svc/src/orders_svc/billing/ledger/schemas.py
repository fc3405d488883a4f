"""Shapes of the ledger."""

from datetime import date, datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from kantis_contracts.values import VatPct
from kantis_kit.web.schemas import In, Out


class AccountSum(Out):
    """The sum of an account in a currency: debit is positive."""

    account: str
    currency: str
    amount_minor: int


class LedgerBalance(Out):
    """All accounts; `is_balanced` says that debit and credit are equal in every currency."""

    accounts: list[AccountSum]
    is_balanced: bool


class SideOut(Out):
    """One side of a voucher, on a number of the chart: debit is positive, credit negative."""

    account: str
    number: str
    name: str
    amount_minor: int
    currency: str
    vat_pct: VatPct | None


class VoucherOut(Out):
    """A booked fact with all of its sides, which sum to nothing in each currency."""

    transaction_id: UUID
    kind: str
    label: str
    booked_on: date
    booked_at: datetime
    sides: list[SideOut]


class VouchersOut(Out):
    """Vouchers, in the sequence of their booking."""

    items: list[VoucherOut]


class TrialRow(Out):
    """An account in a period: what it held before, what came and went, and what it held then."""

    account: str
    vat_pct: VatPct | None
    number: str
    name: str
    currency: str
    opening_minor: int
    debit_minor: int
    credit_minor: int
    closing_minor: int


class TrialBalance(Out):
    """All accounts in a period, first and last day included."""

    first_on: date
    last_on: date
    is_locked: bool
    rows: list[TrialRow]


class LockIn(In):
    """Up to which day nothing is booked any more, and why."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"locked_until": "2026-03-31", "reason": "VAT is reported"}}
    )

    locked_until: date
    reason: str = Field(min_length=1, max_length=200)


class LockOut(Out):
    """A lock of the ledger."""

    locked_until: date
    locked_at: datetime
    actor: str
    reason: str


class LocksOut(Out):
    """All locks, the latest first: that one holds."""

    items: list[LockOut]
