"""Shapes of interactions at the API."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from kantis_contracts.values import Channel
from kantis_kit.web.schemas import In, Instant, Out

MAX_BATCH = 1_000


class InteractionKind(StrEnum):
    """What it was."""

    CALL = "call"
    COMPLAINT = "complaint"
    MEETING = "meeting"
    LETTER = "letter"
    VISIT = "visit"
    REPLY = "reply"
    TASK = "task"
    CONTEXT = "context"
    """Something about the person's situation, place or time that a message may follow."""


class Direction(StrEnum):
    """Who began."""

    IN = "in"
    OUT = "out"


class InteractionIn(In):
    """Something that happened between a contact and the company."""

    contact_id: UUID
    kind: InteractionKind
    direction: Direction | None = Field(default=None, description="Who began: in is the contact")
    channel: Channel | None = None
    topic: str = Field(default="", max_length=200, examples=["late delivery"])
    outcome: str = Field(default="", max_length=200, examples=["new parcel sent"])
    place: str = Field(default="", max_length=200, examples=["shop Bergen"])
    text: str = Field(default="", max_length=4_000)
    campaign_id: UUID | None = None
    source: str = Field(
        default="api", min_length=1, max_length=100, description="The system that tells it"
    )
    external_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="The source's own id: what it tells again is kept once",
    )
    occurred_at: Instant | None = Field(
        default=None, description="When it happened; now when left out, never in the future"
    )


class InteractionsIn(In):
    """Up to 1,000 interactions; all are kept, or none."""

    items: list[InteractionIn] = Field(min_length=1, max_length=MAX_BATCH)


class RecordedOut(Out):
    """What became of one interaction: its id, and whether it was new."""

    id: UUID
    external_id: str | None
    is_new: bool


class InteractionOut(Out):
    """An interaction."""

    id: UUID
    person_id: UUID
    kind: str
    direction: str
    channel: str
    topic: str
    outcome: str
    place: str
    text: str
    campaign_id: UUID | None
    source: str
    external_id: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime
