"""Shapes of dunning."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import ConfigDict

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
    """A step that was taken about an unpaid invoice; `taken_on` is today unless it is said."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"step": "remind", "taken_on": "2026-04-02"}}
    )

    step: Step
    taken_on: date | None = None


class StepOut(Out):
    """A step, who entered it and when."""

    version: int
    step: Step
    taken_on: date
    actor: str
    entered_at: datetime


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
    changed_at: datetime | None
    steps: list[StepOut] = []
