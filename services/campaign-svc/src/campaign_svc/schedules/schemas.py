"""What the API takes and shows of schedules."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from campaign_svc.campaigns.schemas import SignOff
from kantis_kit.web.schemas import In, Instant, Out


class ScheduleState(StrEnum):
    """What became of a schedule."""

    PLANNED = "planned"
    LAUNCHED = "launched"
    MISSED = "missed"
    REFUSED = "refused"


class ScheduleIn(In):
    """When to launch, and who signs for a pre-flight that is yellow then."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"launch_at": "2026-09-01T07:00:00+02:00"}]}
    )

    launch_at: Instant
    sign_off: SignOff | None = None
    repeat_days: Annotated[
        int | None,
        Field(ge=1, le=3660, description="Launched again so many days later, as a copy of its own"),
    ] = None
    repeat_until: Instant | None = None


class ScheduleOut(Out):
    """When a campaign is launched. One that is `missed` or `refused` waits for a person; `problem` says why."""

    campaign_id: UUID
    launch_at: datetime
    state: ScheduleState
    sign_off: SignOff | None
    problem: str
    set_by: str
    repeat_days: int | None
    repeat_until: datetime | None
    changed_at: datetime
