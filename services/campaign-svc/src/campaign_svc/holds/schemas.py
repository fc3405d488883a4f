"""What the API takes and shows of launches that wait."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from kantis_kit.web.schemas import In, Out


class HoldIn(In):
    """Why; it stands with the launch and in the audit log."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the price in the mail is wrong"}]}
    )

    reason: str = Field(min_length=3, max_length=500)


class HoldOut(Out):
    """How a launch stands: `hold` is empty while it runs, else `paused` or `stopped`."""

    launch_id: UUID
    campaign_id: UUID
    hold: str
    hold_reason: str
    held_by: str
    held_at: datetime | None
