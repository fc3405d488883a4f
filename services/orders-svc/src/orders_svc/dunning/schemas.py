"""Shapes of dunning."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from kantis_contracts.orders import DunningState
from kantis_kit.web.schemas import In, Out


class Step(StrEnum):
    """What is done about an invoice that is not paid."""

    REMIND = "remind"
    WARN = "warn"
    """The warning before collection: inkassovarsel, inkassokrav, påkravsskrivelse."""
    HAND_OVER = "hand_over"
    TAKE_BACK = "take_back"
    PAUSE = "pause"
    DISPUTE = "dispute"
    RESUME = "resume"
    END = "end"


class StepIn(In):
    """A step that was taken about an unpaid invoice; `taken_on` is today unless it is said.

    `with_fee` claims the fee that the law allows for this step. A pause may say until when it lasts.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"step": "remind", "taken_on": "2026-04-02", "with_fee": True}
        }
    )

    step: Step
    taken_on: date | None = None
    with_fee: bool = False
    until: date | None = None
    note: str = Field(default="", max_length=500)


class StepOut(Out):
    """A step, who entered it and when; `why` names the law by which the clock took it."""

    version: int
    step: Step
    taken_on: date
    pay_by: date | None
    fee_minor: int
    interest_minor: int
    why: str
    actor: str
    entered_at: datetime


class ClaimOut(Out):
    """What is owed beside an invoice, and why."""

    claim_id: UUID
    kind: str
    amount_minor: int
    paid_minor: int
    waived_minor: int
    open_minor: int
    currency: str
    claimed_on: date
    why: str


class CaseOut(Out):
    """Where the dunning of an invoice stands; once it is paid, `is_over`, whatever the last step was."""

    invoice_id: UUID
    number: str
    person_id: UUID
    state: DunningState
    reminders: int
    version: int
    due_on: date
    open_minor: int
    currency: str
    is_over: bool
    resume_on: date | None = None
    changed_at: datetime | None
    claims: list[ClaimOut] = []
    steps: list[StepOut] = []


class ProposalOut(Out):
    """What the clock would do about an unpaid invoice; without a `step`, `why` says what holds it."""

    invoice_id: UUID
    number: str
    person_id: UUID
    country: str
    debtor: str
    due_on: date
    owed_minor: int
    currency: str
    step: Step | None
    on: date | None
    """The first day on which the step is taken."""
    fee_minor: int
    compensation_minor: int
    interest_minor: int
    pay_by: date | None
    is_due: bool
    why: str


class InterestIn(In):
    """A rate of late interest for a half-year, in per cent a year, and where it was read."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"pct": "12.25", "source": "Finansdepartementet 2025-06-20"}}
    )

    pct: Decimal = Field(ge=0, lt=100, max_digits=6, decimal_places=3)
    source: str = Field(min_length=1, max_length=200)


class InterestOut(Out):
    """A rate of late interest; `source` is empty for those of the release."""

    country: str
    debtor: str
    first: date
    last: date
    pct: Decimal
    source: str


class AgencyFileOut(Out):
    """A file for the collection agency, or from it."""

    file_id: UUID
    way: str
    lines: int
    made_at: datetime


class AgencyContent(Out):
    """A file for the agency as JSON; as CSV it has the same columns."""

    file_id: UUID
    made_at: datetime
    lines: list[dict[str, Any]]


class AgencyReport(Out):
    """What became of a file of the agency's."""

    file_id: UUID
    lines: int
    booked: int
    withdrawn: int
    fees: int
    duplicates: int
