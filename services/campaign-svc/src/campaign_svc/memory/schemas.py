"""What the API shows of a person's campaigns."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from campaign_svc.campaigns.schemas import PieceState
from kantis_kit.web.schemas import Out


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
    sentence: str
