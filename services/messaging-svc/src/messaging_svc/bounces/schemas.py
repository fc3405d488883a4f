"""What the API shows and takes of bounces."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from kantis_kit.web.schemas import In, Out


class BounceOut(Out):
    """Something that came back, with its evidence; `rule` names the row of the table that decided."""

    id: UUID
    source: str
    external_id: str
    message_id: UUID | None
    person_id: UUID | None
    channel: str
    category: str
    rule: str
    status: str
    diagnostic: str
    evidence: str
    occurred_at: datetime
    recorded_at: datetime
    undone_at: datetime | None
    undone_by: str
    undone_why: str


class UndoIn(In):
    """Why somebody knows better."""

    reason: str = Field(min_length=1, max_length=500)


class Taken(Out):
    """How many of the incidents were new, and their categories."""

    new: int
    categories: list[str]


class ReportedIn(In):
    """One thing that a mail provider reports."""

    id: str = Field(min_length=1, max_length=200)
    type: Literal["bounce", "complaint", "delivered"]
    message_id: UUID | None = Field(
        default=None, description="The id in X-Kantis-Dispatch of the mail"
    )
    return_path: str = Field(default="", max_length=320, description="The mail's envelope sender")
    email: str = Field(default="", max_length=254)
    status: str = Field(default="", max_length=20, examples=["5.1.1"])
    text: str = Field(default="", max_length=4_000)
    occurred_at: AwareDatetime | None = None


class ReportsIn(In):
    """What a mail provider reports."""

    items: list[ReportedIn] = Field(min_length=1, max_length=500)
