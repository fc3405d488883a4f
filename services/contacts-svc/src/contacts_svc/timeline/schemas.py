"""Shapes of the timeline at the API."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from kantis_kit.web.schemas import Out


class EntryKind(StrEnum):
    """What kind of thing an entry tells."""

    CHANGE = "change"
    ENGAGEMENT = "engagement"
    INSIGHT = "insight"
    INTERACTION = "interaction"
    INVOICE = "invoice"
    LEAD = "lead"
    LIFECYCLE = "lifecycle"
    MESSAGE = "message"
    ORDER = "order"
    PAYMENT = "payment"
    PERMISSION = "permission"
    RESPONSE = "response"
    RETURN = "return"
    VISIT = "visit"


class EntryOut(Out):
    """One thing that happened, told by whichever service knows it."""

    at: datetime
    kind: EntryKind
    what: str = Field(description="Such as placed, paid, accepted, opened, complaint, granted")
    id: str = Field(description="Of the thing: order, message, interaction …")
    channel: str
    campaign_id: UUID | None
    facts: dict[str, Any]
