"""What the API shows of a person's campaigns."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from campaign_svc.campaigns.schemas import PieceState
from kantis_kit.web.schemas import Out


class ReasonOut(Out):
    """A reason against buying, as the register has learned it."""

    kind: str = Field(description="no_buy_reason, objection or barrier")
    term: str = Field(description="A word of the register's vocabulary; conditions ask for it")
    words: dict[str, str] = Field(description="The word in each language")
    said_at: datetime


class RememberedOut(Out):
    """A campaign that had somebody in its audience, and how far that came."""

    id: UUID = Field(description="The piece")
    campaign_id: UUID
    campaign_name: str
    channel: str
    state: PieceState
    reason: str = Field(description="Why nothing was sent")
    asked_at: datetime | None
    seen_at: datetime | None = Field(
        description="When it was first looked at or clicked, as far as that is told"
    )
    answered_at: datetime | None
    ordered_at: datetime | None
    bought_at: datetime | None
    reasons: list[ReasonOut] = Field(
        description="What was said against it after this campaign had asked, and before the next one did"
    )
    sentence: str
